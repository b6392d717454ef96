# train_head, which makes the heads of the agents categorizer and sentiment.
include(${CMAKE_SOURCE_DIR}/plugins/common/classifier.cmake)
file(GLOB train_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/train/*.c)
add_executable(train_head ${train_sources} ${HEAD_SOURCES})
target_include_directories(train_head PRIVATE ${CMAKE_SOURCE_DIR}/tools ${CMAKE_SOURCE_DIR}/plugins)
target_link_libraries(train_head PRIVATE ss_core ${CLASSIFIER_LINK})
# Also in a debug build: the fit takes a hundred times longer without.
target_compile_options(train_head PRIVATE -O2)
set_target_properties(train_head PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
