#include "app/pulse.h"

#include "base/calls.h"
#include "base/memory.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A descriptor, and what it was. */
struct kept {
	const char *name;
	int fd;
	struct stat status;
};

enum { LISTENER, CONTROL, KEPT };

struct pulse {
	struct event *timer;
	struct kept kept[KEPT];
	struct rlimit files;
	void (*broken)(void *context, const char *why);
	void *context;
	bool told;
};

static bool is_kept(const struct kept *kept)
{
	struct stat now;
	return fstat(kept->fd, &now) == 0 && now.st_dev == kept->status.st_dev &&
	       now.st_ino == kept->status.st_ino;
}

/* What is wrong, new; NULL: nothing. */
static char *look(const struct pulse *pulse)
{
	struct rlimit files;
	for (size_t i = 0; i < KEPT; i++) {
		if (!is_kept(&pulse->kept[i]))
			return memory_format(
				"something in this process has closed %s", pulse->kept[i].name);
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < pulse->files.rlim_cur)
		return memory_format("something in this process has lowered its limit of open "
				     "files from %llu to %llu",
			(unsigned long long)pulse->files.rlim_cur,
			(unsigned long long)files.rlim_cur);
	return NULL;
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
	struct pulse *pulse = context;
	(void)fd;
	(void)what;
	char *why = pulse->told ? NULL : look(pulse);
	if (why != NULL) {
		pulse->told = true;
		pulse->broken(pulse->context, why);
	}
	free(why);
	calls_beat();
}

struct pulse *pulse_new(struct event_base *base, int listener, int control,
	void (*broken)(void *context, const char *why), void *context)
{
	static const struct timeval second = {.tv_sec = 1};
	struct pulse *pulse = memory_make(struct pulse);
	pulse->broken = broken;
	pulse->context = context;
	pulse->kept[LISTENER] =
		(struct kept){.name = "the socket that it listens on", .fd = listener};
	pulse->kept[CONTROL] =
		(struct kept){.name = "the socket by which it hears of the master", .fd = control};
	for (size_t i = 0; i < KEPT; i++)
		(void)fstat(pulse->kept[i].fd, &pulse->kept[i].status);
	(void)getrlimit(RLIMIT_NOFILE, &pulse->files);
	pulse->timer = event_new(base, -1, EV_PERSIST, on_time, pulse);
	if (pulse->timer == NULL || event_add(pulse->timer, &second) < 0)
		abort(); /* only for want of memory */
	return pulse;
}

void pulse_weaken(struct pulse *pulse)
{
	pulse->told = true;
}

void pulse_free(struct pulse *pulse)
{
	if (pulse == NULL)
		return;
	event_free(pulse->timer);
	free(pulse);
}
