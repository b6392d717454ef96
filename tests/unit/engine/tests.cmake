include(${CMAKE_SOURCE_DIR}/tests/fixtures/agents/agents.cmake)
add_dependencies(unit_engine fixture_agents)
add_dependencies(unit_engine agents_assign)
