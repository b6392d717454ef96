include(${CMAKE_SOURCE_DIR}/plugins/common/classifier.cmake)
ss_plugin(agents categorizer LINK ${CLASSIFIER_LINK} SOURCES ${CLASSIFIER_SOURCES})
