target_sources(unit_agents_kb_retriever PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/kb_retriever/kb_retriever.c)
