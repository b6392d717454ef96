/*
 * The part of FAISS's C API that the plugin uses, over the C++ library, with the signatures of
 * faiss/c_api. No exception leaves these functions: it becomes an error code and a text.
 */
#include <faiss/AutoTune.h>
#include <faiss/Index.h>
#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_factory.h>

#include <exception>
#include <string>

namespace
{

/* The API reports the last error of the calling thread. */
thread_local std::string last_error;

faiss::Index *unwrap(FaissIndex *index)
{
	return reinterpret_cast<faiss::Index *>(index);
}

const faiss::Index *unwrap(const FaissIndex *index)
{
	return reinterpret_cast<const faiss::Index *>(index);
}

template <typename Work> int guarded(Work work)
{
	try {
		work();
		return OK;
	} catch (const faiss::FaissException &e) {
		last_error = e.what();
		return FAISS_EXCEPT;
	} catch (const std::exception &e) {
		last_error = e.what();
		return STD_EXCEPT;
	} catch (...) {
		last_error = "unknown exception";
		return UNKNOWN_EXCEPT;
	}
}

} // namespace

extern "C" {

const char *faiss_get_last_error()
{
	return last_error.c_str();
}

int faiss_index_factory(
	FaissIndex **p_index, int d, const char *description, FaissMetricType metric)
{
	return guarded([=] {
		*p_index = reinterpret_cast<FaissIndex *>(
			faiss::index_factory(d, description, static_cast<faiss::MetricType>(metric)));
	});
}

int faiss_Index_add(FaissIndex *index, idx_t n, const float *x)
{
	return guarded([=] { unwrap(index)->add(n, x); });
}

int faiss_Index_search(const FaissIndex *index, idx_t n, const float *x, idx_t k, float *distances,
	idx_t *labels)
{
	return guarded([=] { unwrap(index)->search(n, x, k, distances, labels); });
}

void faiss_Index_free(FaissIndex *index)
{
	delete unwrap(index);
}

int faiss_ParameterSpace_new(FaissParameterSpace **space)
{
	return guarded(
		[=] { *space = reinterpret_cast<FaissParameterSpace *>(new faiss::ParameterSpace()); });
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
}
