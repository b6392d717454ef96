#include "service/host.h"

#include "base/log_scope.h"
#include "base/memory.h"
#include "service/http_client.h"
#include "service/llm.h"
#include "value/value.h"

#include <stdarg.h>
#include <string.h>

/* The table is the host's first member. */
static const struct host *host_of(const struct ss_host *table)
{
	return (const struct host *)(const void *)table;
}

__attribute__((format(printf, 3, 4))) static void log_line(
	const struct ss_host *table, enum ss_log_level level, const char *format, ...)
{
	const struct host *host = host_of(table);
	const struct log *entered = log_entered(host->log);
	struct log log = log_with(entered != NULL ? entered : host->log, "plugin", host->name);
	va_list arguments;
	va_start(arguments, format);
	log_write_arguments(&log, level, format, arguments);
	va_end(arguments);
}

static struct ss_http_call *http_start(
	const struct ss_host *table, const struct ss_http_request *request, struct ss_error *err)
{
	const struct host *host = host_of(table);
	struct ss_http_request known;
	if (host->http == NULL) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "no requests to other servers are made here");
		return NULL;
	}
	/* As much as the plugin knows of, and this host. */
	memory_copy_known(&known, sizeof known, request, request->struct_size);
	return http_client_start(host->http, &known, log_entered(host->log), err);
}

void host_init(struct host *host, const char *name, const struct log *log, struct http_client *http)
{
	*host = (struct host){
		.table = {.struct_size = sizeof host->table,
			.values = &value_functions,
			.log = log_line,
			.answer = llm_answer,
			.piece = llm_hand_on,
			.conclude = llm_conclude,
			.http_start = http_start,
			.http_cancel = http_client_cancel,
			.http_header = http_client_header},
		.name = name,
		.log = log,
		.http = http,
	};
}
