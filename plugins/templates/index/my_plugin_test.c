/* The index my_plugin, tried without a server. */
#undef NDEBUG
#include <assert.h>
#include <smartsupport/testing.h>

int main(void)
{
	static const float vectors[][2] = {{1, 0}, {0, 1}, {0.6f, 0.8f}};
	static const float queries[][2] = {{0, 1}, {1, 0}};
	int64_t ids[2][4];
	float scores[2][4];
	struct ss_error err = {0};
	const struct ss_index_operations *index = smartsupport_plugin.index;
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "", &err) == 0);
	void *instance = ss_test_instance(host);
	assert(index->build(instance, vectors[0], 3, 2, &err) == 0);
	assert(index->search(instance, queries[0], 2, 4, ids[0], scores[0], &err) == 0);
	assert(ids[0][0] == 1 && ids[0][1] == 2 && ids[0][2] == 0 && ids[0][3] == -1);
	assert(ids[1][0] == 0 && ids[1][1] == 2 && ids[1][2] == 1 && ids[1][3] == -1);
	assert(scores[0][0] == 1 && scores[0][1] == vectors[2][1]);
	assert(index->search(instance, queries[0], 1, 1, ids[0], scores[0], &err) == 0);
	assert(ids[0][0] == 1);
	assert(index->build(instance, vectors[0], 0, 2, &err) == 0);
	assert(index->search(instance, queries[0], 1, 1, ids[0], scores[0], &err) == 0);
	assert(ids[0][0] == -1);
	ss_test_host_free(host);
	return 0;
}
