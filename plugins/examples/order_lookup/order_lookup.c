/* The agent order_lookup: asks a shop over HTTP for the order that a message names, and adds it to the state. */
#include <smartsupport/smartsupport.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_URL, OPTION_TIMEOUT };
enum { FIELD_MESSAGE, FIELD_ORDER };
enum { BODY_LIMIT = 64 * 1024, DIGITS_LIMIT = 20 };

/* One node of a workflow. */
struct order_lookup {
	const struct ss_host *host;
	char *url; /* the order's number follows */
	double timeout;
};

/* One request; it lives as long as its run. */
struct lookup {
	const struct order_lookup *agent;
	struct ss_run *run;
	size_t length;
	char body[BODY_LIMIT];
};

static void destroy(void *instance)
{
	struct order_lookup *agent = instance;
	free(agent->url);
	free(agent);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct order_lookup *agent = calloc(1, sizeof *agent);
	if (agent == NULL)
		return ss_fail(err, "out of memory");
	agent->host = setup->host;
	agent->url = strdup(values->as_string(setup->options[OPTION_URL], NULL));
	agent->timeout = values->as_number(setup->options[OPTION_TIMEOUT]);
	if (agent->url == NULL) {
		destroy(agent);
		return ss_fail(err, "out of memory");
	}
	*instance = agent;
	return 0;
}

/* The number behind the first # of MESSAGE that has one; its length is 0 where there is none. */
static struct ss_text order_number(const char *message)
{
	const char *at = message;
	while ((at = strchr(at, '#')) != NULL) {
		size_t length = strspn(++at, "0123456789");
		if (length > 0 && length <= DIGITS_LIMIT)
			return (struct ss_text){at, length};
	}
	return (struct ss_text){"", 0};
}

/* A part of the shop's reply; body_limit sees to it that there is room. */
static void received(void *context, struct ss_http_call *call, int status, struct ss_text part)
{
	struct lookup *lookup = context;
	(void)call;
	(void)status;
	memcpy(lookup->body + lookup->length, part.data, part.length);
	lookup->length += part.length;
}

/* Writes the order that the shop has told; -1 when what it told is no order. */
static int write_order(const struct lookup *lookup, struct ss_error *err)
{
	const struct ss_host *host = lookup->agent->host;
	const struct ss_value_functions *values = host->values;
	struct ss_value *order = values->from_json(lookup->body, lookup->length, err);
	if (order == NULL)
		return -1;
	if (values->type(order) != SS_MAP) {
		values->unref(order);
		return ss_fail_as(err, SS_UNAVAILABLE, "the shop's reply is no JSON object");
	}
	return host->write(lookup->run, FIELD_ORDER, order, err);
}

/* The end of the request, on the loop. An order that the shop does not know leaves the state as it is. */
static void done(void *context, struct ss_http_call *call, int status, const struct ss_error *err)
{
	struct lookup *lookup = context;
	const struct ss_host *host = lookup->agent->host;
	struct ss_error failure = {0};
	int result = 0;
	(void)call;
	if (err != NULL)
		failure = *err;
	if (err != NULL)
		result = -1;
	else if (status == 200)
		result = write_order(lookup, &failure);
	else if (status != 404)
		result = ss_fail_as(
			&failure, SS_UNAVAILABLE, "the shop answered with status %d", status);
	host->finish(lookup->run, result < 0 ? SS_FAILED : SS_DONE, result < 0 ? &failure : NULL);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct order_lookup *agent = instance;
	const struct ss_host *host = agent->host;
	const char *message = host->values->as_string(host->read(run, FIELD_MESSAGE), NULL);
	struct ss_text number = order_number(message);
	if (number.length == 0)
		return SS_DONE;
	size_t size = strlen(agent->url) + number.length + 1;
	char *url = host->allocate(run, size);
	(void)snprintf(url, size, "%s%.*s", agent->url, (int)number.length, number.data);
	struct lookup *lookup = host->allocate(run, sizeof *lookup);
	lookup->agent = agent;
	lookup->run = run;
	const struct ss_http_request request = {
		.struct_size = sizeof request,
		.url = url,
		.timeout = agent->timeout,
		.body_limit = sizeof lookup->body,
		.received = received,
		.done = done,
		.context = lookup,
	};
	return host->http_start(host, &request, err) != NULL ? SS_PENDING : SS_FAILED;
}

static const struct ss_option options[] = {
	[OPTION_URL] = {.name = "url",
		.type = SS_OPTION_STRING,
		.help = "The shop's address for orders, up to their number."},
	[OPTION_TIMEOUT] = {.name = "timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "5s",
		.min = 0.1,
		.max = 60,
		.help = "How long the shop may take."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_ORDER] = {"order", SS_MAP, SS_WRITES,
		"The order that the message names, as the shop tells it; as it was when it "
		"names none."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "order_lookup",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Looks up the order that a message names.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
