#include "lib/postgres.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_SIZE = 200 };

static void run_script(int input, int output)
{
	(void)dup2(input, STDIN_FILENO);
	(void)dup2(output, STDOUT_FILENO);
	(void)execl(SS_SOURCE_DIR "/tests/support/postgres", "postgres", (char *)NULL);
	_exit(127);
}

/* Reads "ready FOLDER PORT". */
static int read_place(struct bench_postgres *postgres, int output, struct ss_error *err)
{
	char line[LINE_SIZE] = "", *rest = NULL;
	FILE *lines = fdopen(output, "r");
	if (lines == NULL || fgets(line, sizeof line, lines) == NULL)
		line[0] = '\0';
	if (lines != NULL)
		(void)fclose(lines);
	(void)strtok_r(line, " \n", &rest);
	const char *folder = strtok_r(NULL, " \n", &rest);
	const char *port = strtok_r(NULL, " \n", &rest);
	if (folder == NULL || port == NULL)
		return ss_fail(err, "PostgreSQL does not start");
	(void)snprintf(postgres->url, sizeof postgres->url,
		"postgresql://support@/postgres?host=%s&port=%s", folder, port);
	return 0;
}

int bench_postgres_start(struct bench_postgres *postgres, struct ss_error *err)
{
	int input[2], output[2];
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return ss_fail(err, "no pipe to PostgreSQL can be made");
	postgres->pid = fork();
	if (postgres->pid == 0)
		run_script(input[0], output[1]);
	(void)close(input[0]);
	(void)close(output[1]);
	postgres->input = input[1];
	if (postgres->pid > 0 && read_place(postgres, output[0], err) == 0)
		return 0;
	bench_postgres_stop(postgres);
	return ss_fail(err, "PostgreSQL does not start");
}

void bench_postgres_stop(struct bench_postgres *postgres)
{
	(void)close(postgres->input);
	if (postgres->pid > 0)
		(void)waitpid(postgres->pid, NULL, 0);
}
