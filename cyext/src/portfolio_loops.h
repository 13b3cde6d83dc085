/* What cyext/src/_portfolio.simd.c does, once for every instruction-set level: one option in a block of scenarios. */
#ifndef SKW_PORTFOLIO_LOOPS_H
#define SKW_PORTFOLIO_LOOPS_H
#include "black_value.h"

/* One entry an option: strided as an argument of black.price; `underlying` (ptrdiff_t) is its row in what follows. */
typedef struct {
    skw_black_columns options;
    skw_column vol_weight, underlying;
} skw_positions;

/* One entry a scenario: forward and vol in contiguous rows, one an underlying; the others as columns. `terms` is 0 where
 * expiry and discount are those of the option in every scenario. */
typedef struct {
    const double *forward_factor, *vol_shock;
    ptrdiff_t count;
    skw_column time_passed, rate_shift, carry_shift;
    int terms;
} skw_scenarios;

/* inputs: the option's arguments in scenarios [start, start + count), count <= SKW_BLOCK.
 * values: their prices, and in `rare` what it has left to the scalar code; the block is altered. */
typedef struct {
    void (*inputs)(const skw_positions *positions, const skw_scenarios *scenarios, ptrdiff_t option, ptrdiff_t start,
                   int count, skw_black_block *out);
    void (*values)(skw_black_block *block, int count, double *out, skw_rare *rare);
} skw_portfolio_loops;

SKW_TABLE(skw_portfolio_loops, skw_portfolio)

#endif
