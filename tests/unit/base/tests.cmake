target_sources(unit_base PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
