target_sources(unit_agents_respond PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/respond/respond.c)
