ss_plugin(agents billing SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
