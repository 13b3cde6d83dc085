"""The pool of threads of all kernels: its size is settled at import, its threads are made when first asked for."""
from skewline.cyext.cores import most_threads

cdef extern from "pool.h":
    void skw_parallel_for(Body body, void* context, Py_ssize_t count, Py_ssize_t chunk, int threads) noexcept nogil
    void skw_pool_prepare(int most) noexcept nogil
    int skw_pool_workers() noexcept nogil

skw_pool_prepare(most_threads() - 1)


cdef void parallel_for(Body body, void* context, Py_ssize_t count, Py_ssize_t chunk, int threads) noexcept nogil:
    skw_parallel_for(body, context, count, chunk, threads)


def workers():
    """How many threads the pool has made so far in this process."""
    return skw_pool_workers()
