target_sources(unit_agents_general PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/general/general.c
	${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
