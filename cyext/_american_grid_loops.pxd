# What cyext/src/_american_grid.simd.c does, once for every instruction-set level.
cdef extern from "american_grid.h":
    enum:
        SKW_GRID_LANES

    ctypedef struct skw_grid_option:
        double sign
        double spot
        double strike
        double expiry
        double rate
        double carry
        double vol
        double low
        double step

    ctypedef struct skw_grid_plan:
        int points
        int dividends
        int connected
        const double* times
        const double* amounts
        const int* steps

    ctypedef struct skw_grid_value:
        double price
        double delta
        double gamma
        double speed
        int exercised

    ctypedef struct skw_grid_loops:
        int (*solve)(const skw_grid_plan*, const skw_grid_option*, int, skw_grid_value*) noexcept nogil

    const skw_grid_loops* skw_grid(int level) noexcept nogil
