/* The loops over blocks of options that exist once for every instruction-set level. */
#ifndef SKW_BLACK_LOOPS_H
#define SKW_BLACK_LOOPS_H
#include "columns.h"
#include "isa.h"

/* is_call holds bytes, 0 or not; fifth is the volatility, or for implied volatility the price. */
typedef struct {
    skw_column is_call, forward, strike, expiry, discount, fifth;
} skw_black_columns;

/* Each does elements [start, start + count), count <= SKW_BLOCK, and marks in `rare` what it has not done.
 * greeks: row r of the result goes to out[r * rows ... ]. */
typedef struct {
    void (*price)(const skw_black_columns *in, ptrdiff_t start, int count, double *out, skw_rare *rare);
    void (*greeks)(const skw_black_columns *in, ptrdiff_t start, int count, double *out, ptrdiff_t rows, skw_rare *rare);
    void (*implied)(const skw_black_columns *in, ptrdiff_t start, int count, double *out, skw_rare *rare);
} skw_black_loops;

SKW_TABLE(skw_black_loops, skw_black)

#endif
