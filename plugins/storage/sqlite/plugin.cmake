include(${CMAKE_CURRENT_LIST_DIR}/../../common/sql.cmake)
ss_sql_migrations(sqlite)
ss_plugin(storage sqlite SOURCES ${SQL_SOURCES} LINK storage_sqlite_migrations PkgConfig::SQLITE)
