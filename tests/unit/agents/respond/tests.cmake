target_sources(unit_agents_respond PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/respond/respond.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
