# What cyext/src/_heston.simd.c does, once for every instruction-set level.
cdef extern from "heston_loops.h":
    ctypedef struct skw_heston_model:
        double v0
        double kappa
        double theta
        double sigma
        double rho

    ctypedef struct skw_heston_accuracy:
        double digits
        double negligible
        double noise

    const skw_heston_accuracy SKW_HESTON_EXACT
    const skw_heston_accuracy SKW_HESTON_COARSE

    ctypedef struct skw_heston_group:
        double expiry
        double widest
        Py_ssize_t begin
        Py_ssize_t end
        int upper

    ctypedef struct skw_heston_quotes:
        const double* distance
        const double* vols
        const double* weights
        double* model_vols
        double* terms

    ctypedef struct skw_heston_sums:
        double sse
        double[5] right
        double[15] normal

    ctypedef struct skw_heston_loops:
        void (*controls)(const double*, const double*, Py_ssize_t, double*) noexcept nogil
        void (*prices)(const skw_heston_model*, const skw_heston_group*, const double*, double*) noexcept nogil
        void (*residuals)(const skw_heston_model*, const skw_heston_accuracy*, const skw_heston_group*,
                          const skw_heston_quotes*, int, skw_heston_sums*) noexcept nogil

    const skw_heston_loops* skw_heston(int level) noexcept nogil
