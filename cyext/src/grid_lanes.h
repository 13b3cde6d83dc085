/* A unit of lanes, one option each: its grids side by side, node by node, and what of each lane changes with time. */
#ifndef SKW_GRID_LANES_H
#define SKW_GRID_LANES_H
#include "american_grid.h"
#include "lanes.h"

/* Two vectors hide the latency of the sweeps' recurrences; more would not stay in registers. */
#if defined(__AVX512F__)
enum { LANES = 16 };
#elif defined(__AVX__)
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

#define SKW_LANES(l) _Pragma("omp simd") for (int l = 0; l < LANES; l++)

typedef double skw_lane[LANES];

/* What exercise is worth in units of `value`: max(money + shares * asset, 0). */
typedef struct {
    skw_lane money, shares;
} skw_exercise;

/* `asset` holds S e^{drift tau}, which at a node does not change, `value` e^{rate tau} V. Nodes run away from where exercise
 * is optimal: upwards for puts, downwards for calls; `first` is the logarithm of the first. */
typedef struct {
    int points, connected;
    skw_lane sign, strike, expiry, rate, carry, drift, half_variance, step, first, direction;
    skw_lane tau; /* the time to expiry that has been reached */
    skw_lane *asset, *value, *stage, *right, *upper, *taken;
} skw_unit;

static inline void skw_worth(const skw_unit *u, const skw_lane tau, skw_exercise *g)
{
    SKW_LANES(l) {
        g->money[l] = -u->sign[l] * u->strike[l] * skw_exp(u->rate[l] * tau[l]);
        g->shares[l] = u->sign[l] * skw_exp((u->rate[l] - u->drift[l]) * tau[l]);
    }
}

/* The obstacle of the discrete problem. At the boundary of exercise V - exercise is ½J(y - b)² with J = 2(rK - qS)/σ² for a
 * put (the negative for a call); the node next to b, β steps away, |β| <= ½, takes ½J(βh)² from it. On average over β
 * that is Jh²/24: so much is added beforehand, which leaves an error that changes sign as the boundary moves. */
static inline void skw_lifted(const skw_unit *u, const skw_lane tau, skw_exercise *g)
{
    skw_worth(u, tau, g);
    SKW_LANES(l) {
        double k = u->step[l] * u->step[l] / (24.0 * u->half_variance[l]);
        g->money[l] *= 1.0 + k * u->rate[l];
        g->shares[l] *= 1.0 + k * u->carry[l];
    }
}

/* Without what was added: an excess e over exercise of no more than that, a, is none; beyond, e - a²/e. */
SKW_LANE double skw_settled(double value, double worth, double lifted)
{
    double a = lifted - worth, e = value - worth, rest = e > a * (1.0 + 1e-9) ? e - a * a / e : 0.0;
    return (a > 0.0) & (worth > 0.0) ? worth + rest : value;
}

#endif
