#include "kernels.h"

#include <math.h>
#include <string.h>

enum { BLOCK_ROWS_MOST = 8 };

typedef float lanes __attribute__((vector_size(KERNEL_LANES * 4)));
typedef int32_t int_lanes __attribute__((vector_size(KERNEL_LANES * 4)));
typedef uint32_t uint_lanes __attribute__((vector_size(KERNEL_LANES * 4)));
typedef uint16_t short_lanes __attribute__((vector_size(KERNEL_LANES * 2)));
typedef uint8_t byte_lanes __attribute__((vector_size(KERNEL_LANES)));
/* The same where memory is only aligned for its elements. */
typedef float loose_lanes __attribute__((vector_size(KERNEL_LANES * 4), aligned(4), may_alias));
typedef int32_t loose_ints __attribute__((vector_size(KERNEL_LANES * 4), aligned(4), may_alias));
typedef uint16_t loose_shorts __attribute__((vector_size(KERNEL_LANES * 2), aligned(2), may_alias));
typedef uint8_t loose_bytes __attribute__((vector_size(KERNEL_LANES), aligned(1), may_alias));

static inline size_t round_up(size_t tokens)
{
	return (tokens + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES;
}

size_t attention_scratch(size_t tokens, size_t head_width)
{
	return round_up(tokens) * (2 * head_width + BLOCK_ROWS_MOST);
}

/* Rows of a product that are made at once, and vectors of each: as many accumulators as the registers of
 * the instruction set hold, with room for the factors. */
#define KERNEL(name) name##_portable
#define KERNEL_TARGET
#define KERNEL_ROWS  6
#define KERNEL_WIDTH 1
#include "kernels_body.h"
#undef KERNEL
#undef KERNEL_TARGET

#ifdef __x86_64__
#define KERNEL(name)  name##_avx2
#define KERNEL_TARGET __attribute__((target("avx2,fma")))
#include "kernels_body.h"
#undef KERNEL
#undef KERNEL_TARGET
#undef KERNEL_ROWS
#undef KERNEL_WIDTH

#define KERNEL(name)  name##_avx512
#define KERNEL_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define KERNEL_ROWS   8
#define KERNEL_WIDTH  2
#define KERNEL_SHUFFLES
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
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}
#endif

static bool has_portable(void)
{
	return true;
}

#define KERNELS(set)                                                                               \
	{                                                                                          \
		.name = #set, .attend = attend_##set, .normalize = normalize_##set,                \
		.narrow = narrow_##set, .to_bytes = to_bytes_##set,                                \
		.from_product = from_product_##set, .activate_product = activate_product_##set     \
	}

static const struct {
	bool (*runs)(void);
	struct kernels kernels;
} sets[] = {
#ifdef __x86_64__
	{has_avx512, KERNELS(avx512)},
	{has_avx2, KERNELS(avx2)},
#endif
	{has_portable, KERNELS(portable)},
};

const struct kernels *kernels_at(size_t index)
{
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		if (sets[i].runs() && index-- == 0)
			return &sets[i].kernels;
	}
	return NULL;
}
