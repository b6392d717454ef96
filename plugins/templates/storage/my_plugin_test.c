/* The storage my_plugin, tried without a server. `smartsupport plugin check --storage` tries all of its contract. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>
#include <unistd.h>

static const struct ss_storage_operations *storage(void)
{
	return smartsupport_plugin.storage;
}

static struct ss_test_host *open_store(void)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{path: my_plugin_test.store}", &err) == 0);
	return host;
}

/* How many messages of the conversation its next turn is told. */
static size_t known(struct ss_test_host *host, const char *user_id)
{
	const struct ss_value_functions *values = ss_test_table(host)->values;
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = user_id,
		.conversation_id = "conv_1",
		.history_limit = 10};
	struct ss_value *context = NULL;
	struct ss_error err = {0};
	if (storage()->turn_context(ss_test_instance(host), &key, &context, &err) < 0) {
		assert(err.status == SS_NOT_FOUND);
		return 0;
	}
	size_t count = values->count(values->get(context, "history"));
	values->unref(context);
	return count;
}

int main(void)
{
	const struct ss_turn turn = {.struct_size = sizeof turn,
		.turn_id = "turn_1",
		.conversation_id = "conv_1",
		.user_id = "kim",
		.new_conversation = true,
		.message = {"\"Hello?\"", 8},
		.response = {"Yes.", 4},
		.priority = 5};
	struct ss_error err = {0};
	(void)unlink("my_plugin_test.store");
	struct ss_test_host *host = open_store();
	assert(known(host, "kim") == 0);
	assert(storage()->commit_turns(ss_test_instance(host), &turn, 1, &err) == 0 &&
		err.status == SS_OK);
	assert(known(host, "kim") == 2 && known(host, "lee") == 0);
	/* Stored again it is the same turn, and nothing is forgotten when the store is opened anew. */
	assert(storage()->commit_turns(ss_test_instance(host), &turn, 1, &err) == 0 &&
		err.status == SS_OK);
	ss_test_host_free(host);
	host = open_store();
	assert(known(host, "kim") == 2);
	/* Of what is not written yet it says so. */
	assert(storage()->stats(ss_test_instance(host), NULL, &err) == -1);
	assert(strcmp(err.text, "stats() is not written yet") == 0);
	ss_test_host_free(host);
	host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{}", &err) == -1 && strstr(err.text, "path") != NULL);
	ss_test_host_free(host);
	return 0;
}
