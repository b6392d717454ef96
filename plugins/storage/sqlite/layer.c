#include "storage/sqlite/layer.h"

#include <stddef.h>

static sqlite3_file *real_file(sqlite3_file *file)
{
	return ((struct layer_file *)file)->real;
}

int layer_open(struct layer_file *file, const sqlite3_io_methods *methods, sqlite3_file *real,
	sqlite3_vfs *vfs, sqlite3_filename name, int flags, int *out_flags)
{
	int code = vfs->xOpen(vfs, name, real, flags, out_flags);
	*file = (struct layer_file){.real = real};
	file->base.pMethods = real->pMethods != NULL ? methods : NULL;
	return code;
}

int layer_close(sqlite3_file *file)
{
	return real_file(file)->pMethods->xClose(real_file(file));
}

int layer_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
	return real_file(file)->pMethods->xRead(real_file(file), bytes, size, offset);
}

int layer_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	return real_file(file)->pMethods->xWrite(real_file(file), bytes, size, offset);
}

int layer_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

int layer_sync(sqlite3_file *file, int flags)
{
	return real_file(file)->pMethods->xSync(real_file(file), flags);
}

int layer_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

int layer_lock(sqlite3_file *file, int kind)
{
	return real_file(file)->pMethods->xLock(real_file(file), kind);
}

int layer_unlock(sqlite3_file *file, int kind)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), kind);
}

int layer_is_reserved(sqlite3_file *file, int *reserved)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), reserved);
}

int layer_control(sqlite3_file *file, int operation, void *argument)
{
	return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

int layer_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

int layer_characteristics(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}
