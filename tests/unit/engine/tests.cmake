target_sources(unit_engine PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
include(${CMAKE_SOURCE_DIR}/tests/fixtures/agents/agents.cmake)
add_dependencies(unit_engine fixture_agents)
add_dependencies(unit_engine agents_assign)
target_sources(unit_engine PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/models.c
	${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
