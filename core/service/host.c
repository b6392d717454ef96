#include "service/host.h"

#include "service/llm.h"
#include "value/value.h"

#include <stdarg.h>

__attribute__((format(printf, 3, 4))) static void log_line(
	const struct ss_host *table, enum ss_log_level level, const char *format, ...)
{
	/* The table is the host's first member. */
	const struct host *host = (const struct host *)(const void *)table;
	struct log log = log_with(host->log, "plugin", host->name);
	va_list arguments;
	va_start(arguments, format);
	log_write_arguments(&log, level, format, arguments);
	va_end(arguments);
}

void host_init(struct host *host, const char *name, const struct log *log)
{
	*host = (struct host){
		.table = {.struct_size = sizeof host->table,
			.values = &value_functions,
			.log = log_line,
			.answer = llm_answer,
			.piece = llm_hand_on,
			.conclude = llm_conclude},
		.name = name,
		.log = log,
	};
}
