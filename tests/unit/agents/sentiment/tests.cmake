include(${CMAKE_SOURCE_DIR}/plugins/common/classifier.cmake)
target_sources(unit_agents_sentiment PRIVATE ${CLASSIFIER_SOURCES} ${CMAKE_SOURCE_DIR}/plugins/agents/sentiment/sentiment.c)
target_link_libraries(unit_agents_sentiment PRIVATE ${CLASSIFIER_LINK})
