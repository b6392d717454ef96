include(${CMAKE_CURRENT_LIST_DIR}/../../common/openai.cmake)
ss_plugin(embedder openai SOURCES ${OPENAI_SOURCES} LINK PkgConfig::CURL PkgConfig::JSON m)
