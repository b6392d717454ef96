/*
 * Where an OpenAI-compatible API is and how it is asked: from the options of a plugin, the presets of the
 * providers that are known, and the environment. Used in create(), on the loop thread.
 */
#ifndef COMMON_OPENAI_ENDPOINT_H
#define COMMON_OPENAI_ENDPOINT_H

#include "common/secret.h"

#include <smartsupport/plugin.h>

/* The choices of an option `provider`. */
#define OPENAI_PROVIDERS "auto groq openai ollama vllm llamacpp custom"

/* What a provider is known for. */
struct openai_provider {
	const char *name;
	const char *base_url;   /* NULL: it must be given */
	const char *model;      /* its default; NULL: it must be given */
	const char *key;        /* the variable with its key; NULL: it needs none */
	const char *max_tokens; /* what it calls the limit of an answer */
	bool schemas;           /* answers are made to follow a JSON Schema; else to be an object */
};

/* What is asked for. Texts are borrowed; "" where nothing is given. */
struct openai_wish {
	const char *provider, *base_url, *model, *api_key;
	const struct ss_value *headers; /* map from name to value */
	const char *path;               /* below the base, as in "chat/completions" */
	const char *fallback_model; /* in place of the provider's, which is one for chats; NULL */
};

struct openai_endpoint {
	const struct openai_provider *provider;
	char *url, *model;
	char *name;           /* provider/model */
	struct secret key;    /* the header with it */
	const char **headers; /* all of a request, ends with NULL */
	size_t header_count;
};

/* Finds the endpoint. Succeeds with *FOUND false when WISH leaves it to the environment and there is nothing. */
int openai_endpoint_find(struct openai_endpoint *endpoint, const struct ss_host *host,
	const struct openai_wish *wish, bool *found, struct ss_error *err);

void openai_endpoint_end(struct openai_endpoint *endpoint);

#endif
