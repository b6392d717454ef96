target_sources(unit_agents_technical PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/technical/technical.c
	${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
