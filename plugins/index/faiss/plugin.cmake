include(${CMAKE_CURRENT_LIST_DIR}/faiss.cmake)
ss_plugin(index faiss LINK ${FAISS_LINK} SOURCES ${FAISS_SOURCES})
# The C++ library's templates ask to be visible, whatever the compiler's flags say.
target_link_options(index_faiss PRIVATE -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map)
set_target_properties(index_faiss PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/exports.map)
