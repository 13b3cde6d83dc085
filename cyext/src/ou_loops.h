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

typedef struct {
    /* Of n observations; a step with an end that is not finite is left out. */
    skw_ou_line (*line)(const double *x, ptrdiff_t n);
} skw_ou_loops;

SKW_TABLE(skw_ou_loops, skw_ou)

#endif
