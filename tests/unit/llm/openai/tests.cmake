include(${CMAKE_SOURCE_DIR}/plugins/common/openai.cmake)
set(openai ${CMAKE_SOURCE_DIR}/plugins/llm/openai)
target_sources(unit_llm_openai PRIVATE ${OPENAI_SOURCES} ${openai}/answer.c ${openai}/citations.c
	${openai}/openai.c ${openai}/reply.c ${openai}/request.c ${openai}/sse.c ${openai}/text.c
	${openai}/thinking.c)
add_dependencies(unit_llm_openai llm_openai)
