# cython: boundscheck=False, wraparound=False, initializedcheck=False
# Columns of a kernel's arguments (cyext/src/columns.h) from memoryviews, and single values of them.
cdef extern from "columns.h":
    ctypedef struct skw_column:
        const char* data
        Py_ssize_t stride


cdef inline skw_column doubles_column(const double[:] values) noexcept nogil:
    cdef skw_column c
    c.data = <const char*> &values[0]
    c.stride = values.strides[0]
    return c


cdef inline skw_column flags_column(const unsigned char[:] values) noexcept nogil:
    cdef skw_column c
    c.data = <const char*> &values[0]
    c.stride = values.strides[0]
    return c


cdef inline double double_at(skw_column c, Py_ssize_t i) noexcept nogil:
    return (<const double*> (c.data + i * c.stride))[0]


cdef inline unsigned char flag_at(skw_column c, Py_ssize_t i) noexcept nogil:
    return (<const unsigned char*> (c.data + i * c.stride))[0]
