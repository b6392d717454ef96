/* Taking over a changed configuration: the next generation of workers starts beside the one that serves. */
#include "app/certificate.h"
#include "app/master_parts.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/generations.h"
#include "service/metrics.h"

#include <stdlib.h>
#include <string.h>

static void note_take_over(struct master *master)
{
	struct generation_state state;
	generations_take_over(master->generations);
	generations_read(master->generations, &state);
	metrics_set(master->deaths.part, METRIC_GENERATION, (uint64_t)state.number);
	metrics_add(master->deaths.part, METRIC_RELOADS_TAKEN_OVER, 1);
}

void master_take_over(struct master *master)
{
	for (size_t i = 0; i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		bool is_new = worker->replaces;
		if (is_new)
			master_begin(master, worker);
		else if (worker->state != WORKER_LEAVING)
			master_leave(master, worker);
	}
	deaths_lift(&master->deaths);
	config_free(master->own_config);
	master->config = master->own_config = master->next_config;
	master->next_config = NULL;
	master->log = log_new(master->log.fd, master->config->log_level, master->config->log_json);
	int64_t limit = master->config->hang_timeout_ns;
	master->hand_over_by_ns = limit > 0 ? clock_monotonic_ns() + limit : INT64_MAX;
}

static bool takes_connections(const struct worker *worker)
{
	return worker->state == WORKER_LEAVING && worker->pid > 0 && !worker->deaf;
}

int64_t master_hand_over(struct master *master, int64_t now)
{
	if (master->hand_over_by_ns == 0)
		return INT64_MAX;
	for (size_t i = 0; i < master->count; i++) {
		if (takes_connections(&master->workers[i]) && now < master->hand_over_by_ns)
			return master->hand_over_by_ns;
	}
	master->hand_over_by_ns = 0;
	master->reloading = false;
	note_take_over(master);
	log_info(&master->log, "the new configuration has taken over");
	certificate_warn(master->config, &master->log);
	return INT64_MAX;
}

char *master_one_line(const char *lines)
{
	struct buffer line = {0};
	for (const char *at = lines; *at != '\0'; at++) {
		if (*at != '\n')
			buffer_add_char(&line, *at);
		else if (at[1] != '\0')
			buffer_add_string(&line, "; ");
	}
	return buffer_take(&line);
}

/* Says that nothing changes. WHY may have several lines. */
static void refuse_reload(struct master *master, const char *why)
{
	char *line = master_one_line(why);
	generations_refuse(master->generations, why);
	metrics_add(master->deaths.part, METRIC_RELOADS_REFUSED, 1);
	log_error(&master->log,
		"the configuration was not taken over, the old one still serves: %s", line);
	free(line);
}

void master_drop_reload(struct master *master, const char *why)
{
	master->reloading = false;
	config_free(master->next_config);
	master->next_config = NULL;
	refuse_reload(master, why);
	for (size_t i = 0; i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		if (!worker->replaces || worker->state == WORKER_LEAVING)
			continue;
		master_leave(master, worker);
		if (worker->pid > 0)
			(void)kill(worker->pid, SIGKILL);
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether NEXT can take over from the configuration in use; what cannot change is told to STREAM. */
static bool may_follow(const struct master *master, const struct config *next, FILE *stream)
{
	const struct config *now = master->config;
	bool same_address = strcmp(next->host, now->host) == 0 && next->port == now->port;
	bool same_store = strcmp(next->storage.name, now->storage.name) == 0 &&
			  same_text(next->storage_value, now->storage_value);
	if (!same_address)
		(void)fprintf(stream,
			"%s: a reload cannot change the address from %s:%lld to %s:%lld; restart "
			"the server for it\n",
			master->config_file, now->host, (long long)now->port, next->host,
			(long long)next->port);
	/* What is under way is kept in the old one, and its url may have a password in it. */
	if (!same_store)
		(void)fprintf(stream,
			"%s: a reload cannot change the storage, its plugin or its url; restart "
			"the server for it\n",
			master->config_file);
	return same_address && same_store;
}

/* The configuration as it is now; NULL, with the reason logged, when it cannot take over. */
static struct config *read_config(struct master *master)
{
	char *text = NULL;
	size_t length = 0;
	struct diagnostics diagnostics = {0};
	struct config *next = config_load(master->config_file, &diagnostics);
	if (next != NULL)
		yaml_wipe_keys(next->document);
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		abort(); /* only for want of memory */
	diagnostics_print(&diagnostics, stream);
	if (next != NULL && !may_follow(master, next, stream)) {
		config_free(next);
		next = NULL;
	}
	(void)fclose(stream);
	if (next == NULL)
		refuse_reload(master, text);
	diagnostics_free(&diagnostics);
	free(text);
	return next;
}

/* Starts a worker for each that the next configuration has. */
static void start_generation(struct master *master)
{
	struct ss_error err = {0};
	master->reloading = true;
	for (int64_t i = 0; i < master->next_config->workers; i++) {
		struct worker *worker = master_add_worker(master);
		worker->replaces = true;
		if (master_start_worker(master, worker, &err) < 0) {
			master_drop_reload(master, err.text);
			return;
		}
	}
}

void master_reload(struct master *master)
{
	if (master->reloading || !master->listening) {
		master->reload_again = true;
		return;
	}
	master->reload_again = false;
	generations_begin_reload(master->generations);
	log_info(&master->log, "reloading %s", master->config_file);
	master->next_config = read_config(master);
	if (master->next_config == NULL)
		return;
	start_generation(master);
}
