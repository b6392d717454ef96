# The plugin's sources, so that the tests reach its statements, the plugin as it is built, and the tests that all
# storage plugins pass.
file(GLOB sqlite_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/storage/sqlite/*.c)
include(${CMAKE_SOURCE_DIR}/plugins/common/sql.cmake)
file(GLOB storage_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/support/storage/*.c)
target_sources(unit_storage_sqlite PRIVATE ${sqlite_sources} ${SQL_SOURCES} ${storage_tests})
target_link_libraries(unit_storage_sqlite PRIVATE storage_sqlite_migrations PkgConfig::SQLITE)
add_dependencies(unit_storage_sqlite storage_sqlite)
