target_sources(unit_config PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
