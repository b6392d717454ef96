target_sources(unit_service PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c
	${CMAKE_SOURCE_DIR}/tests/support/models.c)
