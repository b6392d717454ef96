#include "app/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 30, PAUSE_NS = 50 * 1000 * 1000 };

struct progress progress_begin(const char *what)
{
	const char *terminal = getenv("TERM");
	bool plain = terminal == NULL || strcmp(terminal, "dumb") == 0;
	return (struct progress){.what = what, .shown = !plain && isatty(STDERR_FILENO) == 1};
}

void progress_show(struct progress *progress, size_t done, size_t total)
{
	char bar[WIDTH + 1];
	int64_t now_ns = clock_monotonic_ns();
	if (!progress->shown || total == 0 ||
		(done < total && now_ns - progress->drawn_ns < PAUSE_NS))
		return;
	progress->drawn_ns = now_ns;
	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < done * WIDTH / total ? '#' : '.';
	bar[WIDTH] = '\0';
	(void)fprintf(stderr, "\r%-10s [%s] %3zu %%  %zu of %zu\033[K", progress->what, bar,
		done * 100 / total, done, total);
	(void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->shown && progress->drawn_ns != 0)
		(void)fputs("\r\033[K", stderr);
	progress->shown = false;
}
