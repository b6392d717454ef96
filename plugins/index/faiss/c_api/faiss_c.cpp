/*
 * The functions of FAISS's C API that the plugin uses, as the headers in faiss/c_api declare them, over the
 * C++ library. Built only where there is no libfaiss_c: Debian ships the headers without it.
 *
 * No exception leaves a function: it returns FAISS's error code, and faiss_get_last_error() says what
 * it was. Any thread; an index is used by one thread at a time.
 */
#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/IndexFlat_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>
#include <faiss/c_api/utils/distances_c.h>

#include <faiss/AutoTune.h>
#include <faiss/IndexFlat.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <faiss/utils/distances.h>

#include <cstdio>
#include <exception>

namespace
{

thread_local char last_error[512];

int fail(FaissErrorCode code, const char *what) noexcept
{
	(void)std::snprintf(last_error, sizeof last_error, "%s", what);
	return code;
}

template <typename Work> int guarded(Work work) noexcept
{
	try {
		work();
		return OK;
	} catch (const faiss::FaissException &exception) {
		return fail(FAISS_EXCEPT, exception.what());
	} catch (const std::exception &exception) {
		return fail(STD_EXCEPT, exception.what());
	} catch (...) {
		return fail(UNKNOWN_EXCEPT, "unknown exception");
	}
}

faiss::Index *unwrap(FaissIndex *index)
{
	return reinterpret_cast<faiss::Index *>(index);
}

const faiss::Index *unwrap(const FaissIndex *index)
{
	return reinterpret_cast<const faiss::Index *>(index);
}

FaissIndex *wrap(faiss::Index *index)
{
	return reinterpret_cast<FaissIndex *>(index);
}

} // namespace

extern "C" {

const char *faiss_get_last_error()
{
	return last_error;
}

int faiss_IndexFlatIP_new_with(FaissIndexFlatIP **p_index, idx_t d)
{
	return guarded([=] { *p_index = wrap(new faiss::IndexFlatIP(d)); });
}

int faiss_index_factory(
	FaissIndex **p_index, int d, const char *description, FaissMetricType metric)
{
	return guarded([=] {
		*p_index = wrap(faiss::index_factory(
			d, description, static_cast<faiss::MetricType>(metric)));
	});
}

int faiss_Index_add(FaissIndex *index, idx_t n, const float *x)
{
	return guarded([=] { unwrap(index)->add(n, x); });
}

int faiss_Index_search(
	const FaissIndex *index, idx_t n, const float *x, idx_t k, float *distances, idx_t *labels)
{
	return guarded([=] { unwrap(index)->search(n, x, k, distances, labels); });
}

int faiss_Index_d(const FaissIndex *index)
{
	return unwrap(index)->d;
}

idx_t faiss_Index_ntotal(const FaissIndex *index)
{
	return unwrap(index)->ntotal;
}

FaissMetricType faiss_Index_metric_type(const FaissIndex *index)
{
	return static_cast<FaissMetricType>(unwrap(index)->metric_type);
}

int faiss_write_index(const FaissIndex *idx, FILE *f)
{
	return guarded([=] { faiss::write_index(unwrap(idx), f); });
}

int faiss_read_index(FILE *f, int io_flags, FaissIndex **p_out)
{
	return guarded([=] { *p_out = wrap(faiss::read_index(f, io_flags)); });
}

void faiss_Index_free(FaissIndex *index)
{
	delete unwrap(index);
}

int faiss_ParameterSpace_new(FaissParameterSpace **space)
{
	return guarded([=] {
		*space = reinterpret_cast<FaissParameterSpace *>(new faiss::ParameterSpace());
	});
}

int faiss_ParameterSpace_set_index_parameter(
	const FaissParameterSpace *space, FaissIndex *index, const char *name, double value)
{
	return guarded([=] {
		reinterpret_cast<const faiss::ParameterSpace *>(space)->set_index_parameter(
			unwrap(index), name, value);
	});
}

void faiss_ParameterSpace_free(FaissParameterSpace *space)
{
	delete reinterpret_cast<faiss::ParameterSpace *>(space);
}

void faiss_set_distance_compute_blas_threshold(int value)
{
	faiss::distance_compute_blas_threshold = value;
}
}
