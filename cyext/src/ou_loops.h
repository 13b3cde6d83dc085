/* Ornstein–Uhlenbeck sums over one series, once for every instruction-set level. */
#ifndef SKW_OU_LOOPS_H
#define SKW_OU_LOOPS_H
#include <stddef.h>
#include "isa.h"

/* Least squares of the increments on the observations before them: x' - x = rise + slope (x - centre) + e. */
typedef struct {
    double centre; /* mean of the observations that a step starts from */
    double rise;   /* mean increment */
    double slope;  /* e^{-κΔ} - 1 */
    double sxx;    /* Σ (x - centre)² */
    double sse;    /* Σ e² */
    ptrdiff_t steps;
} skw_ou_line;

/* A series seen at unequal steps, one element a step, about its centre and in units that are powers of two. */
typedef struct {
    double *x, *rise, *step;     /* where each step starts, what it adds, how long it takes */
    /* Work space: e^{-κΔ}, ∫ e^{-κs} ds over the step with its derivatives in κ, and 1/v. */
    double *decay, *w, *w1, *w2, *inverse_v;
    ptrdiff_t size;
    double centre, x_unit, t_unit;
    double total, least, most; /* steps' sum and extremes */
    double sxx, syy;           /* squares about the means of where steps start and end */
} skw_ou_path;

#define SKW_OU_ROOM 8 /* arrays of a path */

/* At one κ: the best a = κ(m - centre), S(κ, a) = Σ r²/v, derivatives of S, and of Σ ln v in κ. */
typedef struct {
    double a, s, sk, skk, saa, ska, l1, l2;
} skw_ou_point;

typedef struct {
    /* Of n observations; a step with an end that is not finite is left out. */
    skw_ou_line (*line)(const double *x, ptrdiff_t n);
    /* From n observations and the n - 1 steps between them; steps at an observation that is not finite become one. */
    void (*prepare)(const double *x, const double *step, ptrdiff_t n, skw_ou_path *path);
    skw_ou_point (*at)(const skw_ou_path *path, double kappa);
    /* Σ ln v at the κ of the last call of `at`. */
    double (*log_sum)(const skw_ou_path *path);
} skw_ou_loops;

SKW_TABLE(skw_ou_loops, skw_ou)

#endif
