# The plugin's sources, so that no shared object must be loaded.
include(${CMAKE_SOURCE_DIR}/plugins/index/faiss/faiss.cmake)
target_sources(unit_index_faiss PRIVATE ${CMAKE_SOURCE_DIR}/plugins/index/faiss/faiss.c ${FAISS_SOURCES})
target_link_libraries(unit_index_faiss PRIVATE ${FAISS_LINK})
