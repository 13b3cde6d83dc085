# The sums over a series that cyext/src/_ou.simd.c makes, once for every instruction-set level.
cdef extern from "ou_loops.h":
    ctypedef struct skw_ou_line:
        double centre
        double rise
        double slope
        double sxx
        double sse
        Py_ssize_t steps

    ctypedef struct skw_ou_loops:
        skw_ou_line (*line)(const double*, Py_ssize_t) noexcept nogil

    const skw_ou_loops* skw_ou(int level) noexcept nogil
