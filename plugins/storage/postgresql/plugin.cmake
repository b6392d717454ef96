include(${CMAKE_CURRENT_LIST_DIR}/../../common/sql.cmake)
ss_sql_migrations(postgresql)
ss_plugin(storage postgresql SOURCES ${SQL_SOURCES} ${CMAKE_CURRENT_SOURCE_DIR}/common/secret.c
	LINK storage_postgresql_migrations PkgConfig::PQ)
