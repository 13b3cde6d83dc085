/* What of the Heston model exists once for every instruction-set level. */
#ifndef SKW_HESTON_LOOPS_H
#define SKW_HESTON_LOOPS_H
#include <stddef.h>
#include "isa.h"

typedef struct {
    double v0, kappa, theta, sigma, rho;
} skw_heston_model;

/* How exactly a Fourier integral is summed: the trapezoidal rule's error is about e^-digits, and the sum ends where its
 * terms are below `negligible`. By what that does to the vols of the farthest wings, a fit's sum of squares is smooth down to
 * about the share `noise` of it and not below. */
typedef struct {
    double digits, negligible, noise;
} skw_heston_accuracy;

/* Prices to 1e-12 of the forward; for the way to an optimum 1e-7 does. */
static const skw_heston_accuracy SKW_HESTON_EXACT = {27.0, 1e-16, 1e-6}, SKW_HESTON_COARSE = {16.0, 1e-9, 1e-4};

/* Options of one expiry and one side of the forward, near enough to each other to share a contour: positions
 * [begin, end) of arrays of |ln(F/K)|, none above `widest`. */
typedef struct {
    double expiry, widest;
    ptrdiff_t begin, end;
    int upper; /* F >= K */
} skw_heston_group;

/* Columns of a surface to be fitted, in the order of its groups; `vols` etc. are those of the market. */
typedef struct {
    const double *distance, *vols, *weights;
    double *model_vols, *terms; /* terms: room for six numbers a quote */
} skw_heston_quotes;

/* The normal equations in (v0, κ, θ, σ, ρ) of the differences in vol: half of them, row a, column b <= a at a (a + 1)/2 + b. */
typedef struct {
    double sse, right[5], normal[15];
} skw_heston_sums;

/* controls: Black's out-of-the-money prices in units of √(FK), each with its own σ√T. prices: out-of-the-money prices of a
 * group in units of D√(FK). residuals: the group's share of the sums. */
typedef struct {
    void (*controls)(const double *distance, const double *deviation, ptrdiff_t count, double *out);
    void (*prices)(const skw_heston_model *model, const skw_heston_group *group, const double *distance, double *out);
    void (*residuals)(const skw_heston_model *model, const skw_heston_accuracy *accuracy, const skw_heston_group *group,
                      const skw_heston_quotes *quotes, int with_gradient, skw_heston_sums *sums);
} skw_heston_loops;

SKW_TABLE(skw_heston_loops, skw_heston)

#endif
