include(${CMAKE_SOURCE_DIR}/plugins/common/classifier.cmake)
target_sources(unit_agents_categorizer PRIVATE ${CLASSIFIER_SOURCES} ${CMAKE_SOURCE_DIR}/plugins/agents/categorizer/categorizer.c)
target_link_libraries(unit_agents_categorizer PRIVATE ${CLASSIFIER_LINK})
