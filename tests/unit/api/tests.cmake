target_sources(unit_api PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/service/loop.c)
