# The plugin's sources, so that the tests reach its statements, and the plugin as it is built.
file(GLOB sqlite_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/storage/sqlite/*.c)
include(${CMAKE_SOURCE_DIR}/plugins/common/sql.cmake)
target_sources(unit_storage_sqlite PRIVATE ${sqlite_sources} ${SQL_SOURCES})
target_link_libraries(unit_storage_sqlite PRIVATE storage_sqlite_migrations PkgConfig::SQLITE)
add_dependencies(unit_storage_sqlite storage_sqlite)
