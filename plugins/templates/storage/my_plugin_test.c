/* The storage my_plugin, tried without a server. `smartsupport plugin check --storage` tries all of its contract. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>
#include <string.h>

int main(void)
{
	struct ss_error err = {0};
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{path: try.db}", &err) == 0);
	/* Of what is not written yet it says so. */
	assert(smartsupport_plugin.storage->check(ss_test_instance(host), &err) == -1);
	assert(strcmp(err.text, "check() is not written yet") == 0);
	ss_test_host_free(host);
	host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{}", &err) == -1 && strstr(err.text, "path") != NULL);
	ss_test_host_free(host);
	return 0;
}
