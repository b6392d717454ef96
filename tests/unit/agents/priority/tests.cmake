target_sources(unit_agents_priority PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/priority/priority.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
