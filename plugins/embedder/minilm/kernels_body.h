/*
 * The kernels, compiled once for each instruction set. No include guard: kernels.c includes this file
 * several times and defines before each time
 *     KERNEL(name)    the name of a function of this set
 *     KERNEL_TARGET   the attribute that selects the instruction set
 *
 * Vectors are GCC's vector extension, so one source serves all widths. Numbers are passed by pointer,
 * since passing wide vectors by value depends on the instruction set.
 */

/* Six rows of A times B: C[r][0..15] = sum over k of A[r][k] B[k][0..15]. Rows of B are B_STEP floats
 * apart, those of C are C_STEP. Six accumulators fill the registers of AVX2. */
KERNEL_TARGET static inline void KERNEL(multiply)(size_t depth, const float *const a[BLOCK_ROWS],
	const float *b, size_t b_step, float *c, size_t c_step)
{
	lanes c0 = {0}, c1 = {0}, c2 = {0}, c3 = {0}, c4 = {0}, c5 = {0};
	const float *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3], *a4 = a[4], *a5 = a[5];
	for (size_t k = 0; k < depth; k++, b += b_step) {
		lanes row = *(const loose_lanes *)b;
		c0 += a0[k] * row;
		c1 += a1[k] * row;
		c2 += a2[k] * row;
		c3 += a3[k] * row;
		c4 += a4[k] * row;
		c5 += a5[k] * row;
	}
	*(loose_lanes *)c = c0;
	*(loose_lanes *)(c + c_step) = c1;
	*(loose_lanes *)(c + 2 * c_step) = c2;
	*(loose_lanes *)(c + 3 * c_step) = c3;
	*(loose_lanes *)(c + 4 * c_step) = c4;
	*(loose_lanes *)(c + 5 * c_step) = c5;
}

KERNEL_TARGET static inline float KERNEL(sum)(const lanes *values)
{
	float sum = 0;
	for (size_t i = 0; i < KERNEL_LANES; i++)
		sum += (*values)[i];
	return sum;
}

/* *A becomes the larger of *A and *B, lane by lane. */
KERNEL_TARGET static inline void KERNEL(maximum)(lanes *a, const lanes *b)
{
	int_lanes larger = *b > *a;
	*a = (lanes)((larger & (int_lanes)*b) | (~larger & (int_lanes)*a));
}

/* *X becomes its exponential; X is at most 0. The polynomial and the constants are those of expf() in
 * the Cephes library: e^x = 2^n e^r with n whole and |r| <= ln(2) / 2. */
KERNEL_TARGET static inline void KERNEL(exponential)(lanes *x)
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

/* Replaces the COUNT SCORES, whose number is rounded up to whole vectors, by the exponentials of their
 * differences to the largest, and returns the sum of those. The places after COUNT become next to 0. */
KERNEL_TARGET static inline float KERNEL(soften)(float *scores, size_t count, size_t rounded)
{
	for (size_t i = count; i < rounded; i++)
		scores[i] = -INFINITY;
	lanes largest = *(const loose_lanes *)scores;
	for (size_t i = KERNEL_LANES; i < rounded; i += KERNEL_LANES) {
		lanes next = *(const loose_lanes *)(scores + i);
		KERNEL(maximum)(&largest, &next);
	}
	float top = largest[0];
	for (size_t i = 1; i < KERNEL_LANES; i++)
		top = largest[i] > top ? largest[i] : top;
	lanes sums = {0};
	for (size_t i = 0; i < rounded; i += KERNEL_LANES) {
		lanes score = *(const loose_lanes *)(scores + i) - top;
		KERNEL(exponential)(&score);
		*(loose_lanes *)(scores + i) = score;
		sums += score;
	}
	return KERNEL(sum)(&sums);
}

/* Copies the keys of HEAD to KEYS, transposed [head_width][rounded], and the values to VALUES
 * [tokens][head_width]. The keys after the last token are 0. */
KERNEL_TARGET static inline void KERNEL(gather)(
	const struct attention *attention, size_t head, size_t rounded, float *keys, float *values)
{
	size_t width = attention->head_width;
	size_t hidden = attention->heads * width;
	const float *from = attention->projected + hidden + head * width;
	for (size_t i = 0; i < attention->tokens; i++, from += 3 * hidden) {
		for (size_t k = 0; k < width; k++)
			keys[k * rounded + i] = from[k];
		memcpy(values + i * width, from + hidden, width * sizeof *values);
	}
	for (size_t k = 0; k < width; k++)
		memset(keys + k * rounded + attention->tokens, 0,
			(rounded - attention->tokens) * sizeof *keys);
}

/* The results of up to six tokens, from FIRST on, for one head. SCORES has six rows. */
KERNEL_TARGET static inline void KERNEL(attend_block)(const struct attention *attention,
	size_t head, size_t first, size_t rounded, const float *keys, const float *values,
	float *scores)
{
	size_t width = attention->head_width;
	size_t hidden = attention->heads * width;
	size_t rows =
		attention->tokens - first < BLOCK_ROWS ? attention->tokens - first : BLOCK_ROWS;
	const float *queries[BLOCK_ROWS], *weights[BLOCK_ROWS];
	float scales[BLOCK_ROWS], block[BLOCK_ROWS * KERNEL_LANES];
	for (size_t r = 0; r < BLOCK_ROWS; r++) {
		/* Where there are fewer rows the last one is computed again. */
		size_t token = first + (r < rows ? r : rows - 1);
		queries[r] = attention->projected + token * 3 * hidden + head * width;
		weights[r] = scores + r * rounded;
	}
	for (size_t i = 0; i < rounded; i += KERNEL_LANES)
		KERNEL(multiply)(width, queries, keys + i, rounded, scores + i, rounded);
	for (size_t r = 0; r < rows; r++)
		scales[r] = 1.0f / KERNEL(soften)(scores + r * rounded, attention->tokens, rounded);
	for (size_t k = 0; k < width; k += KERNEL_LANES) {
		float *result = attention->result + first * hidden + head * width + k;
		KERNEL(multiply)
		(attention->tokens, weights, values + k, width, block, KERNEL_LANES);
		for (size_t r = 0; r < rows; r++, result += hidden)
			*(loose_lanes *)result =
				*(const loose_lanes *)(block + r * KERNEL_LANES) * scales[r];
	}
}

KERNEL_TARGET static void KERNEL(attend)(const struct attention *attention)
{
	size_t rounded = round_up(attention->tokens);
	float *keys = attention->scratch;
	float *values = keys + attention->head_width * rounded;
	float *scores = values + attention->head_width * rounded;
	for (size_t head = 0; head < attention->heads; head++) {
		KERNEL(gather)(attention, head, rounded, keys, values);
		for (size_t first = 0; first < attention->tokens; first += BLOCK_ROWS)
			KERNEL(attend_block)(attention, head, first, rounded, keys, values, scores);
	}
}

KERNEL_TARGET static inline void KERNEL(normalize_row)(float *x, const float *y, size_t width,
	const float *scale, const float *shift, float epsilon)
{
	lanes sums = {0}, squares = {0};
	for (size_t i = 0; i < width; i += KERNEL_LANES) {
		lanes value = *(const loose_lanes *)(x + i);
		if (y != NULL)
			value += *(const loose_lanes *)(y + i);
		*(loose_lanes *)(x + i) = value;
		sums += value;
	}
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

KERNEL_TARGET static void KERNEL(normalize)(float *x, const float *y, size_t rows, size_t width,
	const float *scale, const float *shift, float epsilon)
{
	for (size_t r = 0; r < rows; r++)
		KERNEL(normalize_row)
	(x + r * width, y == NULL ? NULL : y + r * width, width, scale, shift, epsilon);
}
