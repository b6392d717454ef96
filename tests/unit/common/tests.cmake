include(${CMAKE_SOURCE_DIR}/plugins/common/classifier.cmake)
target_sources(unit_common PRIVATE ${CLASSIFIER_SOURCES})
target_link_libraries(unit_common PRIVATE ${CLASSIFIER_LINK})
