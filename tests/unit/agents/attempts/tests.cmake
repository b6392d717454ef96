target_sources(unit_agents_attempts PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/attempts/attempts.c
	${CMAKE_SOURCE_DIR}/plugins/common/keywords.c ${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
target_link_libraries(unit_agents_attempts PRIVATE PkgConfig::UTF8PROC)
