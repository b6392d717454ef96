# The plugin's sources, so that the tests reach its statements, the plugin as it is built, and the tests that all
# storage plugins pass.
file(GLOB postgresql_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/storage/postgresql/*.c)
include(${CMAKE_SOURCE_DIR}/plugins/common/sql.cmake)
file(GLOB storage_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/support/storage/*.c)
target_sources(unit_storage_postgresql PRIVATE ${postgresql_sources} ${SQL_SOURCES} ${storage_tests}
	${CMAKE_SOURCE_DIR}/plugins/common/secret.c)
target_link_libraries(unit_storage_postgresql PRIVATE storage_postgresql_migrations PkgConfig::PQ)
add_dependencies(unit_storage_postgresql storage_postgresql)
