#include "linear.h"

#include <dnnl.h>
#include <stdint.h>
#include <stdlib.h>

/* At most an eighth more than asked for above 32 rows, and at most three rows more below. */
static const uint16_t row_counts[] = {4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112,
	128, 160, 192, 224, 256, 320, 384, 448, LINEAR_ROWS_LIMIT};

enum {
	ROW_COUNTS = sizeof row_counts / sizeof *row_counts,
	PACKING_ROWS = 64, /* the number of rows that the weights' layout is chosen for */
};

struct linear_engine {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

/* What was compiled for one number of rows. */
struct compiled {
	dnnl_primitive_t primitive; /* NULL: nothing yet */
	dnnl_memory_t source, target, scratch;
};

struct linear_kind {
	struct linear_engine *engine;
	size_t in, out;
	bool gelu;
	dnnl_memory_desc_t packed; /* the layout of the weights */
	struct compiled compiled[ROW_COUNTS];
};

struct linear {
	struct linear_kind *kind;
	dnnl_memory_t weights, bias;
};

static int refuse(const char *what, dnnl_status_t status, struct ss_error *err)
{
	return ss_fail(err, "oneDNN cannot %s (status %d)", what, (int)status);
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

/* A matrix of ROWS by COLUMNS floats, row by row. */
static void describe(dnnl_memory_desc_t *description, size_t rows, size_t columns)
{
	const dnnl_dims_t sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)columns};
	(void)dnnl_memory_desc_init_by_tag(description, 2, sizes, dnnl_f32, dnnl_ab);
}

struct linear_engine *linear_engine_new(struct ss_error *err)
{
	struct linear_engine *engine = calloc(1, sizeof *engine);
	if (engine == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	dnnl_status_t status = dnnl_engine_create(&engine->engine, dnnl_cpu, 0);
	if (status == dnnl_success)
		status = dnnl_stream_create(
			&engine->stream, engine->engine, dnnl_stream_default_flags);
	if (status == dnnl_success)
		return engine;
	(void)refuse("use this processor", status, err);
	linear_engine_free(engine);
	return NULL;
}

void linear_engine_free(struct linear_engine *engine)
{
	if (engine == NULL)
		return;
	(void)dnnl_stream_destroy(engine->stream);
	(void)dnnl_engine_destroy(engine->engine);
	free(engine);
}

static dnnl_status_t make_attributes(bool gelu, dnnl_primitive_attr_t *attributes)
{
	dnnl_post_ops_t operations = NULL;
	dnnl_status_t status = dnnl_primitive_attr_create(attributes);
	/* Scratch memory of our own, since oneDNN's belongs to the thread that compiled. */
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_scratchpad_mode(
			*attributes, dnnl_scratchpad_mode_user);
	if (status != dnnl_success || !gelu)
		return status;
	status = dnnl_post_ops_create(&operations);
	if (status == dnnl_success)
		status = dnnl_post_ops_append_eltwise(
			operations, 1.0f, dnnl_eltwise_gelu_erf, 0.0f, 0.0f);
	if (status == dnnl_success)
		status = dnnl_primitive_attr_set_post_ops(*attributes, operations);
	(void)dnnl_post_ops_destroy(operations);
	return status;
}

/* Plans the product of ROWS rows with weights of the layout WEIGHTS, which may be any. */
static dnnl_status_t plan(const struct linear_kind *kind, size_t rows,
	const dnnl_memory_desc_t *weights, dnnl_primitive_desc_t *result)
{
	dnnl_memory_desc_t source, bias, target;
	dnnl_matmul_desc_t product;
	dnnl_primitive_attr_t attributes = NULL;
	describe(&source, rows, kind->in);
	describe(&bias, 1, kind->out);
	describe(&target, rows, kind->out);
	dnnl_status_t status = dnnl_matmul_desc_init(&product, &source, weights, &bias, &target);
	if (status == dnnl_success)
		status = make_attributes(kind->gelu, &attributes);
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
	(void)dnnl_memory_desc_init_by_tag(&any, 2, sizes, dnnl_f32, dnnl_format_tag_any);
	dnnl_status_t status = plan(kind, PACKING_ROWS, &any, &planned);
	if (status == dnnl_success)
		kind->packed = *dnnl_primitive_desc_query_md(planned, dnnl_query_weights_md, 0);
	(void)dnnl_primitive_desc_destroy(planned);
	return status;
}

struct linear_kind *linear_kind_new(
	struct linear_engine *engine, size_t in, size_t out, bool gelu, struct ss_error *err)
{
	struct linear_kind *kind = calloc(1, sizeof *kind);
	if (kind == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	kind->engine = engine;
	kind->in = in;
	kind->out = out;
	kind->gelu = gelu;
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

/* Copies the matrix DATA of the layout FROM into TARGET's layout. */
static dnnl_status_t copy(struct linear_engine *engine, const dnnl_memory_desc_t *from,
	const float *data, const dnnl_memory_desc_t *to, dnnl_memory_t target)
{
	dnnl_memory_t source = NULL;
	dnnl_primitive_desc_t planned = NULL;
	dnnl_primitive_t reorder = NULL;
	dnnl_status_t status =
		dnnl_memory_create(&source, from, engine->engine, (void *)(uintptr_t)data);
	if (status == dnnl_success)
		status = dnnl_reorder_primitive_desc_create(
			&planned, from, engine->engine, to, engine->engine, NULL);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&reorder, planned);
	if (status == dnnl_success) {
		const dnnl_exec_arg_t arguments[] = {
			{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}};
		status = dnnl_primitive_execute(reorder, engine->stream, 2, arguments);
	}
	if (status == dnnl_success)
		status = dnnl_stream_wait(engine->stream);
	(void)dnnl_primitive_destroy(reorder);
	(void)dnnl_primitive_desc_destroy(planned);
	(void)dnnl_memory_destroy(source);
	return status;
}

struct linear *linear_new(
	struct linear_kind *kind, const float *weights, const float *bias, struct ss_error *err)
{
	const dnnl_dims_t sizes = {(dnnl_dim_t)kind->in, (dnnl_dim_t)kind->out};
	struct linear_engine *engine = kind->engine;
	dnnl_memory_desc_t given, row;
	struct linear *linear = calloc(1, sizeof *linear);
	if (linear == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	linear->kind = kind;
	(void)dnnl_memory_desc_init_by_tag(&given, 2, sizes, dnnl_f32, dnnl_ba);
	describe(&row, 1, kind->out);
	dnnl_status_t status = dnnl_memory_create(
		&linear->weights, &kind->packed, engine->engine, DNNL_MEMORY_ALLOCATE);
	if (status == dnnl_success)
		status = dnnl_memory_create(
			&linear->bias, &row, engine->engine, DNNL_MEMORY_ALLOCATE);
	if (status == dnnl_success)
		status = copy(engine, &given, weights, &kind->packed, linear->weights);
	if (status == dnnl_success)
		status = copy(engine, &row, bias, &row, linear->bias);
	if (status == dnnl_success)
		return linear;
	(void)refuse("pack the weights of a linear layer", status, err);
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

int linear_run(struct linear *linear, size_t rows, const float *x, float *y, struct ss_error *err)
{
	struct linear_kind *kind = linear->kind;
	if (linear_kind_prepare(kind, rows, err) < 0)
		return -1;
	const struct compiled *compiled = &kind->compiled[row_index(rows)];
	const dnnl_exec_arg_t arguments[] = {
		{DNNL_ARG_SRC, compiled->source},
		{DNNL_ARG_WEIGHTS, linear->weights},
		{DNNL_ARG_BIAS, linear->bias},
		{DNNL_ARG_DST, compiled->target},
		{DNNL_ARG_SCRATCHPAD, compiled->scratch},
	};
	dnnl_status_t status = dnnl_memory_set_data_handle(compiled->source, (void *)(uintptr_t)x);
	if (status == dnnl_success)
		status = dnnl_memory_set_data_handle(compiled->target, y);
	if (status == dnnl_success)
		status = dnnl_primitive_execute(compiled->primitive, kind->engine->stream,
			sizeof arguments / sizeof *arguments, arguments);
	if (status == dnnl_success)
		status = dnnl_stream_wait(kind->engine->stream);
	return status == dnnl_success ? 0 : refuse("run a linear layer", status, err);
}
