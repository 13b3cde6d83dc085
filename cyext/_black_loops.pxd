# The blocks of options that cyext/src/_black.simd.c does, once for every instruction-set level.
from skewline.cyext._columns cimport skw_column

cdef extern from "black_loops.h":
    enum:
        SKW_BLOCK

    ctypedef struct skw_rare:
        int any
        unsigned char[SKW_BLOCK] lane

    ctypedef struct skw_black_columns:
        skw_column is_call
        skw_column forward
        skw_column strike
        skw_column expiry
        skw_column discount
        skw_column fifth

    ctypedef struct skw_black_loops:
        void (*price)(const skw_black_columns*, Py_ssize_t, int, double*, skw_rare*) noexcept nogil
        void (*greeks)(const skw_black_columns*, Py_ssize_t, int, double*, Py_ssize_t, skw_rare*) noexcept nogil
        void (*implied)(const skw_black_columns*, Py_ssize_t, int, double*, skw_rare*) noexcept nogil

    const skw_black_loops* skw_black(int level) noexcept nogil
