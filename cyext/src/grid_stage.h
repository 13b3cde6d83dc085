/* The linear complementarity problem of one stage: tridiag(side, 1 - 2 side, side) x >= right, x >= exercise, one of them equal
 * in every row, with right = (1 - 2 near) r + near (r[i-1] + r[i+1]), r = a x + b y. The result may take the place of y. */
#ifndef SKW_GRID_STAGE_H
#define SKW_GRID_STAGE_H
#include "grid_lanes.h"

typedef struct {
    skw_lane side, near, first, last_but_one, last;
} skw_stage;

/* Brennan & Schwartz (1977): elimination from the far end, then substitution from where exercise is optimal, taking the
 * larger of the two on the way; exact where the set of exercise is connected to that end. The matrix is that of an
 * infinite grid, pivot (1 + link N)(1 + link N') with the shift N: its factors are the same in all rows. */
static inline void skw_sweeps(const skw_unit *u, const skw_exercise *g, const skw_stage *s, const skw_lane *x, double a,
                              const skw_lane *y, double b, skw_lane *out)
{
    int i, n = u->points - 1;
    const skw_lane *asset = u->asset;
    skw_lane *right = u->right;
    skw_lane carry, link, inverse, near, after, here, money, shares;
    SKW_LANES(l) {
        double e = s->side[l], twice_pivot = (1.0 - 2.0 * e) + sqrt(1.0 - 4.0 * e);
        link[l] = 2.0 * e / twice_pivot;
        inverse[l] = 2.0 / twice_pivot;
        near[l] = s->near[l];
        carry[l] = s->last[l] + link[l] * s->last_but_one[l];
        after[l] = a * x[n][l] + b * y[n][l];
        here[l] = a * x[n - 1][l] + b * y[n - 1][l];
    }
    for (i = n - 1; i > 0; i--)
        SKW_LANES(l) {
            double before = a * x[i - 1][l] + b * y[i - 1][l];
            double r = here[l] + near[l] * ((before - here[l]) + (after[l] - here[l]));
            carry[l] = r * inverse[l] - link[l] * carry[l];
            right[i][l] = carry[l];
            after[l] = here[l];
            here[l] = before;
        }
    SKW_LANES(l) {
        out[0][l] = carry[l] = s->first[l];
        out[n][l] = s->last[l];
        money[l] = g->money[l];
        shares[l] = g->shares[l];
    }
    for (i = 1; i < n; i++)
        SKW_LANES(l) {
            double exercise = money[l] + shares[l] * asset[i][l], held = right[i][l] - link[l] * carry[l];
            exercise = exercise > 0.0 ? exercise : 0.0;
            held = held > exercise ? held : exercise;
            carry[l] = held;
            out[i][l] = held;
        }
}

/* One policy: the rows that are `taken` equal exercise, the others the equation. Returns whether that changes the policy. */
static inline int skw_policy(const skw_unit *u, const skw_exercise *g, const skw_stage *s, skw_lane *out)
{
    int i, n = u->points - 1, changes;
    skw_lane up, solved, next, after, change;
    SKW_LANES(l) {
        up[l] = change[l] = 0.0;
        solved[l] = s->first[l];
    }
    for (i = 1; i < n; i++)
        SKW_LANES(l) {
            double e = s->side[l], held = 1.0 - u->taken[i][l];
            double exercise = g->money[l] + g->shares[l] * u->asset[i][l];
            exercise = exercise > 0.0 ? exercise : 0.0;
            double pivot = 1.0 / (1.0 - held * e * (2.0 + up[l]));
            up[l] = held * e * pivot;
            solved[l] = (held > 0.0 ? u->right[i][l] - e * solved[l] : exercise) * pivot;
            u->upper[i][l] = up[l];
            out[i][l] = solved[l];
        }
    SKW_LANES(l) {
        out[0][l] = s->first[l];
        out[n][l] = after[l] = s->last[l];
        next[l] = out[n - 1][l] - up[l] * after[l];
    }
    for (i = n - 1; i > 0; i--)
        SKW_LANES(l) {
            double here = next[l], e = s->side[l], tiny = 1e-13 * u->strike[l];
            double before = i > 1 ? out[i - 1][l] - u->upper[i - 1][l] * here : s->first[l];
            double exercise = g->money[l] + g->shares[l] * u->asset[i][l];
            exercise = exercise > 0.0 ? exercise : 0.0;
            double excess = here + e * ((before - here) + (after[l] - here)) - u->right[i][l];
            double taken = u->taken[i][l] > 0.0 ? (excess >= -tiny ? 1.0 : 0.0) : (here < exercise - tiny ? 1.0 : 0.0);
            change[l] += fabs(taken - u->taken[i][l]);
            u->taken[i][l] = taken;
            out[i][l] = here > exercise ? here : exercise;
            after[l] = here;
            next[l] = before;
        }
    changes = 0;
    for (int l = 0; l < LANES; l++) changes |= change[l] > 0.0;
    return changes;
}

/* Howard's policy iteration, from the policy of the stage before: any set of exercise, for instance one with two boundaries.
 * A lane that has settled stays as it is while others go on. */
static inline void skw_policies(const skw_unit *u, const skw_exercise *g, const skw_stage *s, const skw_lane *x, double a,
                                const skw_lane *y, double b, skw_lane *out)
{
    enum { MOST = 40 };
    int i, n = u->points - 1;
    for (i = 1; i < n; i++)
        SKW_LANES(l) {
            double before = a * x[i - 1][l] + b * y[i - 1][l], after = a * x[i + 1][l] + b * y[i + 1][l];
            double here = a * x[i][l] + b * y[i][l];
            u->right[i][l] = here + s->near[l] * ((before - here) + (after - here));
        }
    for (i = 0; i < MOST && skw_policy(u, g, s, out); i++) {}
}

static inline void skw_solve_stage(const skw_unit *u, const skw_exercise *g, const skw_stage *s, const skw_lane *x, double a,
                                   const skw_lane *y, double b, skw_lane *out)
{
    if (u->connected)
        skw_sweeps(u, g, s, x, a, y, b, out);
    else
        skw_policies(u, g, s, x, a, y, b, out);
}

#endif
