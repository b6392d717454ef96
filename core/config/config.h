/*
 * The server's configuration, config/smartsupport.yaml. Read by the master (for the listening address
 * and the number of workers) and by every worker and command, before anything else is made.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/access.h"
#include "config/models.h"
#include "config/retention.h"

#include <smartsupport/host.h>

/* Connections to the database that a worker has at most. */
enum { CONFIG_CONNECTIONS = 32 };

struct config {
	struct yaml_document *document;
	char *host;
	int64_t port;
	/* Of TLS: files with the certificate and its key. Both NULL: the server speaks plain HTTP. */
	char *tls_certificate, *tls_key;
	int64_t workers;
	int64_t drain_timeout_ns;
	int64_t hang_timeout_ns;  /* 0: never */
	int64_t start_timeout_ns; /* 0: never */
	int64_t memory_growth;    /* bytes; 0: any */
	int64_t heartbeat_ns;
	char *docs; /* the folder with what the pages about the API are made of; "": there is none */
	struct config_access access;
	enum ss_log_level log_level;
	bool log_json;
	double log_access;     /* the share of requests that went well which are logged */
	char **plugin_folders; /* absolute */
	size_t plugin_folder_count;
	char *workflow;
	int64_t history_limit; /* messages of the conversation that a turn sees */
	int64_t queue_limit;   /* requests that may wait for a service */
	int64_t vector_cache;  /* vectors of recent texts that are kept */
	char *articles;        /* a folder or a JSON file */
	double question_weight, answer_weight,
		lexical_weight; /* of an article's score; together 1 */
	char *cache; /* the folder where vectors and plugins' copies are kept; NULL: nowhere */
	/* The option of the storage's plugin that a url stands for; both NULL when there is none. The value may hold a
	 * password. */
	const char *storage_option;
	char *storage_value;
	int64_t storage_connections; /* of each worker */
	struct config_plugin storage, embedder, index;
	struct config_models llm;
	struct config_retention retention;
};

/* Reads FILE. NULL when there is any mistake; all of them are in DIAGNOSTICS. */
struct config *config_load(const char *file, struct diagnostics *diagnostics);

/* The same as far as it goes, to look for more mistakes: names and paths that are wrong are "", numbers are
 * 0, and there is no plugin folder when `plugins` is wrong. NULL when FILE has no mapping to begin with. */
struct config *config_read(const char *file, struct diagnostics *diagnostics);

/* Looks for plugins in FOLDER, seen from the working folder, before any other. */
void config_prefer_plugins(struct config *config, const char *folder);

void config_free(struct config *config);

#endif
