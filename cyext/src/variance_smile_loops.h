/* What cyext/src/_variance_smile.simd.c exports, once for every instruction-set level. */
#ifndef SKW_VARIANCE_SMILE_LOOPS_H
#define SKW_VARIANCE_SMILE_LOOPS_H
#include <stddef.h>
#include "isa.h"

/* Knots of a fitted smile beyond one a quote, at most. */
#define SKW_MORE_KNOTS 21

/* A smile: total variance w and w'' at `count` rising knots of log-moneyness, cubic between them and linear beyond. */
typedef struct {
    ptrdiff_t count;
    const double *knot, *variance, *curvature;
} skw_smile;

/* w(k) = (theta + rho psi k + sqrt((psi k + theta rho)² + theta² (1 - rho²))) / 2 */
typedef struct {
    double theta, rho, psi;
} skw_essvi_slice;

/* Quotes of one expiry by rising, distinct log-moneyness, as total variances; lower is 0 where there is no bid. */
typedef struct {
    ptrdiff_t count;
    const double *k, *lower, *upper, *middle;
    skw_essvi_slice slice, slice_before; /* of this expiry and of that before; this theta sets the scales */
    double roughness;        /* price of the squared third derivative */
    double spacing;          /* of knots, at least, in standard deviations sqrt(theta) */
    const skw_smile *before; /* the expiry before, or NULL */
} skw_smile_problem;

typedef struct {
    ptrdiff_t count; /* knots */
    double inside, violation, least_g, calendar, step;
    int iterations, steps, converged;
} skw_smile_result;

typedef struct {
    /* Doubles of workspace for `quotes` of them after a smile of `before` knots. */
    ptrdiff_t (*workspace)(ptrdiff_t quotes, ptrdiff_t before);
    /* Knots and what belongs to them have room for quotes + SKW_MORE_KNOTS. */
    void (*fit)(const skw_smile_problem *problem, double *workspace, double *knot, double *variance,
                double *curvature, skw_smile_result *result);
    /* w, w' and w'' at each k. */
    void (*evaluate)(const skw_smile *smile, const double *k, ptrdiff_t count, double *w, double *slope,
                     double *curvature);
} skw_variance_smile_loops;

SKW_TABLE(skw_variance_smile_loops, skw_variance_smile)
#endif
