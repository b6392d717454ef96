/*
 * Where an OpenAI-compatible API is and how it is asked: from the options of a plugin, the presets of the
 * providers that are known, and the environment. Used in create(), on the loop thread.
 */
#ifndef COMMON_OPENAI_ENDPOINT_H
#define COMMON_OPENAI_ENDPOINT_H

#include "common/secret.h"

#include <smartsupport/plugin.h>

/* The rows of the options that such a plugin declares, in this order. */
enum {
	OPENAI_PROVIDER, /* SS_OPTION_CHOICE: auto and names of providers */
	OPENAI_BASE_URL, /* OPENAI_BASE_URL_ROW */
	OPENAI_MODEL,    /* OPENAI_MODEL_ROW */
	OPENAI_API_KEY,  /* OPENAI_API_KEY_ROW */
	OPENAI_HEADERS,  /* OPENAI_HEADERS_ROW */
	OPENAI_OPTIONS,
};

/* The rows that are the same for all of them. */
#define OPENAI_BASE_URL_ROW                                                                        \
	{                                                                                          \
		.name = "base_url", .type = SS_OPTION_STRING, .fallback = "",                      \
		.help = "Where the API is, as in http://127.0.0.1:11434/v1; without a path, /v1 "  \
			"is added.",                                                               \
	}
#define OPENAI_MODEL_ROW                                                                           \
	{                                                                                          \
		.name = "model", .type = SS_OPTION_STRING, .fallback = "",                         \
		.help = "The model's name; by default the provider's usual one.",                  \
	}
#define OPENAI_API_KEY_ROW                                                                         \
	{                                                                                          \
		.name = "api_key", .type = SS_OPTION_SECRET, .fallback = "",                       \
		.help = "The key, as in ${MY_API_KEY}; by default that of the provider's "         \
			"variable.",                                                               \
	}
#define OPENAI_HEADERS_ROW                                                                         \
	{                                                                                          \
		.name = "headers", .type = SS_OPTION_SECRETS, .fallback = "{}",                    \
		.help = "More headers of each request; their values are kept as the key is.",      \
	}

/* What a provider is known for. */
struct openai_provider {
	const char *name;
	const char *base_url;   /* NULL: it must be given */
	const char *model;      /* its default for chats; NULL: it must be given */
	const char *embedder;   /* and for embeddings */
	const char *key;        /* the variable with its key; NULL: it needs none */
	const char *max_tokens; /* what it calls the limit of an answer */
	bool schemas;           /* answers are made to follow a JSON Schema; else to be an object */
};

struct openai_endpoint {
	const struct openai_provider *provider;
	char *url, *model;
	char *name;             /* provider/model */
	struct secret *secrets; /* the headers with the key and of the options, longest first */
	size_t secret_count;
	const char **headers; /* all of a request, ends with NULL */
};

/* Finds the endpoint for chats, or with EMBEDS for embeddings, by the options in SETUP. Succeeds with *FOUND false when
 * they leave it to the environment and there is nothing. */
int openai_endpoint_find(struct openai_endpoint *endpoint, const struct ss_setup *setup,
	bool embeds, bool *found, struct ss_error *err);

void openai_endpoint_end(struct openai_endpoint *endpoint);

#endif
