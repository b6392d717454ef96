#include "lib/nginx.h"

#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_LIMIT_NS ((int64_t)10 * 1000000000)

static const char template[] =
	"%sworker_processes %d;\n"
	"daemon off;\n"
	"pid nginx.pid;\n"
	"error_log error.log;\n"
	"events { worker_connections 10240; }\n"
	"http {\n"
	"	access_log access.log;\n"
	"	client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .;\n"
	"	uwsgi_temp_path .; scgi_temp_path .;\n"
	"	default_type application/json;\n"
	"	sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n"
	"	server { listen 127.0.0.1:%d; root .; }\n"
	"}\n";

/* A port that is free now. */
static int free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int port = -1;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 &&
		getsockname(fd, (struct sockaddr *)&address, &size) == 0)
		port = ntohs(address.sin_port);
	if (fd >= 0)
		(void)close(fd);
	return port;
}

int nginx_put(
	const struct nginx *nginx, const char *name, struct ss_text content, struct ss_error *err)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", nginx->folder, name);
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return ss_fail(err, "%s: %s", path, strerror(errno));
	size_t written = fwrite(content.data, 1, content.length, file);
	if (fclose(file) != 0 || written != content.length)
		return ss_fail(err, "%s: %s", path, strerror(errno));
	return 0;
}

static bool listens(const struct nginx *nginx)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected = fd >= 0 && connect(fd, (const struct sockaddr *)&nginx->address,
					    sizeof nginx->address) == 0;
	if (fd >= 0)
		(void)close(fd);
	return connected;
}

static int wait_until_it_listens(struct nginx *nginx, const char *program, struct ss_error *err)
{
	int64_t end_ns = clock_monotonic_ns() + START_LIMIT_NS;
	while (!listens(nginx)) {
		const struct timespec pause = {.tv_nsec = 10000000};
		if (waitpid(nginx->pid, NULL, WNOHANG) != 0 || clock_monotonic_ns() > end_ns) {
			nginx_stop(nginx);
			return ss_fail(err,
				"%s does not start; it is in Debian's package nginx-light",
				program);
		}
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int nginx_start(struct nginx *nginx, const char *program, int workers, struct ss_error *err)
{
	char text[sizeof template + 64];
	char file[sizeof nginx->folder + 16];
	int port = free_port();
	*nginx = (struct nginx){.address = {.sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					.sin_port = htons((uint16_t)port)}};
	(void)snprintf(nginx->folder, sizeof nginx->folder, "/tmp/smartsupport-nginx-XXXXXX");
	if (port < 0 || mkdtemp(nginx->folder) == NULL)
		return ss_fail(err, "a port and a folder for nginx: %s", strerror(errno));
	/* Its workers cannot read the folder as anybody else. */
	int length = snprintf(
		text, sizeof text, template, geteuid() == 0 ? "user root;\n" : "", workers, port);
	if (nginx_put(nginx, "nginx.conf", (struct ss_text){text, (size_t)length}, err) < 0)
		return -1;
	(void)snprintf(file, sizeof file, "%s/nginx.conf", nginx->folder);
	nginx->pid = fork();
	if (nginx->pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execlp(program, program, "-p", nginx->folder, "-c", file, (char *)NULL);
		_exit(127);
	}
	if (nginx->pid < 0)
		return ss_fail(err, "fork: %s", strerror(errno));
	return wait_until_it_listens(nginx, program, err);
}

static void remove_folder(const char *folder)
{
	DIR *files = opendir(folder);
	char path[512];
	if (files == NULL)
		return;
	for (const struct dirent *entry; (entry = readdir(files)) != NULL;) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	(void)closedir(files);
	(void)rmdir(folder);
}

void nginx_stop(struct nginx *nginx)
{
	if (nginx->pid > 0) {
		(void)kill(nginx->pid, SIGTERM);
		(void)waitpid(nginx->pid, NULL, 0);
	}
	remove_folder(nginx->folder);
}
