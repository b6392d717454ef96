# The sources of the agents that classify, and what they link. Used by their plugin.cmake files, by the core,
# which trains heads, and by the tests.
set(CLASSIFIER_FOLDER ${CMAKE_SOURCE_DIR}/plugins/common)
set(HEAD_SOURCES ${CLASSIFIER_FOLDER}/head.c ${CLASSIFIER_FOLDER}/lexical_features.c
	${CLASSIFIER_FOLDER}/lexicon.c)
set(CLASSIFIER_SOURCES ${CLASSIFIER_FOLDER}/classifier_agent.c ${CLASSIFIER_FOLDER}/classifier.c
	${CLASSIFIER_FOLDER}/keywords.c ${CLASSIFIER_FOLDER}/label.c
	${CLASSIFIER_FOLDER}/pending.c 	${HEAD_SOURCES})
set(CLASSIFIER_LINK PkgConfig::UTF8PROC m)
