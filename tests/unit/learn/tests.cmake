target_sources(unit_learn PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
