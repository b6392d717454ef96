#include "conformance/process.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS ((int64_t)1000000000)

enum { LOOK_NS = 1000000, LEAVE_MS = 500 /* for what is just ending */ };

void process_lead(void)
{
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void pause_briefly(void)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	(void)nanosleep(&pause, NULL);
}

/* Whether there is still a process in the group that CHILD has led. */
static bool goes_on(pid_t child)
{
	for (int waited = 0; waited < LEAVE_MS; waited++) {
		if (kill(-child, 0) < 0 && errno == ESRCH)
			return false;
		pause_briefly();
	}
	return true;
}

void process_wait(pid_t child, unsigned timeout_s, struct process_end *end)
{
	struct rusage used = {0};
	int64_t until = clock_monotonic_ns() + (int64_t)timeout_s * SECOND_NS;
	pid_t ended = 0;
	*end = (struct process_end){0};
	(void)setpgid(child, child); /* whoever comes first */
	while ((ended = wait4(child, &end->status, WNOHANG, &used)) == 0 ||
		(ended < 0 && errno == EINTR)) {
		if (!end->late && clock_monotonic_ns() >= until) {
			end->late = true;
			(void)kill(child, SIGKILL);
		}
		pause_briefly();
	}
	end->memory_mib = (size_t)used.ru_maxrss / 1024;
	end->left = goes_on(child);
	(void)kill(-child, SIGKILL);
}
