# The headers of the first version as they were, and those of the next one, which are made of ours.
set(abi_later ${CMAKE_BINARY_DIR}/tests/fixtures/abi/include)
file(GLOB abi_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/include/smartsupport/*.h)
set(abi_grown)
foreach(header ${abi_headers})
	get_filename_component(header_name ${header} NAME)
	add_custom_command(OUTPUT ${abi_later}/smartsupport/${header_name}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${abi_later}/smartsupport
		COMMAND awk -f ${CMAKE_SOURCE_DIR}/tests/fixtures/abi/grow.awk ${header} > ${abi_later}/smartsupport/${header_name}
		DEPENDS ${header} ${CMAKE_SOURCE_DIR}/tests/fixtures/abi/grow.awk)
	list(APPEND abi_grown ${abi_later}/smartsupport/${header_name})
endforeach()
add_custom_target(abi_headers_later DEPENDS ${abi_grown})

# The same agent with the headers of each: build/tests/fixtures/abi/VERSION/agents/agent.so.
function(add_abi_agent version include)
	add_library(abi_agent_${version} MODULE ${CMAKE_SOURCE_DIR}/tests/fixtures/abi/agent.c)
	target_include_directories(abi_agent_${version} PRIVATE ${include})
	target_compile_definitions(abi_agent_${version} PRIVATE ${ARGN})
	target_link_libraries(abi_agent_${version} PRIVATE ss_flags)
	set_target_properties(abi_agent_${version} PROPERTIES PREFIX "" OUTPUT_NAME agent C_VISIBILITY_PRESET hidden
		LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fixtures/abi/${version}/agents)
	add_dependencies(abi_agent_${version} abi_headers_later)
	add_dependencies(unit_abi abi_agent_${version})
endfunction()
file(STRINGS ${CMAKE_SOURCE_DIR}/include/smartsupport/abi.h abi_minor REGEX "define SS_ABI_MINOR")
string(REGEX MATCH "[0-9]+" abi_minor "${abi_minor}")
add_abi_agent(1.0 ${CMAKE_SOURCE_DIR}/tests/fixtures/abi/1.0)
add_abi_agent(this ${CMAKE_SOURCE_DIR}/include)
add_abi_agent(later ${abi_later})
add_abi_agent(later_serving_this ${abi_later} SAYS_MINOR=${abi_minor}u LATER)

# A host of the next version: what loads plugins and what runs them in tests, built with its headers.
add_executable(unit_abi_later ${sources} ${testing_sources} ${testing_rooms} ${CMAKE_SOURCE_DIR}/core/config/diagnostics.c
	${CMAKE_SOURCE_DIR}/core/config/environment.c ${CMAKE_SOURCE_DIR}/core/config/options.c
	${CMAKE_SOURCE_DIR}/core/config/yaml.c ${CMAKE_SOURCE_DIR}/core/plugin/plugin.c ${CMAKE_SOURCE_DIR}/core/plugin/copy.c)
target_compile_definitions(unit_abi_later PRIVATE LATER_HOST)
target_include_directories(unit_abi_later SYSTEM PRIVATE ${CRITERION_INCLUDE})
target_include_directories(unit_abi_later PRIVATE ${abi_later} ${CMAKE_SOURCE_DIR}/core)
target_link_libraries(unit_abi_later PRIVATE ss_flags PkgConfig::JSON PkgConfig::YAML PkgConfig::UTF8PROC PkgConfig::RE2
	PkgConfig::CRYPTO Threads::Threads ${CMAKE_DL_LIBS} m ${CRITERION_LIBRARY})
set_target_properties(unit_abi_later PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_dependencies(unit_abi_later abi_headers_later unit_abi)
add_test(NAME unit_abi_later COMMAND unit_abi_later)
