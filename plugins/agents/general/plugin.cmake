ss_plugin(agents general SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/specialist.c)
