/* Elastic quadratic programs with banded rows: minimise ½ xᵀP x + qᵀx + Σ cost · max(0, bound - a·x), by Mehrotra's
 * predictor-corrector interior-point method (SIAM J. Optim. 2, 1992).
 *
 * Each row has a·x + s = bound + y with y, s >= 0 at price `cost` of s; its multiplier z is in [0, cost], y z = s (cost - z)
 * = 0 at the optimum. y and s begin with the row satisfied and stay so, hence only P x + q = Aᵀz is left to close. All rows
 * are elastic, so that there is always a solution, and the matrix of a step, P + Aᵀ D⁻¹ A, is banded. */
#ifndef SKW_SMILE_QP_H
#define SKW_SMILE_QP_H
#include <math.h>
#include <stddef.h>
#include "smile_band.h"

/* The start is as far from its end as its dearest broken row: a smaller barrier would leave z no way back. */
#define SKW_QP_START 0.1

typedef struct {
    ptrdiff_t unknowns, rows;
    const double *p, *q;     /* P as a band, q */
    int *first;
    double *a;               /* four a row */
    double *bound, *cost;
    double *y, *s, *z, *dy, *ds, *dz, *pull, *weight, *own;
    double *x, *dx, *residual, *matrix; /* vectors with three zeros before and after, the matrix with three rows before */
} skw_smile_qp;

static inline void skw_qp_begin(skw_smile_qp *qp, double mu)
{
    ptrdiff_t j;
    for (j = 0; j < qp->rows; j++) {
        double gap = skw_dot4(qp->a + 4 * j, qp->x + qp->first[j]) - qp->bound[j];
        qp->own[j] = gap;
        mu = fmax(mu, -SKW_QP_START * gap * qp->cost[j]);
    }
    for (j = 0; j < qp->rows; j++) {
        double gap = qp->own[j];
        double room = 2.0 * mu / qp->cost[j];
        qp->y[j] = fmax(gap, 0.0) + room;
        qp->s[j] = fmax(-gap, 0.0) + room;
        qp->z[j] = qp->cost[j] * qp->s[j] / (qp->y[j] + qp->s[j]);
    }
}

/* dx, dy, ds, dz towards products of `target`, after the products of the steps held in dy, ds, dz (`second` order). */
static inline void skw_qp_direction(skw_smile_qp *qp, double target, int second)
{
    const ptrdiff_t m = qp->rows, n = qp->unknowns;
    ptrdiff_t j;
    double *restrict own = qp->own, *restrict pull = qp->pull;
    const double *restrict y = qp->y, *restrict s = qp->s, *restrict z = qp->z, *restrict c = qp->cost;
    double *restrict dy = qp->dy, *restrict ds = qp->ds, *restrict dz = qp->dz;
    const double *restrict weight = qp->weight;
#pragma omp simd
    for (j = 0; j < m; j++) {
        double up = target - y[j] * z[j] - (second ? dy[j] * dz[j] : 0.0);
        double down = target - s[j] * (c[j] - z[j]) + (second ? ds[j] * dz[j] : 0.0);
        dy[j] = up / z[j];
        ds[j] = down / (c[j] - z[j]);
        own[j] = dy[j] - ds[j];
        pull[j] = own[j] * weight[j];
    }
    for (j = 0; j < n; j++) qp->dx[j] = -qp->residual[j];
    for (j = 0; j < m; j++) {
        double *x = qp->dx + qp->first[j];
        const double *a = qp->a + 4 * j;
        x[0] += a[0] * pull[j];
        x[1] += a[1] * pull[j];
        x[2] += a[2] * pull[j];
        x[3] += a[3] * pull[j];
    }
    skw_band_solve(qp->matrix, n, qp->dx);
    for (j = 0; j < m; j++) dz[j] = skw_dot4(qp->a + 4 * j, qp->dx + qp->first[j]);
#pragma omp simd
    for (j = 0; j < m; j++) {
        dz[j] = (own[j] - dz[j]) * weight[j];
        dy[j] -= y[j] * dz[j] / z[j];
        ds[j] += s[j] * dz[j] / (c[j] - z[j]);
    }
}

/* The longest steps that keep y, s and z, cost - z from below zero; at most 1. */
static inline void skw_qp_reach(const skw_smile_qp *qp, double *primal, double *dual)
{
    const ptrdiff_t m = qp->rows;
    ptrdiff_t j;
    double p = 1.0, d = 1.0; /* of the reciprocals, the largest */
    const double *restrict y = qp->y, *restrict s = qp->s, *restrict z = qp->z, *restrict c = qp->cost;
    const double *restrict dy = qp->dy, *restrict ds = qp->ds, *restrict dz = qp->dz;
#pragma omp simd reduction(max : p, d)
    for (j = 0; j < m; j++) {
        double one = -dy[j] / y[j], two = -ds[j] / s[j], three = -dz[j] / z[j], four = dz[j] / (c[j] - z[j]);
        p = one > p ? one : p;
        p = two > p ? two : p;
        d = three > d ? three : d;
        d = four > d ? four : d;
    }
    *primal = 1.0 / p;
    *dual = 1.0 / d;
}

/* Σ of all products after steps of these lengths. */
static inline double skw_qp_gap(const skw_smile_qp *qp, double primal, double dual)
{
    const ptrdiff_t m = qp->rows;
    ptrdiff_t j;
    double gap = 0.0;
    const double *restrict y = qp->y, *restrict s = qp->s, *restrict z = qp->z, *restrict c = qp->cost;
    const double *restrict dy = qp->dy, *restrict ds = qp->ds, *restrict dz = qp->dz;
#pragma omp simd reduction(+ : gap)
    for (j = 0; j < m; j++) {
        double zz = z[j] + dual * dz[j];
        gap += (y[j] + primal * dy[j]) * zz + (s[j] + primal * ds[j]) * (c[j] - zz);
    }
    return gap;
}

/* P x + q - Aᵀz; returns its largest element over the largest of its parts. */
static inline double skw_qp_residual(skw_smile_qp *qp)
{
    ptrdiff_t j;
    double worst = 0.0, scale = 0.0;
    skw_band_times(qp->p, qp->unknowns, qp->x, qp->residual);
    for (j = 0; j < qp->unknowns; j++) {
        scale = fmax(scale, fmax(fabs(qp->residual[j]), fabs(qp->q[j])));
        qp->residual[j] += qp->q[j];
    }
    for (j = 0; j < qp->rows; j++) {
        double *r = qp->residual + qp->first[j];
        const double *a = qp->a + 4 * j;
        double z = qp->z[j];
        r[0] -= a[0] * z;
        r[1] -= a[1] * z;
        r[2] -= a[2] * z;
        r[3] -= a[3] * z;
    }
    for (j = 0; j < qp->unknowns; j++) worst = fmax(worst, fabs(qp->residual[j]));
    return worst / scale;
}

/* Solves from x on until the gap is `tolerance`; returns iterations, negative where it did not get there. */
static inline int skw_qp_solve(skw_smile_qp *qp, double mu, double tolerance, int most)
{
    const ptrdiff_t m = qp->rows, n = qp->unknowns;
    ptrdiff_t j;
    int iteration;
    skw_qp_begin(qp, mu);
    for (j = 0; j < m; j++) qp->dy[j] = qp->ds[j] = qp->dz[j] = 0.0;
    for (iteration = 0; iteration < most; iteration++) {
        double off = skw_qp_residual(qp), gap = skw_qp_gap(qp, 0.0, 0.0), primal, dual, ratio;
        double *restrict weight = qp->weight;
        const double *restrict y = qp->y, *restrict s = qp->s, *restrict z = qp->z, *restrict c = qp->cost;
        if (gap <= tolerance && off <= 1e-5) return iteration;
        if (!(gap < 1e300)) return -1 - iteration;
#pragma omp simd
        for (j = 0; j < m; j++) {
            double rest = c[j] - z[j];
            weight[j] = z[j] * rest / (y[j] * rest + s[j] * z[j]);
        }
        for (j = 0; j < 4 * n; j++) qp->matrix[j] = qp->p[j];
        for (j = 0; j < m; j++) skw_band_add(qp->matrix, qp->first[j], qp->a + 4 * j, weight[j]);
        if (!skw_band_factor(qp->matrix, n)) return -1 - iteration;
        skw_qp_direction(qp, 0.0, 0);
        skw_qp_reach(qp, &primal, &dual);
        ratio = skw_qp_gap(qp, primal, dual) / gap;
        skw_qp_direction(qp, ratio * ratio * ratio * gap / (2.0 * m), 1);
        skw_qp_reach(qp, &primal, &dual);
        primal = fmin(1.0, 0.995 * primal);
        dual = fmin(1.0, 0.995 * dual);
        /* one length for both: with P between them unequal steps undo what the step closed */
        primal = dual = fmin(primal, dual);
        for (j = 0; j < n; j++) qp->x[j] += primal * qp->dx[j];
#pragma omp simd
        for (j = 0; j < m; j++) {
            qp->y[j] += primal * qp->dy[j];
            qp->s[j] += primal * qp->ds[j];
            qp->z[j] += dual * qp->dz[j];
        }
    }
    return -1 - most;
}
#endif
