target_sources(unit_agents_kb_retriever PRIVATE ${CMAKE_SOURCE_DIR}/plugins/agents/kb_retriever/kb_retriever.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host.c
	${CMAKE_SOURCE_DIR}/tests/support/fake_host_functions.c)
