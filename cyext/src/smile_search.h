/* Sequential quadratic programs: each linearises the butterfly condition about the last coefficients, every row at its
 * price; a step is shortened until those prices, the conditions as they are, fall. */
#ifndef SKW_SMILE_SEARCH_H
#define SKW_SMILE_SEARCH_H
#include <string.h>
#include "smile_places.h"

#define SKW_MOST_STEPS 16
#define SKW_MOST_HALVINGS 6

static inline double skw_smile_steepest(const skw_smile_search *s) { return SKW_STEEPEST / sqrt(s->problem->slice.theta); }

/* Objective with every condition's price, the butterfly's as it is, not linearised, in the units of the last rows: a step of
 * their quadratic program goes down. */
static inline double skw_smile_merit(skw_smile_search *s, const double *b)
{
    const skw_smile_problem *p = s->problem;
    const ptrdiff_t n = s->basis.knots;
    const double left = -skw_dot4(s->left, b), right = skw_dot4(s->right, b + n - 4), steepest = skw_smile_steepest(s);
    ptrdiff_t i;
    double by[3], total = fmax(0.0, s->left_least - left) + fmax(0.0, left - steepest) + fmax(0.0, s->right_least - right)
                          + fmax(0.0, right - steepest);
    total *= SKW_BUTTERFLY_COST;
    skw_band_times(s->p, n, b, s->values);
    for (i = 0; i < n; i++) total += b[i] * (0.5 * s->values[i] + s->q[i]);
    for (i = 0; i < p->count; i++) {
        double at = skw_dot4(s->quote + 4 * i, b + s->quote_first[i]), unit = 1.0 / (p->slice.theta * s->half[i]);
        total += SKW_OUTSIDE_COST * (fmax(0.0, p->lower[i] * unit - at) + fmax(0.0, at - p->upper[i] * unit));
    }
    for (i = 0; i < s->places; i++) {
        const skw_smile_place *c = s->place + i;
        const double *x = b + c->row.first;
        double v = skw_dot4(c->row.value, x), g;
        if (c->kind & SKW_CALENDAR) total += SKW_CALENDAR_COST * fmax(0.0, c->floor - v);
        if (c->unit > 0.0) {
            g = skw_smile_g(c->z, v, skw_dot4(c->row.slope, x), skw_dot4(c->row.curvature, x), p->slice.theta,
                            SKW_SEARCH_V, by);
            total += SKW_BUTTERFLY_COST * c->unit * fmax(0.0, SKW_LEAST_G - g);
        }
    }
    return total;
}

static inline void skw_smile_add(skw_smile_qp *qp, ptrdiff_t first, const double *a, double sign, double bound, double cost)
{
    double *to = qp->a + 4 * qp->rows;
    int i;
    for (i = 0; i < 4; i++) to[i] = sign * a[i];
    qp->first[qp->rows] = (int)first;
    qp->bound[qp->rows] = bound;
    qp->cost[qp->rows++] = cost;
}

/* The rows of the next quadratic program, about b. */
static inline void skw_smile_rows(skw_smile_search *s)
{
    const skw_smile_problem *p = s->problem;
    const ptrdiff_t n = s->basis.knots;
    skw_smile_qp *qp = &s->qp;
    const double steepest = skw_smile_steepest(s), *knot = s->basis.t + 3;
    double by[3], a[4];
    ptrdiff_t i;
    int j;
    qp->rows = 0;
    for (i = 0; i < p->count; i++) {
        double unit = 1.0 / (p->slice.theta * s->half[i]);
        if (p->lower[i] > 0.0)
            skw_smile_add(qp, s->quote_first[i], s->quote + 4 * i, 1.0, p->lower[i] * unit, SKW_OUTSIDE_COST);
        skw_smile_add(qp, s->quote_first[i], s->quote + 4 * i, -1.0, -p->upper[i] * unit, SKW_OUTSIDE_COST);
    }
    skw_smile_add(qp, 0, s->left, -1.0, s->left_least, SKW_BUTTERFLY_COST);
    skw_smile_add(qp, 0, s->left, 1.0, -steepest, SKW_BUTTERFLY_COST);
    skw_smile_add(qp, n - 4, s->right, 1.0, s->right_least, SKW_BUTTERFLY_COST);
    skw_smile_add(qp, n - 4, s->right, -1.0, -steepest, SKW_BUTTERFLY_COST);
    for (i = 0; i < s->places; i++) {
        skw_smile_place *c = s->place + i;
        const double *x = s->b + c->row.first;
        double v, v1, v2, g;
        if (c->kind & SKW_CALENDAR)
            skw_smile_add(qp, c->row.first, c->row.value, 1.0, c->floor, SKW_CALENDAR_COST);
        c->unit = 0.0;
        if (!(c->kind & SKW_BUTTERFLY)) continue;
        v = skw_dot4(c->row.value, x);
        v1 = skw_dot4(c->row.slope, x);
        v2 = skw_dot4(c->row.curvature, x);
        /* A wing that points downwards has a large g far out, whose linearisation forbids the way up. The rows of the end
         * slopes turn it first. */
        if ((c->z < knot[0] && v1 > 0.0) || (c->z > knot[n - 1] && v1 < 0.0)) continue;
        g = skw_smile_g(c->z, v, v1, v2, p->slice.theta, SKW_SEARCH_V, by);
        c->unit = 1.0 / (1.0 + fabs(g));
        for (j = 0; j < 4; j++)
            a[j] = c->unit * (by[0] * c->row.value[j] + by[1] * c->row.slope[j] + by[2] * c->row.curvature[j]);
        skw_smile_add(qp, c->row.first, a, 1.0, c->unit * (SKW_LEAST_G - g) + skw_dot4(a, x), SKW_BUTTERFLY_COST);
    }
}

/* Towards the quadratic program's solution, as far as the merit falls; returns the largest change of a coefficient, 0 where it
 * does not fall. */
static inline double skw_smile_step(skw_smile_search *s)
{
    const ptrdiff_t n = s->basis.knots;
    double length = 1.0, step = 0.0, merit = skw_smile_merit(s, s->b);
    ptrdiff_t i;
    int halvings;
    for (halvings = 0; halvings < SKW_MOST_HALVINGS; halvings++, length *= 0.5) {
        for (i = 0; i < n; i++) s->trial[i] = s->b[i] + length * (s->qp.x[i] - s->b[i]);
        if (skw_smile_merit(s, s->trial) <= merit + 1e-6 * fabs(merit)) break;
    }
    if (halvings == SKW_MOST_HALVINGS) return 0.0;
    for (i = 0; i < n; i++) step = fmax(step, fabs(s->trial[i] - s->b[i]) / fmax(1.0, fabs(s->b[i])));
    memcpy(s->b, s->trial, n * sizeof(double));
    return step;
}

/* From b on until a step changes nothing and the closer look finds nothing. */
static inline void skw_smile_search_from(skw_smile_search *s, skw_smile_result *r)
{
    r->converged = 0;
    r->iterations = 0;
    for (r->steps = 0; r->steps < SKW_MOST_STEPS && !r->converged; r->steps++) {
        int did;
        skw_smile_rows(s);
        memcpy(s->qp.x, s->b, s->basis.knots * sizeof(double));
        did = skw_qp_solve(&s->qp, r->steps ? 1e-2 : 1.0, 1e-3, 60);
        r->iterations += did < 0 ? -did : did;
        r->step = skw_smile_step(s);
        if (skw_smile_inspect(s, r) == 0 && r->step < 1e-3) r->converged = skw_smile_look_closer(s, r) == 0;
    }
    if (!r->converged) skw_smile_look_closer(s, r);
}
#endif
