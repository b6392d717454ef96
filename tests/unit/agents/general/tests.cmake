target_sources(unit_agents_general PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/general/general.c
	${CMAKE_SOURCE_DIR}/plugins/common/specialist.c ${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
