target_sources(unit_agents_priority PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/priority/priority.c)
