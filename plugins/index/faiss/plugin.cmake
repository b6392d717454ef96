include(${CMAKE_CURRENT_LIST_DIR}/faiss.cmake)
ss_plugin(index faiss LINK ${FAISS_LINK} SOURCES ${FAISS_SOURCES})
