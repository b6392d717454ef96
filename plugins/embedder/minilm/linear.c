#include "linear.h"

#include <dnnl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* At most an eighth more than asked for above 32 rows, and at most three rows more below. */
static const uint16_t row_counts[] = {4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112,
	128, 160, 192, 224, 256, 320, 384, 448, LINEAR_ROWS_LIMIT};

enum {
	ROW_COUNTS = sizeof row_counts / sizeof *row_counts,
	PACKING_ROWS = 64, /* the number of rows that the weights' layout is chosen for */
	ALIGNMENT = 64,
};

struct linear_engine {
	enum linear_precision precision;
	const struct kernels *kernels;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	/* With LINEAR_INT8: */
	int32_t *sums; /* [rows][width] */
	float *row;    /* [width] */
};

/* What was compiled for one number of rows. */
struct compiled {
	dnnl_primitive_t primitive; /* NULL: nothing yet */
	dnnl_memory_t source, target, scratch;
};

struct linear_kind {
	struct linear_engine *engine;
	size_t in, out;
	enum linear_after after;
	dnnl_memory_desc_t packed; /* the layout of the weights */
	struct compiled compiled[ROW_COUNTS];
};

/* What is packed: the weights, and behind them floats [out] each: the bias, and with LINEAR_INT8 the scales of
 * the weights and their sums. */
struct linear {
	struct linear_kind *kind;
	dnnl_memory_t weights, bias;
	const float *floats;
};

static const struct {
	dnnl_data_type_t source, weights;
} types[] = {
	[LINEAR_FP32] = {dnnl_f32, dnnl_f32},
	[LINEAR_BF16] = {dnnl_bf16, dnnl_bf16},
	[LINEAR_INT8] = {dnnl_u8, dnnl_s8},
};

static int refuse(const char *what, dnnl_status_t status, struct ss_error *err)
{
	return ss_fail(err, "oneDNN cannot %s (status %d)", what, (int)status);
}

bool linear_supports(enum linear_precision precision)
{
	static const unsigned needed[] = {
		[LINEAR_FP32] = dnnl_cpu_isa_all,
		[LINEAR_BF16] = dnnl_cpu_isa_avx512_core_bf16,
		/* Without VNNI the sums of pairs are cut to 16 bits. */
		[LINEAR_INT8] = dnnl_cpu_isa_avx512_core_vnni,
	};
	return ((unsigned)dnnl_get_effective_cpu_isa() & needed[precision]) == needed[precision];
}

static size_t row_index(size_t rows)
{
	size_t i = 0;
	while (i + 1 < ROW_COUNTS && row_counts[i] < rows)
		i++;
	return i;
}

size_t linear_rows(size_t rows)
{
	return row_counts[row_index(rows)];
}

static size_t align(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* BYTES zeroed bytes, or NULL and ERR. */
static void *allocate(size_t bytes, struct ss_error *err)
{
	void *memory = aligned_alloc(ALIGNMENT, align(bytes));
	if (memory == NULL)
		(void)ss_fail(err, "out of memory for %zu bytes of the model", bytes);
	else
		memset(memory, 0, align(bytes));
	return memory;
}

/* A matrix of ROWS by COLUMNS numbers, row by row. */
static void describe(
	dnnl_memory_desc_t *description, dnnl_data_type_t type, size_t rows, size_t columns)
{
	const dnnl_dims_t sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
	(void)dnnl_memory_desc_init_by_tag(description, 2, sizes, type, dnnl_ab);
}

static int make_space(struct linear_engine *engine, size_t rows, size_t width, struct ss_error *err)
{
	if (engine->precision != LINEAR_INT8)
		return 0;
	engine->sums = allocate(linear_rows(rows) * width * sizeof *engine->sums, err);
	engine->row = allocate(width * sizeof *engine->row, err);
	return engine->sums != NULL && engine->row != NULL ? 0 : -1;
}

struct linear_engine *linear_engine_new(
	enum linear_precision precision, size_t rows, size_t width, struct ss_error *err)
{
	struct linear_engine *engine = calloc(1, sizeof *engine);
	if (engine == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	engine->precision = precision;
	engine->kernels = kernels_at(0);
	dnnl_status_t status = dnnl_engine_create(&engine->engine, dnnl_cpu, 0);
	if (status == dnnl_success)
		status = dnnl_stream_create(
			&engine->stream, engine->engine, dnnl_stream_default_flags);
	if (status != dnnl_success)
		(void)refuse("use this processor", status, err);
	else if (make_space(engine, rows, width, err) == 0)
		return engine;
	linear_engine_free(engine);
	return NULL;
}

void linear_engine_free(struct linear_engine *engine)
{
	if (engine == NULL)
		return;
	(void)dnnl_stream_destroy(engine->stream);
	(void)dnnl_engine_destroy(engine->engine);
	free(engine->sums);
	free(engine->row);
	free(engine);
}

uint64_t linear_layout(const struct linear_engine *engine)
{
	const dnnl_version_t *version = dnnl_version();
	const int parts[] = {version->major, version->minor, version->patch,
		(int)dnnl_get_effective_cpu_isa(), (int)engine->precision};
	uint64_t layout = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		layout = layout * 10007 + (uint64_t)parts[i];
	return layout;
}

int linear_matrix_init(const struct linear_engine *engine, struct linear_matrix *matrix,
	size_t rows, size_t width, struct ss_error *err)
{
	size_t size = dnnl_data_type_size(types[engine->precision].source);
	*matrix = (struct linear_matrix){0};
	matrix->space = allocate(linear_rows(rows) * width * size, err);
	matrix->data = matrix->space;
	if (engine->precision == LINEAR_INT8)
		matrix->ranges = allocate(linear_rows(rows) * sizeof *matrix->ranges, err);
	bool complete = matrix->space != NULL &&
			(engine->precision != LINEAR_INT8 || matrix->ranges != NULL);
	return complete ? 0 : -1;
}

void linear_matrix_free(struct linear_matrix *matrix)
{
	free(matrix->space);
	free(matrix->ranges);
	*matrix = (struct linear_matrix){0};
}

void linear_narrow(const struct linear_engine *engine, const float *x, size_t rows, size_t width,
	struct linear_matrix *matrix)
{
	switch (engine->precision) {
	case LINEAR_FP32:
		matrix->data = (void *)(uintptr_t)x;
		return;
	case LINEAR_BF16:
		engine->kernels->narrow(x, rows * width, matrix->data);
		return;
	case LINEAR_INT8:
		engine->kernels->to_bytes(x, rows, width, matrix->data, matrix->ranges);
		return;
	}
}

/* What follows the product inside of oneDNN. */
static dnnl_status_t add_operations(enum linear_after after, dnnl_primitive_attr_t attributes)
{
	dnnl_post_ops_t operations = NULL;
	dnnl_status_t status = dnnl_post_ops_create(&operations);
	if (status == dnnl_success && after == LINEAR_ADD)
		status = dnnl_post_ops_append_sum(operations, 1.0f);
	if (status == dnnl_success && after == LINEAR_GELU)
		status = dnnl_post_ops_append_eltwise(
			operations, 1.0f, dnnl_eltwise_gelu_erf, 0.0f, 0.0f);
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_post_ops(attributes, operations);
	(void)dnnl_post_ops_destroy(operations);
	return status;
}

static dnnl_status_t make_attributes(
	const struct linear_kind *kind, dnnl_primitive_attr_t *attributes)
{
	dnnl_status_t status = dnnl_primitive_attr_create(attributes);
	/* Scratch memory of our own, since oneDNN's belongs to the thread that compiled. */
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_scratchpad_mode(
			*attributes, dnnl_scratchpad_mode_user);
	if (status == dnnl_success && kind->engine->precision != LINEAR_INT8)
		status = add_operations(kind->after, *attributes);
	return status;
}

static dnnl_data_type_t target_type(const struct linear_kind *kind)
{
	if (kind->engine->precision == LINEAR_INT8)
		return dnnl_s32;
	return kind->after == LINEAR_GELU ? types[kind->engine->precision].source : dnnl_f32;
}

/* Plans the product of ROWS rows with weights of the layout WEIGHTS, which may be any. */
static dnnl_status_t plan(const struct linear_kind *kind, size_t rows,
	const dnnl_memory_desc_t *weights, dnnl_primitive_desc_t *result)
{
	dnnl_memory_desc_t source, bias, target;
	dnnl_matmul_desc_t product;
	dnnl_primitive_attr_t attributes = NULL;
	bool has_bias = kind->engine->precision != LINEAR_INT8;
	describe(&source, types[kind->engine->precision].source, rows, kind->in);
	describe(&bias, dnnl_f32, 1, kind->out);
	describe(&target, target_type(kind), rows, kind->out);
	dnnl_status_t status =
		dnnl_matmul_desc_init(&product, &source, weights, has_bias ? &bias : NULL, &target);
	if (status == dnnl_success)
		status = make_attributes(kind, &attributes);
	if (status == dnnl_success)
		status = dnnl_primitive_desc_create(
			result, &product, attributes, kind->engine->engine, NULL);
	(void)dnnl_primitive_attr_destroy(attributes);
	return status;
}

static dnnl_status_t choose_layout(struct linear_kind *kind)
{
	const dnnl_dims_t sizes = {(dnnl_dim_t)kind->in, (dnnl_dim_t)kind->out};
	dnnl_memory_desc_t any;
	dnnl_primitive_desc_t planned = NULL;
	(void)dnnl_memory_desc_init_by_tag(
		&any, 2, sizes, types[kind->engine->precision].weights, dnnl_format_tag_any);
	dnnl_status_t status = plan(kind, PACKING_ROWS, &any, &planned);
	if (status == dnnl_success)
		kind->packed = *dnnl_primitive_desc_query_md(planned, dnnl_query_weights_md, 0);
	(void)dnnl_primitive_desc_destroy(planned);
	return status;
}

struct linear_kind *linear_kind_new(struct linear_engine *engine, size_t in, size_t out,
	enum linear_after after, struct ss_error *err)
{
	struct linear_kind *kind = calloc(1, sizeof *kind);
	if (kind == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	kind->engine = engine;
	kind->in = in;
	kind->out = out;
	kind->after = after;
	dnnl_status_t status = choose_layout(kind);
	if (status == dnnl_success)
		return kind;
	(void)refuse("plan a linear layer", status, err);
	free(kind);
	return NULL;
}

static void free_compiled(struct compiled *compiled)
{
	(void)dnnl_memory_destroy(compiled->scratch);
	(void)dnnl_memory_destroy(compiled->target);
	(void)dnnl_memory_destroy(compiled->source);
	(void)dnnl_primitive_destroy(compiled->primitive);
	*compiled = (struct compiled){0};
}

void linear_kind_free(struct linear_kind *kind)
{
	if (kind == NULL)
		return;
	for (size_t i = 0; i < ROW_COUNTS; i++)
		free_compiled(&kind->compiled[i]);
	free(kind);
}

static dnnl_status_t make_memories(
	const struct linear_kind *kind, dnnl_primitive_desc_t planned, struct compiled *compiled)
{
	dnnl_engine_t engine = kind->engine->engine;
	dnnl_status_t status = dnnl_memory_create(&compiled->source,
		dnnl_primitive_desc_query_md(planned, dnnl_query_src_md, 0), engine,
		DNNL_MEMORY_NONE);
	if (status == dnnl_success)
		status = dnnl_memory_create(&compiled->target,
			dnnl_primitive_desc_query_md(planned, dnnl_query_dst_md, 0), engine,
			DNNL_MEMORY_NONE);
	if (status == dnnl_success)
		status = dnnl_memory_create(&compiled->scratch,
			dnnl_primitive_desc_query_md(planned, dnnl_query_scratchpad_md, 0), engine,
			DNNL_MEMORY_ALLOCATE);
	return status;
}

int linear_kind_prepare(struct linear_kind *kind, size_t rows, struct ss_error *err)
{
	struct compiled *compiled = &kind->compiled[row_index(rows)];
	dnnl_primitive_desc_t planned = NULL;
	if (compiled->primitive != NULL)
		return 0;
	dnnl_status_t status = plan(kind, linear_rows(rows), &kind->packed, &planned);
	if (status == dnnl_success)
		status = make_memories(kind, planned, compiled);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&compiled->primitive, planned);
	(void)dnnl_primitive_desc_destroy(planned);
	if (status == dnnl_success)
		return 0;
	free_compiled(compiled);
	return refuse("compile a linear layer", status, err);
}

static size_t weights_bytes(const struct linear_kind *kind)
{
	return align(dnnl_memory_desc_get_size(&kind->packed));
}

size_t linear_kind_packed(const struct linear_kind *kind)
{
	size_t vectors = kind->engine->precision == LINEAR_INT8 ? 3 : 1;
	return weights_bytes(kind) + align(vectors * kind->out * sizeof(float));
}

/* Copies the matrix DATA of the layout FROM to TARGET of the layout TO. */
static dnnl_status_t copy(struct linear_engine *engine, const dnnl_memory_desc_t *from,
	const void *data, const dnnl_memory_desc_t *to, void *target)
{
	dnnl_memory_t source = NULL, result = NULL;
	dnnl_primitive_desc_t planned = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_status_t status =
		dnnl_memory_create(&source, from, engine->engine, (void *)(uintptr_t)data);
	if (status == dnnl_success)
		status = dnnl_memory_create(&result, to, engine->engine, target);
	if (status == dnnl_success)
		status = dnnl_reorder_primitive_desc_create(
			&planned, from, engine->engine, to, engine->engine, NULL);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&reorder, planned);
	if (status == dnnl_success) {
		const dnnl_exec_arg_t arguments[] = {
			{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, result}};
		status = dnnl_primitive_execute(reorder, engine->stream, 2, arguments);
	}
	if (status == dnnl_success)
		status = dnnl_stream_wait(engine->stream);
	(void)dnnl_primitive_destroy(reorder);
	(void)dnnl_primitive_desc_destroy(planned);
	(void)dnnl_memory_destroy(result);
	(void)dnnl_memory_destroy(source);
	return status;
}

/* Writes WEIGHTS [out][in] over themselves as bytes, and the SCALES and TOTALS [out] of what they stand for. */
static void weights_to_bytes(
	const struct linear_kind *kind, float *weights, float *scales, float *totals)
{
	int8_t *bytes = (int8_t *)weights;
	for (size_t i = 0; i < kind->out; i++) {
		const float *row = weights + i * kind->in;
		float most = 0;
		long total = 0;
		for (size_t k = 0; k < kind->in; k++)
			most = fmaxf(most, fabsf(row[k]));
		scales[i] = most / 127;
		for (size_t k = 0; k < kind->in; k++) {
			long byte = most > 0 ? lrintf(row[k] / scales[i]) : 0;
			total += byte;
			*bytes++ = (int8_t)byte;
		}
		totals[i] = scales[i] * (float)total;
	}
}

int linear_pack(const struct linear_kind *kind, float *weights, const float *bias, void *packed,
	struct ss_error *err)
{
	const dnnl_dims_t sizes = {(dnnl_dim_t)kind->in, (dnnl_dim_t)kind->out};
	void *behind = (char *)packed + weights_bytes(kind);
	float *floats = behind;
	dnnl_data_type_t given_type = dnnl_f32;
	dnnl_memory_desc_t given;
	memcpy(floats, bias, kind->out * sizeof *floats);
	if (kind->engine->precision == LINEAR_INT8) {
		weights_to_bytes(kind, weights, floats + kind->out, floats + 2 * kind->out);
		given_type = dnnl_s8;
	}
	(void)dnnl_memory_desc_init_by_tag(&given, 2, sizes, given_type, dnnl_ba);
	dnnl_status_t status = copy(kind->engine, &given, weights, &kind->packed, packed);
	return status == dnnl_success ? 0
				      : refuse("pack the weights of a linear layer", status, err);
}

struct linear *linear_new(struct linear_kind *kind, const void *packed, struct ss_error *err)
{
	dnnl_memory_desc_t row;
	struct linear *linear = calloc(1, sizeof *linear);
	if (linear == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	linear->kind = kind;
	const void *behind = (const char *)packed + weights_bytes(kind);
	linear->floats = behind;
	describe(&row, dnnl_f32, 1, kind->out);
	dnnl_status_t status = dnnl_memory_create(
		&linear->weights, &kind->packed, kind->engine->engine, (void *)(uintptr_t)packed);
	if (status == dnnl_success)
		status = dnnl_memory_create(&linear->bias, &row, kind->engine->engine,
			(void *)(uintptr_t)linear->floats);
	if (status == dnnl_success)
		return linear;
	(void)refuse("use the weights of a linear layer", status, err);
	linear_free(linear);
	return NULL;
}

void linear_free(struct linear *linear)
{
	if (linear == NULL)
		return;
	(void)dnnl_memory_destroy(linear->bias);
	(void)dnnl_memory_destroy(linear->weights);
	free(linear);
}

/* The product of X and the weights, with what oneDNN does behind it, to Y. */
static int multiply(
	struct linear *linear, size_t rows, const void *x, void *y, struct ss_error *err)
{
	struct linear_kind *kind = linear->kind;
	if (linear_kind_prepare(kind, rows, err) < 0)
		return -1;
	const struct compiled *compiled = &kind->compiled[row_index(rows)];
	const dnnl_exec_arg_t arguments[] = {
		{DNNL_ARG_SRC, compiled->source}, {DNNL_ARG_WEIGHTS, linear->weights},
		{DNNL_ARG_DST, compiled->target}, {DNNL_ARG_SCRATCHPAD, compiled->scratch},
		{DNNL_ARG_BIAS, linear->bias}, /* not with LINEAR_INT8 */
	};
	int count = (int)(sizeof arguments / sizeof *arguments);
	dnnl_status_t status = dnnl_memory_set_data_handle(compiled->source, (void *)(uintptr_t)x);
	if (status == dnnl_success)
		status = dnnl_memory_set_data_handle(compiled->target, y);
	if (status == dnnl_success)
		status = dnnl_primitive_execute(compiled->primitive, kind->engine->stream,
			kind->engine->precision == LINEAR_INT8 ? count - 1 : count, arguments);
	if (status == dnnl_success)
		status = dnnl_stream_wait(kind->engine->stream);
	return status == dnnl_success ? 0 : refuse("run a linear layer", status, err);
}

/* What the sums of the engine stand for. */
static struct byte_product product_of(
	const struct linear *linear, size_t rows, const struct linear_matrix *x)
{
	size_t out = linear->kind->out;
	return (struct byte_product){
		.rows = rows,
		.columns = out,
		.sums = linear->kind->engine->sums,
		.ranges = x->ranges,
		.bias = linear->floats,
		.scales = linear->floats + out,
		.totals = linear->floats + 2 * out,
	};
}

int linear_run(struct linear *linear, size_t rows, const struct linear_matrix *x, float *y,
	struct ss_error *err)
{
	const struct linear_engine *engine = linear->kind->engine;
	if (engine->precision != LINEAR_INT8)
		return multiply(linear, rows, x->data, y, err);
	if (multiply(linear, rows, x->data, engine->sums, err) < 0)
		return -1;
	const struct byte_product product = product_of(linear, rows, x);
	engine->kernels->from_product(&product, y, linear->kind->after == LINEAR_ADD);
	return 0;
}

int linear_run_gelu(struct linear *linear, size_t rows, const struct linear_matrix *x,
	struct linear_matrix *y, struct ss_error *err)
{
	const struct linear_engine *engine = linear->kind->engine;
	if (engine->precision != LINEAR_INT8)
		return multiply(linear, rows, x->data, y->data, err);
	if (multiply(linear, rows, x->data, engine->sums, err) < 0)
		return -1;
	const struct byte_product product = product_of(linear, rows, x);
	engine->kernels->activate_product(&product, engine->row, y->data, y->ranges);
	return 0;
}
