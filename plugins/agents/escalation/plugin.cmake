ss_plugin(agents escalation SOURCES ${CMAKE_SOURCE_DIR}/plugins/common/pending.c)
