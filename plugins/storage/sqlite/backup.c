/*
 * A copy of the file as it is at one moment, while others read and write it. It is made under another name, checked,
 * and on the disk before it gets its own, so a backup that is there is a whole one.
 */
#include "storage/sqlite/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* After so many pages the disk is left to others for a moment. */
enum { STEP_PAGES = 256, PAUSE_NS = 1000000 };

/* The copy. */
struct copy {
	struct database target; /* its handle, and the name for its errors */
	char *temporary;
	int fd;
};

static int fail_system(const struct copy *copy, struct ss_error *err)
{
	int error = errno;
	const char *advice = "";
	if (error == ENOSPC || error == EDQUOT || error == EFBIG)
		advice = "; free some space, or name a file on another disk";
	else if (error == EACCES || error == EPERM || error == EROFS)
		advice = "; name a file in a folder that you may write";
	return ss_fail_as(err, SS_UNAVAILABLE, "%s: cannot be written: %s%s", copy->target.path,
		strerror(error), advice);
}

static int fail_exists(const struct copy *copy, struct ss_error *err)
{
	return ss_fail_as(err, SS_CONFLICT,
		"%s: is there already; name a new file, or move this one away", copy->target.path);
}

/* The name that it has until it is whole. Only its owner may read what customers wrote. */
static int make_temporary(struct copy *copy, struct ss_error *err)
{
	if (access(copy->target.path, F_OK) == 0)
		return fail_exists(copy, err);
	if (asprintf(&copy->temporary, "%s.partial-XXXXXX", copy->target.path) < 0) {
		copy->temporary = NULL;
		return database_fail_memory(&copy->target, err);
	}
	copy->fd = mkostemp(copy->temporary, O_CLOEXEC);
	if (copy->fd >= 0)
		return 0;
	(void)fail_system(copy, err);
	free(copy->temporary);
	copy->temporary = NULL;
	return -1;
}

static int execute(struct database *db, const char *sql, struct ss_error *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

/* Whether the file that could not be gone on with is the one that is read. */
static bool is_of_source(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT || code == SQLITE_IOERR_READ ||
	       code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS;
}

static int copy_pages(struct copy *copy, struct database *db, struct ss_error *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	sqlite3_backup *backup =
		sqlite3_backup_init(copy->target.handle, "main", db->handle, "main");
	if (backup == NULL)
		return database_fail(
			&copy->target, sqlite3_extended_errcode(copy->target.handle), err);
	int code;
	while ((code = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK)
		(void)nanosleep(&pause, NULL);
	int result = 0;
	if (code != SQLITE_DONE)
		result = database_fail(is_of_source(code) ? db : &copy->target, code, err);
	(void)sqlite3_backup_finish(backup);
	return result;
}

static int check_copy(struct copy *copy, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(
		copy->target.handle, "PRAGMA integrity_check(1)", -1, &statement, NULL);
	int result = 0;
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	const char *said =
		code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	if (said == NULL)
		result = database_fail(&copy->target, code, err);
	else if (strcmp(said, "ok") != 0)
		result = ss_fail_as(err, SS_INTERNAL,
			"%s: the copy is damaged, and so may be what it was made from: %s; check "
			"that with smartsupport verify",
			copy->target.path, said);
	(void)sqlite3_finalize(statement);
	return result;
}

/* Fills the temporary file. What it says of its own log is taken back, so that it is one file without others. */
static int fill(struct copy *copy, struct database *db, struct ss_error *err)
{
	int code = sqlite3_open_v2(copy->temporary, &copy->target.handle,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	int result = 0;
	if (code != SQLITE_OK)
		result = database_fail(&copy->target, code, err);
	/* It is synchronized when it is whole. */
	if (result == 0)
		result = execute(&copy->target, "PRAGMA synchronous = OFF", err);
	if (result == 0)
		result = copy_pages(copy, db, err);
	if (result == 0)
		result = execute(&copy->target, "PRAGMA journal_mode = DELETE", err);
	if (result == 0)
		result = check_copy(copy, err);
	(void)sqlite3_close(copy->target.handle);
	copy->target.handle = NULL;
	return result;
}

/* Gives the file its name, durably. */
static int publish(struct copy *copy, struct ss_error *err)
{
	char *path = copy->target.path;
	if (fsync(copy->fd) < 0)
		return fail_system(copy, err);
	int named = renameat2(AT_FDCWD, copy->temporary, AT_FDCWD, path, RENAME_NOREPLACE);
	/* Some file systems cannot do that. */
	if (named < 0 && errno == EINVAL)
		named = link(copy->temporary, path);
	if (named < 0)
		return errno == EEXIST ? fail_exists(copy, err) : fail_system(copy, err);
	/* An absolute path has one. */
	char *slash = strrchr(path, '/');
	char after = slash[1];
	slash[1] = '\0';
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	slash[1] = after;
	int result = folder >= 0 ? fsync(folder) : -1;
	if (result < 0)
		result = fail_system(copy, err);
	if (folder >= 0)
		(void)close(folder);
	return result;
}

static void remove_temporary(const struct copy *copy)
{
	static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char *name = NULL;
		if (asprintf(&name, "%s%s", copy->temporary, endings[i]) < 0)
			continue;
		(void)unlink(name);
		free(name);
	}
}

static int make_copy(struct copy *copy, struct database *db, struct ss_error *err)
{
	if (make_temporary(copy, err) < 0)
		return -1;
	/* A transaction that reads keeps what is copied as it is at one moment, which no writer waits for. Without it
	 * each write of another process would let the copy begin anew. */
	int result = database_begin(db, STATEMENT_BEGIN_READ, err);
	if (result == 0)
		result = execute(db, "SELECT count(*) FROM sqlite_schema", err);
	if (result == 0)
		result = fill(copy, db, err);
	database_rollback(db);
	if (result == 0)
		result = publish(copy, err);
	(void)close(copy->fd);
	/* Under its old name nothing is left when it has its own. */
	remove_temporary(copy);
	free(copy->temporary);
	return result;
}

int database_backup(void *instance, const char *path, struct ss_error *err)
{
	struct database *db = instance;
	struct copy copy = {.target = {.host = db->host, .values = db->values}, .fd = -1};
	copy.target.path = database_absolute_path(path, err);
	if (copy.target.path == NULL)
		return -1;
	int result = make_copy(&copy, db, err);
	free(copy.target.path);
	return result;
}
