/* `smartsupport keys`: makes, lists and revokes API keys. Servers on the store know of it within a second. */
#include "app/command.h"
#include "app/stored.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/yaml.h"
#include "service/key_ring.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: smartsupport keys create --role ROLE --name NAME [--expires TIME] [--space SPACE]\n"
	"       smartsupport keys list\n"
	"       smartsupport keys revoke ID\n"
	"       smartsupport keys remove ID\n\n"
	"  create  makes an API key and shows it, once\n"
	"  list    lists the keys: what they are for, and their last letters\n"
	"  revoke  ends a key: no server takes it any more, a second later at most\n"
	"  remove  forgets a key that is revoked or has expired; when none is left, who is on "
	"this\n"
	"          machine needs none\n\n"
	"  -r, --role ROLE     chat (asks, as users of its space), operator (looks after "
	"customers) "
	"or admin\n"
	"  -n, --name NAME     what it is for, as you will know it again\n"
	"  -e, --expires TIME  how long it is good for, as in 90d; by default for ever\n"
	"  -s, --space SPACE   for chat: whose users and conversations it has; by default its own. "
	"The\n"
	"                      space of another key lets this one take its place\n"
	"  -j, --json          print JSON\n"
	"  -c, --config FILE   the configuration that names the store\n"
	"  -h, --help          this text\n";

/* A hundred years. */
#define LONGEST_NS ((int64_t)36500 * 86400 * 1000000000)

enum { KEYS_MOST = 10000 };

struct arguments {
	const char *config, *action, *id, *role, *name, *expires, *space;
	bool json;
};

static int refuse(const char *sentence)
{
	(void)fprintf(stderr, "smartsupport: %s\n", sentence);
	return 2;
}

/* Documents on the store's thread. */

struct reading {
	const char *id; /* NULL: all */
	struct ss_value *found;
};

static int call_read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct reading *reading = context;
	const struct ss_document_filter filter = {
		.struct_size = sizeof filter, .kind = SS_API_KEYS, .id = reading->id};
	if (storage->read_documents == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "this storage keeps no API keys");
	return storage->read_documents(instance, &filter, &reading->found, err);
}

static int call_store(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	const struct ss_document *document = context;
	if (storage->store_documents == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "this storage keeps no API keys");
	if (storage->store_documents(instance, document, 1, err) < 0)
		return -1;
	return err->status == SS_OK ? 0 : -1;
}

/* The documents of all keys, or of the one with ID: a new list. NULL when that fails, which was printed. */
static struct ss_value *read_keys(struct stored *stored, const char *id)
{
	struct reading reading = {.id = id};
	if (!stored_run(stored, call_read, &reading, NULL))
		return NULL;
	struct ss_value *items = value_ref(value_get(reading.found, "items"));
	value_unref(reading.found);
	return items;
}

/* What DOCUMENT says of its key: a new value, NULL when it is no JSON. */
static struct ss_value *read_data(const struct ss_value *document)
{
	struct ss_text text = value_as_text(value_get(document, "data"));
	return text.data != NULL ? json_parse(text.data, text.length, NULL) : NULL;
}

/* Creating. */

/* The Unix time when a key expires that is good for as long as TEXT says. False when it says nothing. */
static bool read_expiry(const char *text, int64_t *expires_s)
{
	char *copy = memory_string(text);
	const struct yaml_node node = {.kind = YAML_SCALAR, .text = copy};
	int64_t ns = 0;
	bool sound = yaml_duration_ns(&node, &ns) && ns >= 1000000000 && ns <= LONGEST_NS;
	free(copy);
	*expires_s = (clock_utc_ns() + ns) / 1000000000;
	return sound;
}

static int read_order(const struct arguments *arguments, struct key_order *order)
{
	*order = (struct key_order){.name = arguments->name, .space = arguments->space};
	if (arguments->role == NULL || arguments->name == NULL)
		return refuse("a key needs a --role and a --name");
	order->role = key_role_of(arguments->role);
	if (order->role == KEY_NOBODY)
		return refuse("--role is chat, operator or admin");
	ptrdiff_t length = text_characters(text_of(arguments->name));
	if (length < 1 || length > KEY_NAME_LENGTH || text_blank(text_of(arguments->name)))
		return refuse("--name is 1 to 100 characters of UTF-8, and not blank");
	if (arguments->space != NULL && order->role != KEY_CHAT)
		return refuse("only a key of the role chat has a --space");
	if (arguments->space != NULL && !key_space_is_valid(arguments->space))
		return refuse("--space is 1 to 40 letters, digits, - and _");
	if (arguments->expires != NULL && !read_expiry(arguments->expires, &order->expires_s))
		return refuse("--expires is a time from 1s to 36500d, as in 12h or 90d");
	return 0;
}

static void print_made(const struct arguments *arguments, const struct key_made *made)
{
	if (arguments->json) {
		struct ss_value *value = value_map_make(
			{"id", value_text(made->id)}, {"key", value_text(made->token)});
		play_print_json(value);
		value_unref(value);
		return;
	}
	(void)fprintf(stderr,
		"The key %s is made. It is shown now and never again; send it as\n"
		"Authorization: Bearer KEY.\n",
		made->id);
	(void)puts(made->token);
}

static int create_key(struct stored *stored, const struct arguments *arguments)
{
	struct key_order order;
	struct key_made made;
	if (read_order(arguments, &order) != 0)
		return 2;
	key_make(&order, &made);
	struct ss_document document = {
		.struct_size = sizeof document,
		.kind = SS_API_KEYS,
		.id = made.id,
		.data = text_of(made.data),
		.at_ns = clock_utc_ns(),
	};
	bool is_stored = stored_run(stored, call_store, &document, NULL);
	if (is_stored)
		print_made(arguments, &made);
	free(made.data);
	return is_stored ? 0 : 1;
}

/* Listing. */

static const char *state_of(const struct api_key *key)
{
	if (key->role == KEY_NOBODY)
		return "broken";
	if (key->revoked)
		return "revoked";
	bool over = key->expires_s > 0 && key->expires_s <= clock_utc_ns() / 1000000000;
	return over ? "expired" : "valid";
}

static struct ss_value *expiry_value(const struct api_key *key)
{
	char text[CLOCK_TEXT_SIZE];
	return key->expires_s > 0 ? value_text(clock_format(key->expires_s * 1000000000, text))
				  : value_null();
}

static struct ss_value *key_value(const struct ss_value *document)
{
	struct ss_error err = {0};
	struct api_key key;
	struct ss_value *data = read_data(document);
	key_read(&key, value_as_string(value_get(document, "id"), NULL), data, &err);
	struct ss_value *value = value_map_make({"id", value_text(key.id)},
		{"name", value_text(key.name)}, {"role", value_text(key_role_name(key.role))},
		{"space", key.space[0] != '\0' ? value_text(key.space) : value_null()},
		{"last", value_text(key.last)}, {"state", value_text(state_of(&key))},
		{"expires_at", expiry_value(&key)},
		{"created_at", value_ref(value_get(document, "created_at"))});
	key_free(&key);
	value_unref(data);
	return value;
}

/* The member NAME of KEY in COLUMNS columns; - when there is none. Control characters are not for a terminal. */
static void print_column(const struct ss_value *key, const char *name, size_t columns)
{
	const char *text = value_as_string(value_get(key, name), NULL);
	if (text[0] == '\0')
		text = "-";
	size_t printed = 0;
	for (const char *c = text; *c != '\0'; c++) {
		(void)putchar((unsigned char)*c < ' ' ? ' ' : *c);
		printed += ((unsigned char)*c & 0xc0) != 0x80;
	}
	for (; printed < columns; printed++)
		(void)putchar(' ');
	(void)fputs("  ", stdout);
}

static void print_key(const struct ss_value *key)
{
	print_column(key, "id", 20);
	print_column(key, "role", 8);
	print_column(key, "state", 7);
	(void)printf("…%s  ", value_as_string(value_get(key, "last"), NULL));
	(void)printf("%-10.10s  ", value_as_string(value_get(key, "created_at"), NULL));
	const char *expires = value_as_string(value_get(key, "expires_at"), NULL);
	(void)printf("%-10.10s  ", expires[0] != '\0' ? expires : "never");
	print_column(key, "space", 20);
	print_column(key, "name", 0);
	(void)putchar('\n');
}

static int list_keys(struct stored *stored, const struct arguments *arguments)
{
	struct ss_value *documents = read_keys(stored, NULL);
	if (documents == NULL)
		return 1;
	size_t count = value_count(documents);
	struct ss_value **keys = memory_array(count, sizeof *keys);
	for (size_t i = 0; i < count; i++)
		keys[i] = key_value(value_at(documents, i));
	struct ss_value *list = value_list(keys, count);
	if (arguments->json)
		play_print_json(list);
	else if (count == 0)
		(void)puts("There are no API keys.");
	else
		(void)printf("%-20s  %-8s  %-7s  %-5s  %-10s  %-10s  %-20s  %s\n", "ID", "ROLE",
			"STATE", "LAST", "CREATED", "EXPIRES", "SPACE", "NAME");
	for (size_t i = 0; i < count && !arguments->json; i++)
		print_key(value_at(list, i));
	value_unref(list);
	value_unref(documents);
	free(keys);
	return 0;
}

/* Changing. */

/* The document of the key ID, a new value; NULL when there is none, which was printed. */
static struct ss_value *find_key(struct stored *stored, const char *id)
{
	struct ss_value *documents = read_keys(stored, id);
	if (documents == NULL)
		return NULL;
	const struct ss_value *first = value_at(documents, 0);
	struct ss_value *document = value_get(first, "data") != NULL ? value_ref(first) : NULL;
	value_unref(documents);
	if (document == NULL)
		(void)fprintf(stderr,
			"smartsupport: there is no key %s; smartsupport keys list shows those "
			"there are\n",
			id);
	return document;
}

/* Puts DATA (NULL: nothing) in the place of DOCUMENT. */
static bool replace(
	struct stored *stored, const struct ss_value *document, const struct ss_value *data)
{
	char *text = data != NULL ? json_text(data) : NULL;
	struct ss_document next = {
		.struct_size = sizeof next,
		.kind = SS_API_KEYS,
		.id = value_as_string(value_get(document, "id"), NULL),
		.data = text != NULL ? text_of(text) : (struct ss_text){0},
		.expected = value_as_int(value_get(document, "version")),
		.at_ns = clock_utc_ns(),
	};
	bool done = stored_run(stored, call_store, &next, NULL);
	free(text);
	return done;
}

static int revoke_key(struct stored *stored, const struct arguments *arguments)
{
	struct ss_value *document = find_key(stored, arguments->id);
	if (document == NULL)
		return 1;
	struct ss_value *read = read_data(document);
	struct ss_value *data =
		value_type(read) == SS_MAP ? value_ref(read) : value_map(NULL, NULL, 0);
	struct ss_value *revoked = value_map_with(data, "revoked", value_bool(true));
	bool done = replace(stored, document, revoked);
	if (done)
		(void)printf("The key %s is revoked.\n", arguments->id);
	value_unref(revoked);
	value_unref(data);
	value_unref(read);
	value_unref(document);
	return done ? 0 : 1;
}

static int remove_key(struct stored *stored, const struct arguments *arguments)
{
	struct ss_error err = {0};
	struct api_key key;
	struct ss_value *document = find_key(stored, arguments->id);
	if (document == NULL)
		return 1;
	struct ss_value *data = read_data(document);
	key_read(&key, arguments->id, data, &err);
	bool in_use = strcmp(state_of(&key), "valid") == 0;
	if (in_use)
		(void)fprintf(stderr, "smartsupport: the key %s is valid; revoke it first\n",
			arguments->id);
	bool done = !in_use && replace(stored, document, NULL);
	if (done)
		(void)printf("The key %s is removed.\n", arguments->id);
	key_free(&key);
	value_unref(data);
	value_unref(document);
	return done ? 0 : 1;
}

static const struct action {
	const char *name;
	int (*run)(struct stored *stored, const struct arguments *arguments);
	bool takes_id;
} actions[] = {
	{"create", create_key, false},
	{"list", list_keys, false},
	{"revoke", revoke_key, true},
	{"remove", remove_key, true},
};

/* Takes the option that getopt found. False when there is no such option. */
static bool read_option(struct arguments *arguments, int option)
{
	switch (option) {
	case 'r':
		arguments->role = optarg;
		break;
	case 'n':
		arguments->name = optarg;
		break;
	case 'e':
		arguments->expires = optarg;
		break;
	case 's':
		arguments->space = optarg;
		break;
	case 'j':
		arguments->json = true;
		break;
	case 'c':
		arguments->config = optarg;
		break;
	default:
		return false;
	}
	return true;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"role", required_argument, NULL, 'r'},
		{"name", required_argument, NULL, 'n'},
		{"expires", required_argument, NULL, 'e'},
		{"space", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "r:n:e:s:jc:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 1;
		}
		if (!read_option(arguments, option)) {
			(void)fputs(help, stderr);
			return 3;
		}
	}
	arguments->action = optind < argc ? argv[optind] : NULL;
	arguments->id = optind + 1 < argc ? argv[optind + 1] : NULL;
	if (arguments->action != NULL && optind + 2 >= argc)
		return 0;
	(void)fputs(help, stderr);
	return 3;
}

static const struct action *find_action(const struct arguments *arguments)
{
	for (size_t i = 0; i < array_length(actions); i++) {
		if (strcmp(actions[i].name, arguments->action) == 0 &&
			actions[i].takes_id == (arguments->id != NULL))
			return &actions[i];
	}
	(void)fputs(help, stderr);
	return NULL;
}

int command_keys(int argc, char **argv)
{
	struct stored stored;
	struct key_order order;
	struct arguments arguments = {0};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	const struct action *action = find_action(&arguments);
	if (action == NULL)
		return 2;
	/* Before a store is made for nothing. */
	if (action->run == create_key && read_order(&arguments, &order) != 0)
		return 2;
	int code = stored_open(&stored, arguments.config) ? action->run(&stored, &arguments) : 1;
	stored_close(&stored);
	return code;
}
