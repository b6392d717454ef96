target_sources(unit_plugin PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/scratch.c)

# One plugin from each file of fixtures/plugins, most of them wrong in one way, where the loader looks
# for agents: FIXTURES/agents/NAME.so.
file(GLOB fixtures CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fixtures/plugins/*.c)
foreach(fixture ${fixtures})
	get_filename_component(fixture_name ${fixture} NAME_WE)
	set(target fixture_plugin_${fixture_name})
	add_library(${target} MODULE ${fixture})
	target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include)
	target_link_libraries(${target} PRIVATE ss_flags)
	# The fixtures say a member twice where the second one is what is wrong with them.
	set_source_files_properties(${fixture} PROPERTIES COMPILE_OPTIONS
		"-Wno-override-init;$<$<C_COMPILER_ID:Clang>:-Wno-initializer-overrides>")
	set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${fixture_name}
		C_VISIBILITY_PRESET hidden
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fixtures/plugins/agents)
	add_dependencies(unit_plugin ${target})
endforeach()
