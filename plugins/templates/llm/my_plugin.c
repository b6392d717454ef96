/* The model my_plugin: answers with the beginning of the best article. Read it from the bottom. */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>

/* The rows of the table below. */
enum { OPTION_MAX_BYTES };

struct my_plugin {
	const struct ss_host *host;
	size_t max_bytes;
};

static void destroy(void *instance)
{
	free(instance);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	my_plugin->host = setup->host;
	my_plugin->max_bytes = (size_t)values->as_int(setup->options[OPTION_MAX_BYTES]);
	*instance = my_plugin;
	return 0;
}

/* TEXT without what is behind its first LIMIT bytes; no character is cut in two. */
static struct ss_text cut(struct ss_text text, size_t limit)
{
	if (text.length <= limit)
		return text;
	text.length = limit;
	while (text.length > 0 && ((unsigned char)text.data[text.length] & 0xc0) == 0x80)
		text.length--;
	return text;
}

/* On the server's loop: it must not block. A model that asks another server begins with host->http_start(), returns, and
 * concludes when the reply is there. */
static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	const struct ss_host *host = my_plugin->host;
	const struct ss_value_functions *values = host->values;
	const struct ss_value *article = values->at(prompt->articles, 0);
	struct ss_text text = {0};
	text.data = values->as_string(values->get(article, "content"), &text.length);
	if (text.length == 0)
		return ss_fail_as(err, SS_NOT_FOUND, "there is no article to answer from");
	text = cut(text, my_plugin->max_bytes);
	struct ss_value *id = values->ref(values->get(article, "id"));
	struct ss_value *sources = values->list(&id, 1);
	const struct ss_conclusion conclusion = {
		.struct_size = sizeof conclusion,
		.answer = text,
		.sources = sources,
		.input_tokens = -1,
		.output_tokens = -1,
	};
	host->piece(generation, text);
	host->conclude(generation, &conclusion);
	values->unref(sources);
	return 0;
}

/* What the configuration may have in this model's `options`. */
static const struct ss_option options[] = {
	[OPTION_MAX_BYTES] = {.name = "max_bytes",
		.type = SS_OPTION_INT,
		.fallback = "1000",
		.min = 4,
		.max = 100000,
		.help = "How long an answer may be."},
	{.name = NULL},
};

static const struct ss_llm_operations operations = {
	.create = create,
	.destroy = destroy,
	.generate = generate,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_LLM,
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Answers with the beginning of the best article.",
	.options = options,
	.llm = &operations,
};
