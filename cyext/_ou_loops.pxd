# The sums over a series that cyext/src/_ou.simd.c makes, once for every instruction-set level.
cdef extern from "ou_loops.h":
    enum:
        SKW_OU_ROOM

    ctypedef struct skw_ou_line:
        double centre
        double rise
        double slope
        double sxx
        double sse
        Py_ssize_t steps

    ctypedef struct skw_ou_path:
        double* x
        double* rise
        double* step
        double* decay
        double* w
        double* w1
        double* w2
        double* inverse_v
        Py_ssize_t size
        double centre
        double x_unit
        double t_unit
        double total
        double least
        double most
        double sxx
        double syy

    ctypedef struct skw_ou_point:
        double a
        double s
        double sk
        double skk
        double saa
        double ska
        double l1
        double l2

    ctypedef struct skw_ou_loops:
        skw_ou_line (*line)(const double*, Py_ssize_t) noexcept nogil
        void (*prepare)(const double*, const double*, Py_ssize_t, skw_ou_path*) noexcept nogil
        skw_ou_point (*at)(const skw_ou_path*, double) noexcept nogil
        double (*log_sum)(const skw_ou_path*) noexcept nogil

    const skw_ou_loops* skw_ou(int level) noexcept nogil
