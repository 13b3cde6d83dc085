# The fit and the values of a smile that cyext/src/_variance_smile.simd.c makes, once for every instruction-set level.
cdef extern from "variance_smile_loops.h":
    enum:
        SKW_MORE_KNOTS

    ctypedef struct skw_smile:
        Py_ssize_t count
        const double* knot
        const double* variance
        const double* curvature

    ctypedef struct skw_essvi_slice:
        double theta
        double rho
        double psi

    ctypedef struct skw_smile_problem:
        Py_ssize_t count
        const double* k
        const double* lower
        const double* upper
        const double* middle
        skw_essvi_slice slice
        skw_essvi_slice slice_before
        double roughness
        double spacing
        const skw_smile* before

    ctypedef struct skw_smile_result:
        Py_ssize_t count
        double inside
        double violation
        double least_g
        double calendar
        double step
        int iterations
        int steps
        int converged

    ctypedef struct skw_variance_smile_loops:
        Py_ssize_t (*workspace)(Py_ssize_t, Py_ssize_t) noexcept nogil
        void (*fit)(const skw_smile_problem*, double*, double*, double*, double*, skw_smile_result*) noexcept nogil
        void (*evaluate)(const skw_smile*, const double*, Py_ssize_t, double*, double*, double*) noexcept nogil

    const skw_variance_smile_loops* skw_variance_smile(int level) noexcept nogil
