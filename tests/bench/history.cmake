# Somebody who reads SQLite's file.
target_link_libraries(bench_history PRIVATE PkgConfig::SQLITE)
