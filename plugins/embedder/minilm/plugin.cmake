find_library(DNNL_LIBRARY dnnl REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/../../common/openmp.cmake)
ss_plugin(embedder minilm LINK ${DNNL_LIBRARY} ${OPENMP_RUNTIME} PkgConfig::UTF8PROC m)
# Its loops are what a question costs; unoptimised they would make every test wait for the model.
target_compile_options(embedder_minilm PRIVATE -O3)
