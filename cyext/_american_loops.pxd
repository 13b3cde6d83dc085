# The groups of American puts that cyext/src/_american.simd.c does, once for every instruction-set level.
cdef extern from "american_loops.h":
    enum:
        SKW_AMERICAN_LANES
        SKW_AMERICAN_POINTS
        SKW_AMERICAN_RULE
        SKW_AMERICAN_STAGES

    ctypedef struct skw_american_rule:
        int size
        const double* sine
        const double* cosine
        const double* weight
        const double* rows

    ctypedef struct skw_american_stage:
        int points
        int sweeps
        const double* share
        const double* prolong
        skw_american_rule rule

    ctypedef struct skw_american_scheme:
        int stages
        skw_american_stage[SKW_AMERICAN_STAGES] stage
        double tolerance
        skw_american_rule premium

    ctypedef struct skw_american_group:
        double[SKW_AMERICAN_LANES] spot
        double[SKW_AMERICAN_LANES] expiry
        double[SKW_AMERICAN_LANES] rate
        double[SKW_AMERICAN_LANES] carry
        double[SKW_AMERICAN_LANES] vol

    ctypedef struct skw_american_puts:
        double[SKW_AMERICAN_LANES] price
        double[SKW_AMERICAN_LANES] delta
        double[SKW_AMERICAN_LANES] gamma

    ctypedef struct skw_american_quotes:
        double[SKW_AMERICAN_LANES] price
        double[SKW_AMERICAN_LANES] least
        double[SKW_AMERICAN_LANES] vol
        int[SKW_AMERICAN_LANES] found

    ctypedef struct skw_american_loops:
        void (*price)(const skw_american_group*, const skw_american_scheme*, double*, int*) noexcept nogil
        void (*puts)(const skw_american_group*, const skw_american_scheme*, skw_american_puts*, int*) noexcept nogil
        void (*implied)(const skw_american_group*, const skw_american_scheme*, skw_american_quotes*) noexcept nogil

    const skw_american_loops* skw_american(int level) noexcept nogil
