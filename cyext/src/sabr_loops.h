/* What there is of SABR once for every instruction-set level. */
#ifndef SKW_SABR_LOOPS_H
#define SKW_SABR_LOOPS_H
#include "columns.h"
#include "isa.h"

typedef struct {
    skw_column forward, strike, expiry, alpha, beta, rho, nu, shift;
} skw_sabr_columns;

/* `beta` NaN: to be found. `room` holds SKW_SABR_ROOM(count) doubles. Weights may be NULL (all 1). */
typedef struct {
    double forward, expiry, beta, shift;
    const double *strikes, *vols, *weights;
    ptrdiff_t count;
    int obloj;
    double *room;
} skw_sabr_quotes;

#define SKW_SABR_ROOM(count) (6 * (((count) + 7) / 8 * 8))

enum { SKW_SABR_OK, SKW_SABR_NON_FINITE, SKW_SABR_EXPIRED, SKW_SABR_NOT_CONVERGED, SKW_SABR_OUT_OF_DOMAIN, SKW_SABR_TOO_FEW };

/* Parameters and errors in the order α, β, ρ, ν. */
typedef struct {
    double value[4], error[4], rmse, condition;
    int iterations, outcome;
} skw_sabr_fit;

typedef struct {
    /* Elements [start, start + count), count <= SKW_BLOCK; NaN outside the formula's domain. */
    void (*vols)(const skw_sabr_columns *in, int obloj, ptrdiff_t start, int count, double *out);
    skw_sabr_fit (*fit)(const skw_sabr_quotes *quotes);
} skw_sabr_loops;

SKW_TABLE(skw_sabr_loops, skw_sabr)

#endif
