#include "kernels.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_ROWS = 6 };

typedef float lanes __attribute__((vector_size(KERNEL_LANES * 4)));
typedef int32_t int_lanes __attribute__((vector_size(KERNEL_LANES * 4)));
/* The same where memory is only aligned for floats. */
typedef float loose_lanes __attribute__((vector_size(KERNEL_LANES * 4), aligned(4), may_alias));

static inline size_t round_up(size_t tokens)
{
	return (tokens + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

size_t attention_scratch(size_t tokens, size_t head_width)
{
	return round_up(tokens) * (2 * head_width + BLOCK_ROWS);
}

#define KERNEL(name) name##_portable
#define KERNEL_TARGET
#include "kernels_body.h"
#undef KERNEL
#undef KERNEL_TARGET

#ifdef __x86_64__
#define KERNEL(name)  name##_avx2
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#include "kernels_body.h"
#undef KERNEL
#undef KERNEL_TARGET

#define KERNEL(name)  name##_avx512
#define KERNEL_TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#include "kernels_body.h"
#undef KERNEL
#undef KERNEL_TARGET

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

static bool has_portable(void)
{
	return true;
}

static const struct {
	bool (*runs)(void);
	struct kernels kernels;
} sets[] = {
#ifdef __x86_64__
	{has_avx512, {"avx512", attend_avx512, normalize_avx512}},
	{has_avx2, {"avx2", attend_avx2, normalize_avx2}},
#endif
	{has_portable, {"portable", attend_portable, normalize_portable}},
};

const struct kernels *kernels_at(size_t index)
{
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		if (sets[i].runs() && index-- == 0)
			return &sets[i].kernels;
	}
	return NULL;
}
