/*
 * A file in a layer between SQLite and the system's files (a VFS): what such layers have in common, and the functions of
 * those of its methods that they leave to the system.
 */
#ifndef SQLITE_LAYER_H
#define SQLITE_LAYER_H

#include <sqlite3.h>

/* Any file of a layer begins with this. */
struct layer_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this */
};

/* Opens FILE with METHODS, and with VFS the one at REAL, for which there is room. An SQLite result code. It is to be closed if
 * it has methods then, also when it has failed. */
int layer_open(struct layer_file *file, const sqlite3_io_methods *methods, sqlite3_file *real,
	sqlite3_vfs *vfs, sqlite3_filename name, int flags, int *out_flags);

int layer_close(sqlite3_file *file);
int layer_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset);
int layer_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset);
int layer_truncate(sqlite3_file *file, sqlite3_int64 size);
int layer_sync(sqlite3_file *file, int flags);
int layer_size(sqlite3_file *file, sqlite3_int64 *size);
int layer_lock(sqlite3_file *file, int kind);
int layer_unlock(sqlite3_file *file, int kind);
int layer_is_reserved(sqlite3_file *file, int *reserved);
int layer_control(sqlite3_file *file, int operation, void *argument);
int layer_sector_size(sqlite3_file *file);
int layer_characteristics(sqlite3_file *file);

#endif
