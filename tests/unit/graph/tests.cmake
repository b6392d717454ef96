target_sources(unit_graph PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)
include(${CMAKE_SOURCE_DIR}/tests/fixtures/agents/agents.cmake)
add_dependencies(unit_graph fixture_agents)
add_dependencies(unit_graph agents_assign)
