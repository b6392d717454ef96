#include "storage/sqlite/checkpoint.h"

#include <signal.h>
#include <time.h>

enum {
	/* After how many pages the log is written back. Each time waits for the disk, and a page that was written often since
	 * the last time is written back once, so not as often as SQLite does by default. Up to 12254 pages the log's index is
	 * three tables, in each of which a page is looked for. */
	LOG_PAGES = 12000,
	/* What is left for the time in which writers wait: it is on the disk sooner than a commit is, nearly. A commit of
	 * many turns has more than a hundred pages, so with less there would be rounds for nothing, each of which lets
	 * commits wait for the disk. */
	REST_PAGES = 400,
	ROUNDS = 8,
	/* What cannot be written back since somebody reads; more only when the log has grown to the most. */
	READ_PAGES = LOG_PAGES / 4,
	LOG_PAGES_MOST = LOG_PAGES * 5,
	/* How often, and after what time, the thread looks whether nobody writes, and then whether nobody reads what is
	 * older. While it looks for the latter nobody can write. */
	TRIES = 100,
	PAUSE_NS = 100000,
};

static int on_busy(void *context, int tries)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	(void)context;
	if (tries >= TRIES)
		return 0;
	(void)nanosleep(&pause, NULL);
	return 1;
}

/* The connection knows that there is a log when it has read something. */
static int open_file(struct checkpoint *checkpoint)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		    SQLITE_OPEN_EXRESCODE;
	if (checkpoint->handle != NULL)
		return SQLITE_OK;
	int code = sqlite3_open_v2(checkpoint->path, &checkpoint->handle, flags, checkpoint->vfs);
	if (code == SQLITE_OK)
		code = sqlite3_busy_handler(checkpoint->handle, on_busy, checkpoint);
	if (code == SQLITE_OK)
		code = sqlite3_exec(checkpoint->handle, "PRAGMA schema_version", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return code;
	(void)sqlite3_close(checkpoint->handle);
	checkpoint->handle = NULL;
	return code;
}

/* SQLite itself waits for the disk only when nothing is left of the log, and that is while writers wait for all that was
 * written back. */
static int wait_for_disk(struct checkpoint *checkpoint)
{
	sqlite3_file *file = NULL;
	int code = sqlite3_file_control(
		checkpoint->handle, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file);
	return code == SQLITE_OK ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : code;
}

/* Each round leaves what was written during it, which becomes less and less. Somebody else who writes back does what is to
 * be done. */
static int write_back(struct checkpoint *checkpoint)
{
	int pages = 0, written = 0, before = 0;
	int code = open_file(checkpoint);
	for (int i = 0; code == SQLITE_OK && i < ROUNDS; i++) {
		code = sqlite3_wal_checkpoint_v2(
			checkpoint->handle, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &written);
		if (code == SQLITE_OK)
			code = wait_for_disk(checkpoint);
		if (pages - before <= REST_PAGES || pages - written > READ_PAGES)
			break;
		before = pages;
	}
	if (code == SQLITE_OK && pages >= LOG_PAGES &&
		(pages - written <= READ_PAGES || pages >= LOG_PAGES_MOST))
		code = sqlite3_wal_checkpoint_v2(
			checkpoint->handle, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	return (code & 0xff) == SQLITE_BUSY ? SQLITE_OK : code;
}

static void write_back_alone(struct checkpoint *checkpoint)
{
	(void)pthread_mutex_lock(&checkpoint->work);
	int code = write_back(checkpoint);
	(void)pthread_mutex_unlock(&checkpoint->work);
	if (code != SQLITE_OK)
		checkpoint->host->log(checkpoint->host, SS_LOG_WARNING,
			"%s: its write-ahead log cannot be written back and grows: %s",
			checkpoint->path, sqlite3_errstr(code));
}

static void *run(void *context)
{
	struct checkpoint *checkpoint = context;
	(void)pthread_mutex_lock(&checkpoint->lock);
	while (!checkpoint->stops) {
		if (!checkpoint->due) {
			(void)pthread_cond_wait(&checkpoint->changed, &checkpoint->lock);
			continue;
		}
		checkpoint->due = false;
		(void)pthread_mutex_unlock(&checkpoint->lock);
		write_back_alone(checkpoint);
		(void)pthread_mutex_lock(&checkpoint->lock);
	}
	(void)pthread_mutex_unlock(&checkpoint->lock);
	return NULL;
}

/* Signals are for other threads. */
static int start(struct checkpoint *checkpoint)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&checkpoint->thread, NULL, run, checkpoint);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	checkpoint->begun = code == 0;
	return code == 0 ? 0 : -1;
}

int checkpoint_begin(struct checkpoint *checkpoint, const struct ss_host *host, const char *path,
	const char *vfs, struct ss_error *err)
{
	*checkpoint = (struct checkpoint){.host = host, .path = path, .vfs = vfs};
	if (pthread_mutex_init(&checkpoint->lock, NULL) == 0 &&
		pthread_mutex_init(&checkpoint->work, NULL) == 0 &&
		pthread_cond_init(&checkpoint->changed, NULL) == 0)
		return 0;
	checkpoint->path = NULL;
	return ss_fail_as(err, SS_UNAVAILABLE, "%s: the system has no lock left for it", path);
}

void checkpoint_end(struct checkpoint *checkpoint)
{
	if (checkpoint->path == NULL)
		return;
	(void)pthread_mutex_lock(&checkpoint->lock);
	checkpoint->stops = true;
	(void)pthread_cond_signal(&checkpoint->changed);
	(void)pthread_mutex_unlock(&checkpoint->lock);
	if (checkpoint->begun)
		(void)pthread_join(checkpoint->thread, NULL);
	(void)sqlite3_close(checkpoint->handle);
	(void)pthread_cond_destroy(&checkpoint->changed);
	(void)pthread_mutex_destroy(&checkpoint->work);
	(void)pthread_mutex_destroy(&checkpoint->lock);
	*checkpoint = (struct checkpoint){.path = NULL};
}

int checkpoint_ask(struct checkpoint *checkpoint)
{
	if (!checkpoint->begun && start(checkpoint) < 0)
		return -1;
	(void)pthread_mutex_lock(&checkpoint->lock);
	checkpoint->due = true;
	(void)pthread_cond_signal(&checkpoint->changed);
	(void)pthread_mutex_unlock(&checkpoint->lock);
	return 0;
}

int checkpoint_notice(struct checkpoint *checkpoint, int pages)
{
	if (pages < checkpoint->tried_pages)
		checkpoint->tried_pages = 0; /* the log has begun anew */
	/* What could not be written back, since somebody reads, is tried again when as much has been added. */
	if (pages < checkpoint->tried_pages + LOG_PAGES)
		return 0;
	checkpoint->tried_pages = pages;
	return checkpoint_ask(checkpoint);
}

bool checkpoint_hold(struct checkpoint *checkpoint, bool waits)
{
	return (waits ? pthread_mutex_lock(&checkpoint->work)
		      : pthread_mutex_trylock(&checkpoint->work)) == 0;
}

void checkpoint_release(struct checkpoint *checkpoint)
{
	(void)pthread_mutex_unlock(&checkpoint->work);
}
