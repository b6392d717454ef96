# The plugin's sources, since what is tested is hidden in the shared object.
include(${CMAKE_SOURCE_DIR}/plugins/common/openmp.cmake)
find_library(DNNL_LIBRARY dnnl REQUIRED)
file(GLOB minilm_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/embedder/minilm/*.c)
target_sources(unit_embedder_minilm PRIVATE ${minilm_sources})
target_link_libraries(unit_embedder_minilm PRIVATE ${DNNL_LIBRARY} ${OPENMP_RUNTIME})
target_compile_options(unit_embedder_minilm PRIVATE -O3)
