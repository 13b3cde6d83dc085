/* One step in time: TR-BDF2 (Bank et al. 1985; two L-stable stages with one matrix) and in space Crandall's (1955) compact
 * fourth-order scheme for the heat equation. Each stage is a linear complementarity problem: no less than exercise. */
#ifndef SKW_GRID_STEP_H
#define SKW_GRID_STEP_H
#include "grid_stage.h"

#define SKW_GAMMA 0.58578643762690495120 /* 2 - sqrt(2) */

/* A function linear in the asset stays one: the value at `node`, next to an end, a stage later. */
static inline void skw_end(const skw_unit *u, const skw_exercise *g, int node, int end, int inner, const skw_lane growth,
                           double *restrict out)
{
    SKW_LANES(l) {
        double most = 1.5 * fabs(g->shares[l]), exercise = g->money[l] + g->shares[l] * u->asset[node][l];
        double slope = (u->value[inner][l] - u->value[end][l]) / (u->asset[inner][l] - u->asset[end][l]);
        slope = slope > most ? most : slope;
        slope = slope < -most ? -most : slope;
        double x = u->value[end][l] + slope * (u->asset[node][l] * growth[l] - u->asset[end][l]);
        x = x > 0.0 ? x : 0.0;
        out[l] = x > exercise ? x : exercise;
    }
}

static inline void skw_set_ends(const skw_unit *u, const skw_exercise *g, const skw_lane length, skw_stage *s)
{
    int n = u->points - 1;
    skw_lane growth;
    SKW_LANES(l) growth[l] = skw_exp(u->half_variance[l] * length[l]);
    skw_end(u, g, 0, 0, 1, growth, s->first);
    skw_end(u, g, n, n, n - 1, growth, s->last);
    skw_end(u, g, n - 1, n, n - 1, growth, s->last_but_one);
}

/* From u->tau on by `length` of each lane. */
static inline void skw_step(skw_unit *u, const skw_lane length)
{
    const double g = SKW_GAMMA, w1 = 1.0 / (g * (2.0 - g)), w2 = (1.0 - g) * (1.0 - g) * w1;
    skw_stage s;
    skw_exercise exercise;
    skw_lane tau, shorter;
    SKW_LANES(l) {
        double pull = 0.5 * g * u->half_variance[l] * length[l] / (u->step[l] * u->step[l]);
        s.side[l] = 1.0 / 12 - pull;
        s.near[l] = 1.0 / 12 + pull;
        shorter[l] = g * length[l];
        tau[l] = u->tau[l] + shorter[l];
    }
    skw_lifted(u, tau, &exercise);
    skw_set_ends(u, &exercise, shorter, &s);
    skw_solve_stage(u, &exercise, &s, u->value, 1.0, u->value, 0.0, u->stage);
    SKW_LANES(l) {
        s.near[l] = 1.0 / 12;
        u->tau[l] += length[l];
    }
    skw_lifted(u, u->tau, &exercise);
    skw_set_ends(u, &exercise, length, &s);
    skw_solve_stage(u, &exercise, &s, u->stage, w1, u->value, -w2, u->value);
}

/* `steps` steps that grow linearly, for at the start the solution is rough. The first is long enough for an M-matrix. */
static inline void skw_march(skw_unit *u, const skw_lane length, int steps)
{
    skw_lane first, more, now;
    SKW_LANES(l) {
        double least = u->step[l] * u->step[l] / (6.0 * SKW_GAMMA * u->half_variance[l]), even = length[l] / steps;
        double x = even / steps;
        x = x > least ? x : least;
        first[l] = x < even ? x : even;
        more[l] = steps > 1 ? 2.0 * (even - first[l]) / (steps - 1) : 0.0;
    }
    for (int j = 0; j < steps; j++) {
        SKW_LANES(l) now[l] = first[l] + more[l] * j;
        skw_step(u, now);
    }
}

#endif
