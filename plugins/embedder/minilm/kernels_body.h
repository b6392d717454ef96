/*
 * The kernels, compiled once for each instruction set. No include guard: kernels.c includes this file
 * several times and defines before each time
 *     KERNEL(name)     the name of a function of this set
 *     KERNEL_TARGET    the attribute that selects the instruction set
 *     KERNEL_ROWS      rows of a product that are made at once
 *     KERNEL_WIDTH     vectors of each of these rows
 *     KERNEL_SHUFFLES  whether a vector is one register, so that its numbers can change places cheaply
 *
 * Vectors are GCC's vector extension, so one source serves all widths. Numbers are passed by pointer,
 * since passing wide vectors by value depends on the instruction set.
 */

#define INLINE KERNEL_TARGET static inline __attribute__((always_inline))

/* KERNEL_ROWS rows of A times B: C[r][i] = sum over k of A[r][k] B[k][i], for i below VECTORS (a constant)
 * times KERNEL_LANES. Rows of B are B_STEP floats apart, those of C are C_STEP. */
INLINE void KERNEL(multiply)(size_t depth, const float *const a[KERNEL_ROWS], const float *b,
	size_t b_step, float *c, size_t c_step, const size_t vectors)
{
	lanes sums[KERNEL_ROWS][KERNEL_WIDTH] = {{{0}}};
	const float *rows[KERNEL_ROWS];
	for (size_t r = 0; r < KERNEL_ROWS; r++)
		rows[r] = a[r];
	for (size_t k = 0; k < depth; k++, b += b_step) {
		for (size_t v = 0; v < vectors; v++) {
			lanes factor = *(const loose_lanes *)(b + v * KERNEL_LANES);
			for (size_t r = 0; r < KERNEL_ROWS; r++)
				sums[r][v] += rows[r][k] * factor;
		}
	}
	for (size_t r = 0; r < KERNEL_ROWS; r++) {
		for (size_t v = 0; v < vectors; v++)
			*(loose_lanes *)(c + r * c_step + v * KERNEL_LANES) = sums[r][v];
	}
}

/* The same for WIDTH columns. */
INLINE void KERNEL(multiply_all)(size_t depth, const float *const a[KERNEL_ROWS], const float *b,
	size_t b_step, float *c, size_t c_step, size_t width)
{
	const size_t step = (size_t)KERNEL_WIDTH * KERNEL_LANES;
	size_t i = 0;
	for (; i + step <= width; i += step)
		KERNEL(multiply)(depth, a, b + i, b_step, c + i, c_step, KERNEL_WIDTH);
	for (; i < width; i += KERNEL_LANES)
		KERNEL(multiply)(depth, a, b + i, b_step, c + i, c_step, 1);
}

/* *A becomes the larger of *A and *B, lane by lane. */
INLINE void KERNEL(maximum)(lanes *a, const lanes *b)
{
	int_lanes larger = *b > *a;
	*a = (lanes)((larger & (int_lanes)*b) | (~larger & (int_lanes)*a));
}

/* The sum and the largest of the lanes. Halves are put on each other: what adding one lane after the other
 * would take is the time of sixteen additions. */
INLINE float KERNEL(sum)(const lanes *values)
{
	float parts[KERNEL_LANES];
	memcpy(parts, values, sizeof parts);
	for (size_t half = KERNEL_LANES / 2; half > 0; half /= 2) {
		for (size_t i = 0; i < half; i++)
			parts[i] += parts[i + half];
	}
	return parts[0];
}

INLINE float KERNEL(largest)(const lanes *values)
{
	float parts[KERNEL_LANES];
	memcpy(parts, values, sizeof parts);
	for (size_t half = KERNEL_LANES / 2; half > 0; half /= 2) {
		for (size_t i = 0; i < half; i++)
			parts[i] = parts[i + half] > parts[i] ? parts[i + half] : parts[i];
	}
	return parts[0];
}

/* *X becomes its exponential; X is at most 0. The polynomial and the constants are those of expf() in
 * the Cephes library: e^x = 2^n e^r with n whole and |r| <= ln(2) / 2. */
INLINE void KERNEL(exponential)(lanes *x)
{
	const lanes smallest = {
		-87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87, -87};
	const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves n in the low bits */
	KERNEL(maximum)(x, &smallest);
	lanes shifted = *x * 1.44269504088896341f + round;
	lanes n = shifted - round;
	lanes r = *x - n * 0.693359375f;
	r = r + n * 2.12194440e-4f;
	lanes p = r * 1.9875691500e-4f + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * (r * r) + r + 1.0f;
	*x = p * (lanes)(((int_lanes)shifted - (0x4b400000 - 127)) << 23);
}

/* *X becomes x / 2 * (1 + erf(x / sqrt(2))). The error function is x times a polynomial of x squared, the
 * best of its degree on [-4, 4] (minimax, by reweighted least squares), and good to 6.5e-5: a hundredth of a step of
 * the bytes that are made of it. */
INLINE void KERNEL(gelu)(lanes *x)
{
	const lanes limit = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};
	lanes bounded = -*x, lower = -limit;
	KERNEL(maximum)(&bounded, &lower);
	bounded = -bounded;
	KERNEL(maximum)(&bounded, &lower);
	lanes square = bounded * bounded;
	lanes p = square * -3.16156878e-09f + 2.43422022e-07f;
	p = p * square - 8.20172954e-06f;
	p = p * square + 0.000161334756f;
	p = p * square - 0.00209640875f;
	p = p * square + 0.019329749f;
	p = p * square - 0.132350758f;
	p = p * square + 0.797695041f;
	*x = *x * (0.5f + 0.5f * bounded * p);
}

/* Replaces the COUNT SCORES, whose number is rounded up to whole vectors, by the exponentials of their
 * differences to the largest, and returns the sum of those. The places after COUNT become next to 0. */
INLINE float KERNEL(soften)(float *scores, size_t count, size_t rounded)
{
	for (size_t i = count; i < rounded; i++)
		scores[i] = -INFINITY;
	lanes largest = *(const loose_lanes *)scores;
	for (size_t i = KERNEL_LANES; i < rounded; i += KERNEL_LANES) {
		lanes next = *(const loose_lanes *)(scores + i);
		KERNEL(maximum)(&largest, &next);
	}
	float top = KERNEL(largest)(&largest);
	lanes sums = {0};
	for (size_t i = 0; i < rounded; i += KERNEL_LANES) {
		lanes score = *(const loose_lanes *)(scores + i) - top;
		KERNEL(exponential)(&score);
		*(loose_lanes *)(scores + i) = score;
		sums += score;
	}
	return KERNEL(sum)(&sums);
}

#ifdef KERNEL_SHUFFLES
/* One step of a transposition: of two rows, S apart, the one's lanes with bit S set change places with the
 * other's lanes without. The numbers are lanes of the first row and, from 16 on, of the second. */
#define EXCHANGE(a, b, low, high)                                                                  \
	do {                                                                                       \
		lanes first = (a), second = (b);                                                   \
		(a) = __builtin_shufflevector(first, second, low);                                 \
		(b) = __builtin_shufflevector(first, second, high);                                \
	} while (0)
#define LOW_1  0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define LOW_2  0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_4  0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_8  0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31

#define EXCHANGE_ALL(rows, s)                                                                      \
	for (size_t i = 0; i < KERNEL_LANES; i++) {                                                \
		if ((i & (s)) == 0)                                                                \
			EXCHANGE((rows)[i], (rows)[i + (s)], LOW_##s, HIGH_##s);                   \
	}

/* A square of 16 by 16 floats, transposed. Rows are FROM_STEP and TO_STEP floats apart. */
INLINE void KERNEL(transpose)(const float *from, size_t from_step, float *to, size_t to_step)
{
	lanes rows[KERNEL_LANES];
	for (size_t i = 0; i < KERNEL_LANES; i++)
		rows[i] = *(const loose_lanes *)(from + i * from_step);
	EXCHANGE_ALL(rows, 1)
	EXCHANGE_ALL(rows, 2)
	EXCHANGE_ALL(rows, 4)
	EXCHANGE_ALL(rows, 8)
	for (size_t i = 0; i < KERNEL_LANES; i++)
		*(loose_lanes *)(to + i * to_step) = rows[i];
}
#else
INLINE void KERNEL(transpose)(const float *from, size_t from_step, float *to, size_t to_step)
{
	for (size_t i = 0; i < KERNEL_LANES; i++) {
		for (size_t k = 0; k < KERNEL_LANES; k++)
			to[k * to_step + i] = from[i * from_step + k];
	}
}
#endif

/* Copies the keys of HEAD to KEYS, transposed [head_width][rounded]. The keys after the last token are 0. */
INLINE void KERNEL(gather_keys)(
	const struct attention *attention, size_t head, size_t rounded, float *keys)
{
	size_t width = attention->head_width;
	size_t hidden = attention->heads * width;
	const float *from = attention->projected + hidden + head * width;
	size_t whole = attention->tokens / KERNEL_LANES * KERNEL_LANES;
	for (size_t i = 0; i < whole; i += KERNEL_LANES) {
		for (size_t k = 0; k < width; k += KERNEL_LANES)
			KERNEL(transpose)
		(from + i * 3 * hidden + k, 3 * hidden, keys + k * rounded + i, rounded);
	}
	if (whole == rounded)
		return;
	float last[KERNEL_LANES * KERNEL_LANES] = {0};
	for (size_t k = 0; k < width; k += KERNEL_LANES) {
		for (size_t i = whole; i < attention->tokens; i++)
			memcpy(last + (i - whole) * KERNEL_LANES, from + i * 3 * hidden + k,
				KERNEL_LANES * sizeof *last);
		KERNEL(transpose)(last, KERNEL_LANES, keys + k * rounded + whole, rounded);
	}
}

/* The results of up to KERNEL_ROWS tokens, from FIRST on, for one head. SCORES has that many rows. */
INLINE void KERNEL(attend_block)(const struct attention *attention, size_t head, size_t first,
	size_t rounded, const float *keys, float *scores, float *block)
{
	size_t width = attention->head_width;
	size_t hidden = attention->heads * width;
	size_t rows =
		attention->tokens - first < KERNEL_ROWS ? attention->tokens - first : KERNEL_ROWS;
	const float *values = attention->projected + 2 * hidden + head * width;
	const float *queries[KERNEL_ROWS], *weights[KERNEL_ROWS];
	float scales[KERNEL_ROWS];
	for (size_t r = 0; r < KERNEL_ROWS; r++) {
		/* Where there are fewer rows the last one is computed again. */
		size_t token = first + (r < rows ? r : rows - 1);
		queries[r] = attention->projected + token * 3 * hidden + head * width;
		weights[r] = scores + r * rounded;
	}
	KERNEL(multiply_all)(width, queries, keys, rounded, scores, rounded, rounded);
	for (size_t r = 0; r < rows; r++)
		scales[r] = 1.0f / KERNEL(soften)(scores + r * rounded, attention->tokens, rounded);
	KERNEL(multiply_all)(attention->tokens, weights, values, 3 * hidden, block, width, width);
	float *result = attention->result + first * hidden + head * width;
	for (size_t r = 0; r < rows; r++, result += hidden, block += width) {
		for (size_t k = 0; k < width; k += KERNEL_LANES)
			*(loose_lanes *)(result + k) =
				*(const loose_lanes *)(block + k) * scales[r];
	}
}

KERNEL_TARGET static void KERNEL(attend)(const struct attention *attention)
{
	size_t rounded = round_up(attention->tokens);
	float *keys = attention->scratch;
	float *scores = keys + attention->head_width * rounded;
	float *block = scores + BLOCK_ROWS_MOST * rounded;
	for (size_t head = 0; head < attention->heads; head++) {
		KERNEL(gather_keys)(attention, head, rounded, keys);
		for (size_t first = 0; first < attention->tokens; first += KERNEL_ROWS)
			KERNEL(attend_block)(attention, head, first, rounded, keys, scores, block);
	}
}

INLINE void KERNEL(normalize_row)(
	float *x, size_t width, const float *scale, const float *shift, float epsilon)
{
	lanes sums = {0}, squares = {0};
	for (size_t i = 0; i < width; i += KERNEL_LANES)
		sums += *(const loose_lanes *)(x + i);
	float mean = KERNEL(sum)(&sums) / (float)width;
	for (size_t i = 0; i < width; i += KERNEL_LANES) {
		lanes difference = *(const loose_lanes *)(x + i) - mean;
		squares += difference * difference;
	}
	float variance = KERNEL(sum)(&squares) / (float)width;
	float factor = 1.0f / sqrtf(variance + epsilon);
	for (size_t i = 0; i < width; i += KERNEL_LANES)
		*(loose_lanes *)(x + i) = (*(const loose_lanes *)(x + i) - mean) * factor *
						  *(const loose_lanes *)(scale + i) +
					  *(const loose_lanes *)(shift + i);
}

KERNEL_TARGET static void KERNEL(normalize)(
	float *x, size_t rows, size_t width, const float *scale, const float *shift, float epsilon)
{
	for (size_t r = 0; r < rows; r++)
		KERNEL(normalize_row)(x + r * width, width, scale, shift, epsilon);
}

KERNEL_TARGET static void KERNEL(narrow)(const float *x, size_t count, uint16_t *narrowed)
{
	for (size_t i = 0; i < count; i += KERNEL_LANES) {
		lanes value = *(const loose_lanes *)(x + i);
		uint_lanes bits = (uint_lanes)value;
		bits = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
		*(loose_shorts *)(narrowed + i) = __builtin_convertvector(bits, short_lanes);
	}
}

INLINE void KERNEL(row_to_bytes)(
	const float *x, size_t width, uint8_t *bytes, struct byte_range *range)
{
	const float round =
		8388608.0f; /* 2^23: adding it leaves the whole number in the low bits */
	lanes most = *(const loose_lanes *)x, least = -most;
	for (size_t i = KERNEL_LANES; i < width; i += KERNEL_LANES) {
		lanes next = *(const loose_lanes *)(x + i), negative = -next;
		KERNEL(maximum)(&most, &next);
		KERNEL(maximum)(&least, &negative);
	}
	range->least = -KERNEL(largest)(&least);
	range->scale = (KERNEL(largest)(&most) - range->least) / 255.0f;
	float factor = range->scale > 0 ? 1.0f / range->scale : 0;
	for (size_t i = 0; i < width; i += KERNEL_LANES) {
		lanes scaled = (*(const loose_lanes *)(x + i) - range->least) * factor + round;
		*(loose_bytes *)(bytes + i) =
			__builtin_convertvector((uint_lanes)scaled & 0xffu, byte_lanes);
	}
}

KERNEL_TARGET static void KERNEL(to_bytes)(
	const float *x, size_t rows, size_t width, uint8_t *bytes, struct byte_range *ranges)
{
	for (size_t r = 0; r < rows; r++)
		KERNEL(row_to_bytes)(x + r * width, width, bytes + r * width, &ranges[r]);
}

/* The floats of the product's row R from column I on. */
INLINE void KERNEL(widen)(const struct byte_product *product, size_t r, size_t i, lanes *result)
{
	const struct byte_range *range = &product->ranges[r];
	int_lanes sums = *(const loose_ints *)(product->sums + r * product->columns + i);
	*result = __builtin_convertvector(sums, lanes) *
			  (range->scale * *(const loose_lanes *)(product->scales + i)) +
		  (range->least * *(const loose_lanes *)(product->totals + i) +
			  *(const loose_lanes *)(product->bias + i));
}

KERNEL_TARGET static void KERNEL(from_product)(
	const struct byte_product *product, float *y, bool add)
{
	for (size_t r = 0; r < product->rows; r++, y += product->columns) {
		for (size_t i = 0; i < product->columns; i += KERNEL_LANES) {
			lanes result;
			KERNEL(widen)(product, r, i, &result);
			if (add)
				result += *(const loose_lanes *)(y + i);
			*(loose_lanes *)(y + i) = result;
		}
	}
}

KERNEL_TARGET static void KERNEL(activate_product)(
	const struct byte_product *product, float *row, uint8_t *bytes, struct byte_range *ranges)
{
	for (size_t r = 0; r < product->rows; r++, bytes += product->columns) {
		for (size_t i = 0; i < product->columns; i += KERNEL_LANES) {
			lanes result;
			KERNEL(widen)(product, r, i, &result);
			KERNEL(gelu)(&result);
			*(loose_lanes *)(row + i) = result;
		}
		KERNEL(row_to_bytes)(row, product->columns, bytes, &ranges[r]);
	}
}

#undef INLINE
