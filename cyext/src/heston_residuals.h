/* A group's share of the normal equations: each quote's price gives its implied volatility by the steps of
 * black_implied.h, the difference from the market's is the residual, the price's gradient over vega is its own. */
#ifndef SKW_HESTON_RESIDUALS_H
#define SKW_HESTON_RESIDUALS_H
#include "black_implied.h"
#include "heston_control.h"
#include "heston_group.h"

/* Below this (in units of √(FK)) an out-of-the-money price has no significant digit in double precision. */
#define SKW_HESTON_SMALLEST 1e-13

typedef struct {
    double weight[SKW_BLOCK], residual[SKW_BLOCK], slope[5][SKW_BLOCK];
} skw_heston_block;

/* √T times the volatility of each price in `value`; a lane that has none keeps its mark in `bad`. */
static inline void skw_heston_implied(int padded, const double *restrict x, const double *restrict value,
                                      skw_implied *restrict o)
{
    double change[SKW_BLOCK];
    int i, step;
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double share = value[i] * skw_exp(0.5 * x[i]);
        int fine = (value[i] > SKW_HESTON_SMALLEST) & (share < 1.0 - 1e-13);
        share = fine ? share : 0.5;
        int upper = share > 0.6;
        o->x[i] = x[i];
        o->target[i] = skw_log_ratio(upper ? 1.0 - share : share, 1.0);
        o->side[i] = upper ? -1.0 : 1.0;
        o->s[i] = share;
        o->bad[i] = fine ? 0.0 : 1.0;
        change[i] = 1.0;
    }
    skw_implied_guess(padded, o);
    for (step = 0; step < SKW_IMPLIED_STEPS; step++)
        if (skw_implied_step(padded, o, change) < SKW_IMPLIED_ENOUGH) break;
    for (i = 0; i < padded; i++)
        if (!(change[i] < SKW_IMPLIED_ENOUGH)) o->bad[i] = 1.0;
}

static inline void skw_heston_add(const skw_heston_block *restrict b, int padded, int with_gradient,
                                  skw_heston_sums *restrict sums)
{
    int i, row, column;
    double total = 0.0;
#pragma omp simd reduction(+ : total)
    for (i = 0; i < padded; i++) total += b->weight[i] * b->residual[i] * b->residual[i];
    sums->sse += total;
    if (!with_gradient) return;
    for (row = 0; row < 5; row++) {
        total = 0.0;
#pragma omp simd reduction(+ : total)
        for (i = 0; i < padded; i++) total += b->weight[i] * b->slope[row][i] * b->residual[i];
        sums->right[row] += total;
        for (column = 0; column <= row; column++) {
            total = 0.0;
#pragma omp simd reduction(+ : total)
            for (i = 0; i < padded; i++) total += b->weight[i] * b->slope[row][i] * b->slope[column][i];
            sums->normal[row * (row + 1) / 2 + column] += total;
        }
    }
}

static void residuals(const skw_heston_model *p, const skw_heston_accuracy *accuracy, const skw_heston_group *g,
                      const skw_heston_quotes *quotes, int with_gradient, skw_heston_sums *sums)
{
    const int terms = with_gradient ? SKW_HESTON_TERMS : 1;
    double x[SKW_BLOCK], vol[SKW_BLOCK], value[SKW_BLOCK];
    double *all = quotes->terms + SKW_HESTON_TERMS * g->begin, root = sqrt(g->expiry), deviation;
    skw_heston_block b;
    skw_implied o;
    ptrdiff_t start;
    int i, row;
    if (with_gradient)
        deviation = sqrt(skw_heston_integrals(p, accuracy, g, quotes->distance, SKW_HESTON_TERMS, all));
    else
        deviation = sqrt(skw_heston_integrals(p, accuracy, g, quotes->distance, 1, all));
    memset(sums, 0, sizeof *sums);
    for (start = g->begin; start < g->end; start += SKW_BLOCK, all += terms * SKW_BLOCK) {
        int count = (int)(g->end - start < SKW_BLOCK ? g->end - start : SKW_BLOCK), padded = skw_padded(count);
        for (i = 0; i < padded; i++) {
            int own = i < count ? i : count - 1;
            x[i] = quotes->distance[start + own];
            vol[i] = quotes->vols[start + own];
            value[i] = all[own * terms];
            b.weight[i] = i < count ? quotes->weights[start + own] : 0.0;
            if (with_gradient)
                for (row = 0; row < 5; row++) b.slope[row][i] = all[own * terms + 1 + row];
        }
#pragma omp simd
        for (i = 0; i < padded; i++) value[i] += skw_heston_control(x[i], deviation);
        skw_heston_implied(padded, x, value, &o);
#pragma omp simd
        for (i = 0; i < padded; i++) {
            /* where no volatility gives the model's price, go on by the market's vega, which points the right way */
            double market = vol[i] * root, s = o.bad[i] > 0.0 ? market : o.s[i];
            double h = x[i] / s, t = 0.5 * s;
            double vega = 0.39894228040143267794 * skw_exp_negative(-0.5 * (h * h + t * t)) * root;
            double found = s / root, inverse = 1.0 / vega;
            double missed = (value[i] - skw_heston_control(x[i], market)) * inverse;
            b.residual[i] = o.bad[i] > 0.0 ? missed : found - vol[i];
            o.s[i] = o.bad[i] > 0.0 ? NAN : found;
            if (with_gradient)
                for (row = 0; row < 5; row++) b.slope[row][i] *= inverse;
        }
        memcpy(quotes->model_vols + start, o.s, (size_t)count * sizeof(double));
        skw_heston_add(&b, padded, with_gradient, sums);
    }
}

#endif
