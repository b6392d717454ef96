ss_plugin(agents technical SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
