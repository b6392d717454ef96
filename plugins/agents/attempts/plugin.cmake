ss_plugin(agents attempts LINK PkgConfig::UTF8PROC SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/keywords.c)
