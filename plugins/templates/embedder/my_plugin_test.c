/* The embedder my_plugin, tried without a server. */
#undef NDEBUG
#include <assert.h>
#include <math.h>
#include <smartsupport/testing.h>

enum { DIMENSION = 64 };

static float product(const float *a, const float *b)
{
	float sum = 0;
	for (size_t i = 0; i < DIMENSION; i++)
		sum += a[i] * b[i];
	return sum;
}

int main(void)
{
	static const struct ss_text texts[] = {
		{"Where is my order?", 18}, {"my ORDER", 8}, {"Hello", 5}, {"", 0}};
	float vectors[4][DIMENSION];
	struct ss_error err = {0};
	const struct ss_embedder_operations *embedder = smartsupport_plugin.embedder;
	struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
	assert(ss_test_create(host, "{dimension: 64}", &err) == 0);
	assert(embedder->dimension(ss_test_instance(host)) == DIMENSION);
	assert(embedder->embed(ss_test_instance(host), texts, 4, vectors[0], &err) == 0);
	for (size_t i = 0; i < 4; i++)
		assert(fabsf(product(vectors[i], vectors[i]) - 1) < 1e-5f);
	assert(product(vectors[0], vectors[1]) > product(vectors[0], vectors[2]));
	ss_test_host_free(host);
	return 0;
}
