# What cyext/src/_sabr.simd.c does, once for every instruction-set level.
from skewline.cyext._columns cimport skw_column

cdef extern from "sabr_loops.h":
    enum:
        SKW_BLOCK

    Py_ssize_t SKW_SABR_ROOM(Py_ssize_t count) noexcept nogil

    int SKW_SABR_OK, SKW_SABR_NON_FINITE, SKW_SABR_EXPIRED, SKW_SABR_NOT_CONVERGED
    int SKW_SABR_OUT_OF_DOMAIN, SKW_SABR_TOO_FEW

    ctypedef struct skw_sabr_columns:
        skw_column forward
        skw_column strike
        skw_column expiry
        skw_column alpha
        skw_column beta
        skw_column rho
        skw_column nu
        skw_column shift

    ctypedef struct skw_sabr_quotes:
        double forward
        double expiry
        double beta
        double shift
        const double* strikes
        const double* vols
        const double* weights
        Py_ssize_t count
        int obloj
        double* room

    ctypedef struct skw_sabr_fit:
        double[4] value
        double[4] error
        double rmse
        double condition
        int iterations
        int outcome

    ctypedef struct skw_sabr_loops:
        void (*vols)(const skw_sabr_columns*, int, Py_ssize_t, int, double*) noexcept nogil
        skw_sabr_fit (*fit)(const skw_sabr_quotes*) noexcept nogil

    const skw_sabr_loops* skw_sabr(int level) noexcept nogil
