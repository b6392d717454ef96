target_sources(unit_embedder_openai PRIVATE ${CMAKE_SOURCE_DIR}/plugins/embedder/openai/vectors.c)
add_dependencies(unit_embedder_openai embedder_openai)
