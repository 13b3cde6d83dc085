/* American options with cash dividends on a finite-difference grid: what the loops in _american_grid.simd.c take and give. */
#ifndef SKW_AMERICAN_GRID_H
#define SKW_AMERICAN_GRID_H
#include "isa.h"

enum { SKW_GRID_LANES = 16, SKW_GRID_MOST_POINTS = 2048 };

/* One option; `sign` is +1 for a call, -1 for a put. The nodes are low + i step, i = 0, 1, ..., in the coordinate
 * ln S + (rate - carry - vol²/2)(time to expiry), in which the logarithm of the asset has no drift. */
typedef struct {
    double sign, spot, strike, expiry, rate, carry, vol, low, step;
} skw_grid_option;

/* What the options of a group share: the number of nodes, the dividends in (0, expiry] and the number of time steps
 * from expiry back to the last dividend (steps[0]), from there to the last but one, ..., to now (steps[dividends]).
 * `connected`: where exercise is optimal it is so for every price beyond, so that one sweep solves for it. */
typedef struct {
    int points, dividends, connected;
    const double *times, *amounts;
    const int *steps;
} skw_grid_plan;

/* Price of an option and its derivatives to the asset's price; `exercised` where it is worth no more than exercise. */
typedef struct {
    double price, delta, gamma, speed;
    int exercised;
} skw_grid_value;

/* Does `count` <= SKW_GRID_LANES options; 0 where memory is short. */
typedef struct {
    int (*solve)(const skw_grid_plan *plan, const skw_grid_option *options, int count, skw_grid_value *values);
} skw_grid_loops;

SKW_TABLE(skw_grid_loops, skw_grid)

#endif
