include(${CMAKE_SOURCE_DIR}/plugins/common/openmp.cmake)
find_library(DNNL_LIBRARY dnnl REQUIRED)
target_include_directories(bench_embed PRIVATE ${CMAKE_SOURCE_DIR}/plugins)
target_link_libraries(bench_embed PRIVATE ${DNNL_LIBRARY} ${OPENMP_RUNTIME})
