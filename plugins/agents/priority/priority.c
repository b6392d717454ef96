/*
 * The agent priority: adds up points for the sentiment, the category, a repeated question and a VIP to
 * a priority, and says how it came about.
 *
 * The factors' weights always add up to the priority: where the sum is no whole number or is beyond
 * the bounds, a last factor "rounded" or "clamped" makes up for the difference.
 */
#include <smartsupport/smartsupport.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIELD_CATEGORY,
	FIELD_SENTIMENT,
	FIELD_ATTEMPTS,
	FIELD_VIP,
	FIELD_PRIORITY,
	FIELD_FACTORS,
};

enum {
	OPTION_BASE,
	OPTION_SENTIMENT_WEIGHTS,
	OPTION_CATEGORY_WEIGHTS,
	OPTION_REPEAT_WEIGHT,
	OPTION_VIP_WEIGHT,
	OPTION_MIN,
	OPTION_MAX,
};

/* base, sentiment, category, repeat, vip, rounded, clamped */
enum { FACTORS_LIMIT = 7 };

struct priority {
	const struct ss_host *host;
	double base;
	struct ss_value *sentiment_weights;
	struct ss_value *category_weights;
	double repeat_weight;
	double vip_weight;
	double min;
	double max;
};

/* The explanation while it grows. */
struct factors {
	const struct ss_value_functions *values;
	struct ss_value *items[FACTORS_LIMIT];
	size_t count;
	double sum;
};

/* Checks that the field, whose values are KNOWN (NULL for any), has each label that WEIGHTS names. */
static int check_weights(const struct ss_value_functions *values, const struct ss_value *weights,
	const struct ss_value *known, const char *option, const char *field, struct ss_error *err)
{
	char names[240] = "";
	size_t at = 0;
	for (size_t i = 0; i < values->count(known) && at < sizeof names; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? ", " : "",
			values->as_string(values->at(known, i), NULL));
	for (size_t i = 0; i < values->count(weights) && known != NULL; i++) {
		const char *label = values->key_at(weights, i);
		bool found = false;
		for (size_t k = 0; k < values->count(known); k++)
			found |= strcmp(values->as_string(values->at(known, k), NULL), label) == 0;
		if (!found)
			return ss_fail_as(err, SS_INVALID,
				"%s has a weight for \"%s\", which the field %s does not have; its "
				"values are %s",
				option, label, field, names);
	}
	return 0;
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *const *options = setup->options;
	double min = values->as_number(options[OPTION_MIN]);
	double max = values->as_number(options[OPTION_MAX]);
	if (min > max)
		return ss_fail_as(err, SS_INVALID, "min (%g) is above max (%g)", min, max);
	if (check_weights(values, options[OPTION_SENTIMENT_WEIGHTS],
		    setup->field_values[FIELD_SENTIMENT], "sentiment_weights", "sentiment",
		    err) < 0 ||
		check_weights(values, options[OPTION_CATEGORY_WEIGHTS],
			setup->field_values[FIELD_CATEGORY], "category_weights", "category",
			err) < 0)
		return -1;
	struct priority *priority = calloc(1, sizeof *priority);
	if (priority == NULL)
		return ss_fail(err, "out of memory");
	*priority = (struct priority){
		.host = setup->host,
		.base = values->as_number(options[OPTION_BASE]),
		.sentiment_weights = values->ref(options[OPTION_SENTIMENT_WEIGHTS]),
		.category_weights = values->ref(options[OPTION_CATEGORY_WEIGHTS]),
		.repeat_weight = values->as_number(options[OPTION_REPEAT_WEIGHT]),
		.vip_weight = values->as_number(options[OPTION_VIP_WEIGHT]),
		.min = min,
		.max = max,
	};
	*instance = priority;
	return 0;
}

static void destroy(void *instance)
{
	struct priority *priority = instance;
	priority->host->values->unref(priority->sentiment_weights);
	priority->host->values->unref(priority->category_weights);
	free(priority);
}

/* A whole number as an integer, so that it is shown without a fraction. */
static struct ss_value *number(const struct ss_value_functions *values, double value)
{
	return value == floor(value) ? values->integer((int64_t)value) : values->number(value);
}

/* Adds WEIGHT to the sum, because of VALUE (taken). */
static void add(struct factors *factors, const char *name, struct ss_value *value, double weight)
{
	const struct ss_value_functions *values = factors->values;
	const char *const keys[] = {"factor", "value", "weight"};
	struct ss_value *const entries[] = {
		values->string(name, strlen(name)), value, number(values, weight)};
	factors->items[factors->count++] = values->map(keys, entries, 3);
	factors->sum += weight;
}

static double weight_of(const struct ss_value_functions *values, const struct ss_value *weights,
	const struct ss_value *label)
{
	return values->as_number(values->get(weights, values->as_string(label, NULL)));
}

/* Collects what the state gives. */
static void collect(const struct priority *priority, struct ss_run *run, struct factors *factors)
{
	const struct ss_host *host = priority->host;
	const struct ss_value_functions *values = host->values;
	const struct ss_value *sentiment = host->read(run, FIELD_SENTIMENT);
	const struct ss_value *category = host->read(run, FIELD_CATEGORY);
	const struct ss_value *attempts = host->read(run, FIELD_ATTEMPTS);
	const struct ss_value *vip = host->read(run, FIELD_VIP);
	double category_weight = weight_of(values, priority->category_weights, category);
	add(factors, "base", number(values, priority->base), priority->base);
	add(factors, "sentiment", values->ref(sentiment),
		weight_of(values, priority->sentiment_weights, sentiment));
	if (category_weight != 0)
		add(factors, "category", values->ref(category), category_weight);
	if (attempts != NULL)
		add(factors, "repeat", values->ref(attempts),
			values->as_int(attempts) > 1 ? priority->repeat_weight : 0);
	if (vip != NULL)
		add(factors, "vip", values->ref(vip),
			values->as_bool(vip) ? priority->vip_weight : 0);
}

/* Makes the sum a whole number within the bounds. */
static void settle(const struct priority *priority, struct factors *factors)
{
	double rounded = round(factors->sum);
	double clamped = fmin(fmax(rounded, priority->min), priority->max);
	if (rounded != factors->sum)
		add(factors, "rounded", number(factors->values, rounded), rounded - factors->sum);
	if (clamped != rounded)
		add(factors, "clamped", number(factors->values, clamped), clamped - rounded);
	factors->sum = clamped;
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct priority *priority = instance;
	const struct ss_host *host = priority->host;
	struct factors factors = {.values = host->values};
	collect(priority, run, &factors);
	settle(priority, &factors);
	struct ss_value *list = host->values->list(factors.items, factors.count);
	if (host->write(run, FIELD_PRIORITY, host->values->integer((int64_t)factors.sum), err) <
		0) {
		host->values->unref(list);
		return SS_FAILED;
	}
	return host->write(run, FIELD_FACTORS, list, err) < 0 ? SS_FAILED : SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_BASE] = {.name = "base",
		.type = SS_OPTION_INT,
		.fallback = "5",
		.min = -1000,
		.max = 1000,
		.help = "What the sum starts with."},
	[OPTION_SENTIMENT_WEIGHTS] = {.name = "sentiment_weights",
		.type = SS_OPTION_NUMBERS,
		.fallback = "{Positive: -1, Neutral: 0, Negative: 2, Angry: 4}",
		.min = -1000,
		.max = 1000,
		.help = "What each sentiment adds; one that is not named adds 0."},
	[OPTION_CATEGORY_WEIGHTS] = {.name = "category_weights",
		.type = SS_OPTION_NUMBERS,
		.fallback = "{}",
		.min = -1000,
		.max = 1000,
		.help = "What each category adds; one that is not named adds 0."},
	[OPTION_REPEAT_WEIGHT] = {.name = "repeat_weight",
		.type = SS_OPTION_NUMBER,
		.fallback = "2",
		.min = -1000,
		.max = 1000,
		.help = "What it adds, once, that the customer has asked this before."},
	[OPTION_VIP_WEIGHT] = {.name = "vip_weight",
		.type = SS_OPTION_NUMBER,
		.fallback = "2",
		.min = -1000,
		.max = 1000,
		.help = "What it adds that the customer is a VIP."},
	[OPTION_MIN] = {.name = "min",
		.type = SS_OPTION_INT,
		.fallback = "1",
		.min = -1000,
		.max = 1000,
		.help = "The lowest priority; a lower sum becomes this."},
	[OPTION_MAX] = {.name = "max",
		.type = SS_OPTION_INT,
		.fallback = "10",
		.min = -1000,
		.max = 1000,
		.help = "The highest priority; a higher sum becomes this."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_CATEGORY] = {"category", SS_STRING, SS_READS, "The category of the message."},
	[FIELD_SENTIMENT] = {"sentiment", SS_STRING, SS_READS, "The mood of the message."},
	[FIELD_ATTEMPTS] = {"attempts", SS_INT, SS_READS | SS_OPTIONAL,
		"How often the customer has asked this; more than 1 is a repetition."},
	[FIELD_VIP] = {"vip", SS_BOOL, SS_READS | SS_OPTIONAL, "Whether the customer is a VIP."},
	[FIELD_PRIORITY] = {"priority", SS_INT, SS_WRITES, "The priority; higher is more urgent."},
	[FIELD_FACTORS] = {"priority_factors", SS_LIST, SS_WRITES | SS_OPTIONAL,
		"How it came about: maps with factor, value and weight, which add up to the "
		"priority."},
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
	.name = "priority",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Adds up sentiment, category, repetition and VIP to a priority, and explains "
		   "the sum.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
