/*
 * One thread for a library that is built with OpenMP. A plugin computes on the thread that calls it
 * and starts no others: the server runs one process a core already.
 *
 * The number of threads is a setting of the calling thread alone (OpenMP's nthreads-var), so nobody
 * else's changes. Any thread.
 */
#ifndef COMMON_OPENMP_H
#define COMMON_OPENMP_H

/* From OpenMP's C binding. The header omp.h comes with a compiler's own runtime, which need not be the
 * one that the library uses. */
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);

/* Limits what the calling thread starts to one thread. Returns what openmp_restore() takes. */
static inline int openmp_single(void)
{
	int threads = omp_get_max_threads();
	omp_set_num_threads(1);
	return threads;
}

static inline void openmp_restore(int threads)
{
	omp_set_num_threads(threads);
}

#endif
