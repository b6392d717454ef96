target_sources(unit_agents_attempts PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/attempts/attempts.c
	${CMAKE_SOURCE_DIR}/plugins/common/keywords.c)
target_link_libraries(unit_agents_attempts PRIVATE PkgConfig::UTF8PROC)
