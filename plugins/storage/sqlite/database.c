#include "storage/sqlite/database.h"

#include "common/sql/migrations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static int64_t monotonic_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Errors. */

/* What SQLite's primary result codes mean for the person who runs the server. */
static const struct failure {
	int code;
	enum ss_status status;
	const char *meaning;
} failures[] = {
	{SQLITE_NOTADB, SS_INTERNAL,
		"is not an SQLite database; name another file, or move this one away"},
	{SQLITE_CORRUPT, SS_INTERNAL, "is damaged; stop the server and restore it from a backup"},
	{SQLITE_READONLY, SS_UNAVAILABLE,
		"cannot be written; let the server's user write the file and its folder"},
	{SQLITE_FULL, SS_LIMIT,
		"cannot grow: the disk, or what the server may use of it, is full; free some "
		"space"},
	{SQLITE_NOMEM, SS_UNAVAILABLE, "cannot be used: there is not enough memory"},
	{SQLITE_IOERR, SS_UNAVAILABLE, "cannot be read or written; check the disk"},
	{SQLITE_CANTOPEN, SS_UNAVAILABLE, "cannot be opened"},
	{SQLITE_CONSTRAINT, SS_INVALID, "refuses what breaks a rule of its schema"},
	{SQLITE_TOOBIG, SS_INVALID, "refuses a text that is too long"},
	{SQLITE_ERROR, SS_INTERNAL, "gave an error that nobody expected"}, /* and all others */
};

static const struct failure *find_failure(int code)
{
	size_t i = 0;
	while (i + 1 < sizeof failures / sizeof *failures && failures[i].code != code)
		i++;
	return &failures[i];
}

/* The primary code that says best what went wrong; of I/O errors, what the system said. */
static int plain_code(int code, int system_error)
{
	int primary = code & 0xff;
	if (primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL)
		return SQLITE_BUSY;
	if (primary == SQLITE_PERM)
		return SQLITE_READONLY;
	if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN)
		return primary;
	if (code == SQLITE_IOERR_NOMEM)
		return SQLITE_NOMEM;
	switch (system_error) {
	case EACCES:
	case EPERM:
	case EROFS:
		return SQLITE_READONLY;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return SQLITE_FULL;
	default:
		return primary;
	}
}

/* Fills ERR for the code that plain_code() gave. */
static int fail_plainly(
	const struct database *db, int plain, const char *detail, struct ss_error *err)
{
	if (plain == SQLITE_BUSY)
		return ss_fail_as(err, SS_UNAVAILABLE,
			"%s: is locked by another process for longer than %g s (busy_timeout); try "
			"again later",
			db->path, (double)db->busy_timeout_ns / 1e9);
	const struct failure *failure = find_failure(plain);
	return ss_fail_as(err, failure->status, "%s: %s (%s)", db->path, failure->meaning, detail);
}

int database_fail(struct database *db, int code, struct ss_error *err)
{
	/* SQLite notes the system's error for some of these only, but it does no more calls that fail. */
	int system_error = (code & 0xff) == SQLITE_IOERR ? errno : 0;
	if (code == SQLITE_IOERR_SHORT_READ)
		system_error = 0;
	if ((code & 0xff) == SQLITE_CANTOPEN)
		system_error = sqlite3_system_errno(db->handle);
	bool is_last = sqlite3_extended_errcode(db->handle) == code;
	const char *detail = is_last ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
	if (system_error != 0)
		detail = strerror(system_error);
	return fail_plainly(db, plain_code(code, system_error), detail, err);
}

int database_fail_memory(const struct database *db, struct ss_error *err)
{
	return fail_plainly(db, SQLITE_NOMEM, sqlite3_errstr(SQLITE_NOMEM), err);
}

/* Locks. */

static void pause_us(int64_t us)
{
	struct timespec time = {.tv_nsec = us * 1000};
	(void)nanosleep(&time, NULL);
}

/* Called by SQLite while somebody else holds a lock that it needs; 0 gives up. The waits are short, since
 * another worker's transaction is: with SQLite's own, which grow to 100 ms, a worker finds the lock taken
 * time and again while its siblings write. */
static int on_busy(void *context, int tries)
{
	struct database *db = context;
	int64_t now = monotonic_ns();
	if (tries == 0)
		db->busy_since_ns = now;
	if (db->impatient || now - db->busy_since_ns >= db->busy_timeout_ns)
		return 0;
	pause_us(tries < 500 ? 100 : 1000);
	return 1;
}

/* Transactions. */

void database_rollback(struct database *db)
{
	if (sqlite3_get_autocommit(db->handle) == 0)
		(void)statement_run(db, STATEMENT_ROLLBACK, NULL);
}

/* SQLite would go on writing to a file that nobody can find any more. */
static int check_place(const struct database *db, struct ss_error *err)
{
	int moved = 0;
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (!moved)
		return 0;
	return ss_fail_as(err, SS_UNAVAILABLE,
		"%s: was moved, deleted or replaced while it was in use; put it back, or "
		"reload the server to go on with the file that is there now",
		db->path);
}

/* What must be left of the disk for turns to be stored, in bytes. */
enum { SPACE_LEAST = 1024 * 1024 };

/* What has failed is tried again by the way no sooner than this afterwards. */
static const int64_t try_again_ns = 1000000000;

int database_note_commit(struct database *db, int result, const struct ss_error *err)
{
	db->commit_error = result < 0 ? *err : (struct ss_error){.status = SS_OK};
	db->commit_tried_ns = monotonic_ns();
	return result;
}

/* Whether the last commit has worked. Where nothing is asked any more since it has not, nobody else would
 * find out that it would work now. */
static int check_commit(struct database *db, struct ss_error *err)
{
	if (db->commit_error.status == SS_OK)
		return 0;
	if (monotonic_ns() - db->commit_tried_ns >= try_again_ns)
		return database_note_commit(db, database_try_commit(db, err), err);
	*err = db->commit_error;
	return -1;
}

int database_check(void *instance, struct ss_error *err)
{
	struct database *db = instance;
	struct statvfs disk;
	if (check_place(db, err) < 0)
		return -1;
	if (statvfs(db->path, &disk) < 0)
		return ss_fail_as(err, SS_UNAVAILABLE, "%s: cannot be looked at: %s", db->path,
			strerror(errno));
	/* A commit of many turns fits. */
	if ((uint64_t)disk.f_bavail * disk.f_frsize < SPACE_LEAST)
		return ss_fail_as(err, SS_UNAVAILABLE,
			"%s: its disk has less than %d KiB left; make room there", db->path,
			SPACE_LEAST / 1024);
	if ((disk.f_flag & ST_RDONLY) != 0)
		return ss_fail_as(err, SS_UNAVAILABLE, "%s: its disk is read-only", db->path);
	return check_commit(db, err);
}

/* Deleted rows are overwritten in the file (secure_delete in set_up(), and scrub.h), but the write-ahead log has the pages
 * as they were until it is cut off, for which nobody may read it. */
static void wipe(struct database *db, bool patient)
{
	int code = SQLITE_BUSY;
	db->impatient = !patient;
	if (checkpoint_hold(&db->checkpoint, patient)) {
		code = sqlite3_wal_checkpoint_v2(
			db->handle, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		checkpoint_release(&db->checkpoint);
	}
	db->impatient = false;
	db->wipe_is_due = code != SQLITE_OK;
	db->wipe_tried_ns = monotonic_ns();
}

void database_wipe(struct database *db)
{
	wipe(db, true);
	if (db->wipe_is_due)
		db->host->log(db->host, SS_LOG_WARNING,
			"%s: what was deleted is still in its write-ahead log, since others read "
			"it; the log is cut off as soon as nobody does",
			db->path);
}

/* Whoever deletes in many small steps has it cut off now and then. */
static void wipe_if_due(struct database *db)
{
	if (db->wipe_is_due && monotonic_ns() - db->wipe_tried_ns >= try_again_ns)
		wipe(db, false);
}

/* What is written back meanwhile the one who cuts the log off need not wait for. */
void database_wipe_soon(struct database *db)
{
	db->wipe_is_due = true;
	wipe_if_due(db);
	if (db->wipe_is_due)
		(void)checkpoint_ask(&db->checkpoint);
}

int database_begin(struct database *db, enum statement begin, struct ss_error *err)
{
	if (check_place(db, err) < 0)
		return -1;
	database_rollback(db);
	wipe_if_due(db);
	return statement_run(db, begin, err);
}

int database_begin_single(struct database *db, struct ss_error *err)
{
	if (check_place(db, err) < 0)
		return -1;
	database_rollback(db);
	return 0;
}

int database_try(struct database *db, database_attempt *attempt, const void *question, void *answer,
	struct ss_error *err)
{
	/* Whoever has the write lock has nobody in the way. */
	return attempt(db, question, answer, err);
}

void database_defer(struct database *db, bool defers)
{
	/* No statement has a way to go. */
	(void)db;
	(void)defers;
}

bool database_is_again(const struct database *db)
{
	(void)db;
	return false;
}

bool database_met_another(const struct database *db)
{
	(void)db;
	return false;
}

const struct ss_value_functions *database_values(const struct database *db)
{
	return db->values;
}

int64_t database_active_since(const struct database *db)
{
	return database_now_us() - db->active_window_us;
}

/* Opening. */

char *database_absolute_path(const char *given, struct ss_error *err)
{
	const char *slash = strrchr(given, '/');
	const char *parent = slash != NULL ? given : ".";
	int length = slash != NULL ? (int)(slash - given) : 1;
	char *folder = NULL, *real = NULL, *path = NULL;
	/* With the dot at its end only a folder has a real path. */
	if (asprintf(&folder, "%.*s/.", length, parent) < 0) {
		folder = NULL;
		goto no_memory;
	}
	real = realpath(folder, NULL);
	if (real == NULL) {
		(void)ss_fail_as(err, SS_INVALID,
			"%s: cannot use the folder %.*s: %s; create it, or name another path",
			given, length, parent, strerror(errno));
		goto done;
	}
	if (asprintf(&path, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
		    slash != NULL ? slash + 1 : given) >= 0)
		goto done;
	path = NULL;
no_memory:
	(void)ss_fail_as(err, SS_UNAVAILABLE, "%s: there is not enough memory", given);
done:
	free(real);
	free(folder);
	return path;
}

/* Refuses what is no plain file, and creates what is not there for the owner only: it will hold what
 * customers wrote. */
static int check_file(const struct database *db, struct ss_error *err)
{
	struct stat status;
	if (stat(db->path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return ss_fail_as(err, SS_INVALID,
				"%s: is a folder; name a file in it, such as smartsupport.db",
				db->path);
		if (!S_ISREG(status.st_mode))
			return ss_fail_as(err, SS_INVALID,
				"%s: is not a plain file; name another path", db->path);
		return 0;
	}
	/* With O_EXCL nobody else in this process can have it open, so no lock is lost by closing it. */
	int fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return fail_plainly(db, plain_code(SQLITE_CANTOPEN, errno), strerror(errno), err);
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

/* How long the log's file stays, in bytes, when a long reader has let it grow. */
#define LOG_SIZE_SETTING "PRAGMA journal_size_limit = 67108864"

/* Called by SQLite after each commit. */
static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct database *db = context;
	if (checkpoint_notice(&db->checkpoint, pages) < 0)
		(void)sqlite3_wal_checkpoint_v2(
			handle, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return SQLITE_OK;
}

static int set_up(struct database *db, bool synchronous_full, struct ss_error *err)
{
	static const struct {
		int option, value;
	} settings[] = {
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},
	};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		int code =
			sqlite3_db_config(db->handle, settings[i].option, settings[i].value, NULL);
		if (code != SQLITE_OK)
			return database_fail(db, code, err);
	}
	/* What is deleted is overwritten with zeros; only who deletes pays for it. */
	int code = sqlite3_exec(db->handle,
		synchronous_full ? "PRAGMA secure_delete = ON; " LOG_SIZE_SETTING
				   "; PRAGMA synchronous = FULL"
				 : "PRAGMA secure_delete = ON; " LOG_SIZE_SETTING
				   "; PRAGMA synchronous = NORMAL",
		NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

/* Switches the file to its write-ahead log. When several processes do that at once SQLite tells some of
 * them that the file is busy without waiting for it. */
static int enter_wal(struct database *db, struct ss_error *err)
{
	int64_t deadline = monotonic_ns() + db->busy_timeout_ns;
	sqlite3_stmt *statement = NULL;
	int code;
	for (;;) {
		code = sqlite3_prepare_v2(
			db->handle, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
		if (code == SQLITE_OK)
			code = sqlite3_step(statement);
		if (plain_code(code, 0) != SQLITE_BUSY || monotonic_ns() >= deadline)
			break;
		(void)sqlite3_finalize(statement);
		pause_us(1000);
	}
	int result = 0;
	if (code != SQLITE_ROW)
		result = database_fail(db, code, err);
	else if (sqlite3_stricmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0)
		result = ss_fail_as(err, SS_INVALID,
			"%s: its file system does not allow a write-ahead log, which needs memory "
			"that "
			"processes share; name a path on a local disk",
			db->path);
	(void)sqlite3_finalize(statement);
	return result;
}

/* Opens the file of DB without changing anything; one that is not there as an empty one. */
static int look(struct database *db, struct ss_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct stat status;
	bool missing = stat(db->path, &status) < 0 && errno == ENOENT;
	if (!missing && check_file(db, err) < 0)
		return -1;
	int code = sqlite3_open_v2(missing ? ":memory:" : db->path, &db->handle, flags, NULL);
	if (code != SQLITE_OK)
		return database_fail(db, code, err);
	(void)sqlite3_busy_handler(db->handle, on_busy, db);
	return set_up(db, true, err);
}

/* What a statement overwrites, to undo it should it fail, is too little for a file of its own, but in migrations, so they come
 * before. What a transaction changes is not written before it is committed either: when pages that were written twice before
 * are taken back (ROLLBACK TO), SQLite (3.40) goes on from a checksum of theirs, and whoever reads the log after a crash stops
 * there, before all that was committed since. */
static int keep_changes_in_memory(struct database *db, struct ss_error *err)
{
	int code = sqlite3_exec(db->handle, "PRAGMA temp_store = MEMORY; PRAGMA cache_spill = OFF",
		NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

static int connect(
	struct database *db, const struct database_settings *settings, struct ss_error *err)
{
	/* It counts its memory under a lock for functions that nobody calls here. Of the process, so it is refused when
	 * another instance was first, which has said the same. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	if (settings->extent == DATABASE_LOOK)
		return look(db, err);
	if (check_file(db, err) < 0)
		return -1;
	int code = scrub_begin(&db->scrub);
	if (code == SQLITE_OK)
		code = sqlite3_open_v2(db->path, &db->handle, flags, db->scrub.name);
	if (code != SQLITE_OK)
		return database_fail(db, code, err);
	/* A file that it may not write is opened all the same, for reading. */
	if (sqlite3_db_readonly(db->handle, "main") == 1)
		return database_fail(db, SQLITE_READONLY, err);
	(void)sqlite3_busy_handler(db->handle, on_busy, db);
	if (set_up(db, settings->synchronous_full, err) < 0 || enter_wal(db, err) < 0)
		return -1;
	if (settings->extent == DATABASE_BARE)
		return 0;
	if (migrations_apply(db, migrations, migrations_count, err) < 0 ||
		keep_changes_in_memory(db, err) < 0 || statements_prepare(db, err) < 0 ||
		checkpoint_begin(&db->checkpoint, db->host, db->path, db->scrub.name, err) < 0)
		return -1;
	(void)sqlite3_wal_hook(db->handle, on_commit, db);
	/* Whoever had deleted something before may have died before the log was cut off. */
	database_wipe_soon(db);
	db->wipe_tried_ns = 0; /* what is deleted now need not wait for that */
	return 0;
}

struct database *database_open(
	const struct ss_host *host, const struct database_settings *settings, struct ss_error *err)
{
	struct database *db = calloc(1, sizeof *db);
	if (db == NULL) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "%s: there is not enough memory to open it",
			settings->path);
		return NULL;
	}
	db->watching.wake = -1;
	db->host = host;
	db->values = host->values;
	db->busy_timeout_ns = (int64_t)(settings->busy_timeout_s * 1e9);
	db->active_window_us = (int64_t)(settings->active_window_s * 1e6);
	db->path = database_absolute_path(settings->path, err);
	if (db->path != NULL && connect(db, settings, err) == 0 &&
		watching_begin(&db->watching, err) == 0)
		return db;
	database_close(db);
	return NULL;
}

void database_close(struct database *db)
{
	if (db == NULL)
		return;
	checkpoint_end(&db->checkpoint);
	statements_finalize(db);
	(void)sqlite3_close(db->handle);
	scrub_end(&db->scrub);
	watching_end(&db->watching);
	free(db->path);
	free(db);
}
