/* What cyext/src/_american.simd.c does for a group of American puts on strike 1, one option a lane. */
#ifndef SKW_AMERICAN_LOOPS_H
#define SKW_AMERICAN_LOOPS_H
#include "columns.h"
#include "isa.h"

enum { SKW_AMERICAN_LANES = 16, SKW_AMERICAN_POINTS = 24, SKW_AMERICAN_RULE = 48, SKW_AMERICAN_STAGES = 3 };

#define SKW_AMERICAN_MOST_DEVIATION 12.5 /* σ√T that a mesh follows */

/* A Gauss-Legendre rule on the quarter turn (0, π/2) seen from one or more shares √(τ/T), and for each of its points
 * the row of the matrix that takes the boundary's values at the Chebyshev points 1..n to its value there. */
typedef struct {
    int size;
    const double *sine, *cosine, *weight;
    const double *rows;
} skw_american_rule;

/* One round of iterations on a mesh of n + 1 Chebyshev points in √τ (the first is τ = 0, where the boundary is known).
 * `prolong` takes values on the mesh before to values on this one; unused in the first stage. */
typedef struct {
    int points, sweeps;
    const double *share, *prolong;
    skw_american_rule rule; /* rows of point i at rows + (i - 1) * size * n */
} skw_american_stage;

typedef struct {
    int stages;
    skw_american_stage stage[SKW_AMERICAN_STAGES];
    double tolerance;          /* of the boundary's last relative change */
    skw_american_rule premium; /* from the share 1 */
} skw_american_scheme;

typedef struct {
    double spot[SKW_AMERICAN_LANES]; /* over the strike */
    double expiry[SKW_AMERICAN_LANES], rate[SKW_AMERICAN_LANES], carry[SKW_AMERICAN_LANES], vol[SKW_AMERICAN_LANES];
} skw_american_group;

/* A lane of what is wanted and known of an implied volatility; `vol` is the start and then the answer. */
typedef struct {
    double price[SKW_AMERICAN_LANES], least[SKW_AMERICAN_LANES], vol[SKW_AMERICAN_LANES];
    int found[SKW_AMERICAN_LANES];
} skw_american_quotes;

typedef struct {
    double price[SKW_AMERICAN_LANES], delta[SKW_AMERICAN_LANES], gamma[SKW_AMERICAN_LANES];
} skw_american_puts;

/* `settled` is zero where the boundary did not converge or is no number; the scheme does not serve there.
 * implied: `least` is a volatility below the answer; found is 1, or 0 where there is no answer or none was found. */
typedef struct {
    void (*price)(const skw_american_group *, const skw_american_scheme *, double *price, int *settled);
    void (*puts)(const skw_american_group *, const skw_american_scheme *, skw_american_puts *, int *settled);
    void (*implied)(const skw_american_group *, const skw_american_scheme *, skw_american_quotes *);
} skw_american_loops;

SKW_TABLE(skw_american_loops, skw_american)

#endif
