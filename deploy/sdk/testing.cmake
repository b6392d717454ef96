# The test kit for authors of plugins: core/testing as a shared library that shows its functions and nothing of the rooms
# that it is made of. What those have beside it stays out: only what is used is linked.
file(GLOB testing_sources CONFIGURE_DEPENDS core/testing/*.c)
file(GLOB testing_rooms CONFIGURE_DEPENDS core/base/*.c core/value/*.c core/expr/*.c core/expr/*.cpp)
add_library(ss_testing_rooms STATIC ${testing_rooms} core/config/diagnostics.c core/config/environment.c core/config/options.c
	core/config/yaml.c)
set_target_properties(ss_testing_rooms PROPERTIES
	POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden)
target_include_directories(ss_testing_rooms PUBLIC core include)
target_link_libraries(ss_testing_rooms PUBLIC ss_flags PkgConfig::JSON PkgConfig::YAML PkgConfig::UTF8PROC PkgConfig::RE2
	PkgConfig::CRYPTO Threads::Threads m)

add_library(smartsupport-testing SHARED ${testing_sources})
target_link_libraries(smartsupport-testing PRIVATE ss_testing_rooms)
target_link_options(smartsupport-testing PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/deploy/sdk/testing.map
	-Wl,--as-needed)
set_target_properties(smartsupport-testing PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/deploy/sdk/testing.map
	SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
