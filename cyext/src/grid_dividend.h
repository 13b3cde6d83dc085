/* The asset drops by a cash dividend: V(S, t-) = max(V(max(S - D, 0), t+), exercise). */
#ifndef SKW_GRID_DIVIDEND_H
#define SKW_GRID_DIVIDEND_H
#include "grid_lanes.h"

/* Cubic interpolation between nodes; below the lowest a straight line to the value of a worthless asset. */
static inline double skw_at(const skw_unit *u, const skw_lane *value, int l, double asset, double worthless)
{
    int j, n = u->points - 1, lowest = u->direction[l] < 0.0 ? n : 0;
    double t;
    if (asset <= 0.0) return worthless;
    if (asset <= u->asset[lowest][l]) return worthless + asset / u->asset[lowest][l] * (value[lowest][l] - worthless);
    t = u->direction[l] * (log(asset) - u->first[l]) / u->step[l];
    j = t >= 1.0 ? (t < n - 2 ? (int)t : n - 2) : 1; /* 1 also where t is no number */
    t -= j;
    return -t * (t - 1.0) * (t - 2.0) * (1.0 / 6) * value[j - 1][l] + (t + 1.0) * (t - 1.0) * (t - 2.0) * 0.5 * value[j][l]
        - (t + 1.0) * t * (t - 2.0) * 0.5 * value[j + 1][l] + (t + 1.0) * t * (t - 1.0) * (1.0 / 6) * value[j + 2][l];
}

/* Values at nodes of a function with a kink, at th between two nodes, have in the grid's Fourier sense too little mass:
 * by slope h²(1/12 - th(1 - th)/2), `slope` the jump of the first derivative (here of its difference over h). */
static inline void skw_mend_kink(const skw_unit *u, const skw_exercise *g, skw_lane *value, int i, int l)
{
    double e[4];
    for (int k = 0; k < 4; k++) e[k] = value[i - 1 + k][l] - (g->money[l] + g->shares[l] * u->asset[i - 1 + k][l]);
    if (e[0] <= 0.0 && e[1] <= 0.0 && e[2] > 0.0 && e[3] > e[2]) {
        double slope = e[3] - e[2], share = 1.0 - e[2] / slope, mass;
        share = share > 0.0 ? share : 0.0;
        mass = slope * (1.0 / 12 - 0.5 * share * (1.0 - share));
        value[i][l] += mass * (1.0 - share);
        value[i + 1][l] += mass * share;
    }
}

static inline void skw_dividend(skw_unit *u, double amount)
{
    int i, n = u->points - 1;
    skw_exercise worth, lifted;
    skw_lane *fresh = u->stage;
    skw_worth(u, u->tau, &worth);
    skw_lifted(u, u->tau, &lifted);
    for (i = 0; i <= n; i++)
        SKW_LANES(l) {
            double now = worth.money[l] + worth.shares[l] * u->asset[i][l];
            double then = lifted.money[l] + lifted.shares[l] * u->asset[i][l];
            u->value[i][l] = skw_settled(u->value[i][l], now, then);
        }
    for (int l = 0; l < LANES; l++) {
        double drop = amount * exp(u->drift[l] * u->tau[l]);
        /* a put on nothing is exercised at once, or where the rate is negative at expiry */
        double worthless = u->sign[l] > 0.0 ? 0.0 : u->rate[l] > 0.0 ? worth.money[l] : u->strike[l];
        for (i = 0; i <= n; i++) {
            double x = skw_at(u, u->value, l, u->asset[i][l] - drop, worthless);
            double exercise = worth.money[l] + worth.shares[l] * u->asset[i][l];
            x = x > exercise ? x : exercise;
            fresh[i][l] = x > 0.0 ? x : 0.0;
        }
        for (i = 1; i < n - 1; i++) skw_mend_kink(u, &worth, fresh, i, l);
    }
    u->stage = u->value;
    u->value = fresh;
}

#endif
