# What cyext/src/_portfolio.simd.c does, once for every instruction-set level.
from skewline.cyext._black_loops cimport SKW_BLOCK, skw_black_columns, skw_rare
from skewline.cyext._columns cimport skw_column

cdef extern from "portfolio_loops.h":
    ctypedef struct skw_black_block:
        double[SKW_BLOCK] sign
        double[SKW_BLOCK] forward
        double[SKW_BLOCK] strike
        double[SKW_BLOCK] expiry
        double[SKW_BLOCK] discount
        double[SKW_BLOCK] fifth

    ctypedef struct skw_positions:
        skw_black_columns options
        skw_column vol_weight
        skw_column underlying

    ctypedef struct skw_scenarios:
        const double* forward_factor
        const double* vol_shock
        Py_ssize_t count
        skw_column time_passed
        skw_column rate_shift
        skw_column carry_shift
        int terms

    ctypedef struct skw_portfolio_loops:
        void (*inputs)(const skw_positions*, const skw_scenarios*, Py_ssize_t, Py_ssize_t, int,
                       skw_black_block*) noexcept nogil
        void (*values)(skw_black_block*, int, double*, skw_rare*) noexcept nogil

    const skw_portfolio_loops* skw_portfolio(int level) noexcept nogil
