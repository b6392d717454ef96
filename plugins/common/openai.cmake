# What the plugins for OpenAI-compatible APIs share.
set(OPENAI_SOURCES
	${CMAKE_CURRENT_LIST_DIR}/openai_endpoint.c
	${CMAKE_CURRENT_LIST_DIR}/openai_failure.c
	${CMAKE_CURRENT_LIST_DIR}/secret.c)
