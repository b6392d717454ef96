ss_plugin(agents escalation_check LINK PkgConfig::UTF8PROC SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/keywords.c)
