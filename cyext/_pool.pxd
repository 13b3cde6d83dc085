# The process's one pool of threads (cyext/src/_pool.c): cimported, so that all kernels share this module's.
ctypedef void (*Body)(void* context, Py_ssize_t index) noexcept nogil

cdef extern from "pool.h":
    void skw_raise(int* flag) noexcept nogil

cdef void parallel_for(Body body, void* context, Py_ssize_t count, Py_ssize_t chunk, int threads) noexcept nogil
