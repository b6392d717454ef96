# The migrations are part of the plugin's file: a library of its own, so that the tests link it as well.
file(GLOB sqlite_migrations CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/migrations/*.sql)
set(sqlite_migrations_source ${CMAKE_CURRENT_BINARY_DIR}/storage/sqlite_migrations.c)
add_custom_command(OUTPUT ${sqlite_migrations_source}
	COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_CURRENT_LIST_DIR}/migrations
		-DOUTPUT=${sqlite_migrations_source} -P ${CMAKE_CURRENT_LIST_DIR}/embed_migrations.cmake
	DEPENDS ${sqlite_migrations} ${CMAKE_CURRENT_LIST_DIR}/embed_migrations.cmake
	VERBATIM)
add_library(storage_sqlite_migrations STATIC ${sqlite_migrations_source})
target_include_directories(storage_sqlite_migrations PRIVATE
	${CMAKE_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(storage_sqlite_migrations PRIVATE ss_flags)
set_target_properties(storage_sqlite_migrations PROPERTIES
	POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)

ss_plugin(storage sqlite LINK storage_sqlite_migrations PkgConfig::SQLITE)
