target_sources(unit_llm_extractive PRIVATE
	${CMAKE_SOURCE_DIR}/plugins/llm/extractive/extractive.c
	${CMAKE_SOURCE_DIR}/plugins/llm/extractive/passages.c)
add_dependencies(unit_llm_extractive llm_extractive)
