/* From quotes to a fit: what counts, the search, and how well the data determines what it found. */
#ifndef SKW_SABR_FIT_H
#define SKW_SABR_FIT_H
#include "sabr_loops.h"
#include "sabr_search.h"

#define SKW_SABR_SMALLEST 1e-100
#define SKW_SABR_LARGEST 1e100

SKW_LANE int skw_sabr_moderate(double x) { return (x >= SKW_SABR_SMALLEST) & (x <= SKW_SABR_LARGEST); }

static inline void skw_sabr_load(const skw_sabr_quotes *q, double forward, skw_sabr_smile *s)
{
    int count = (int)q->count, padded = (count + 7) / 8 * 8, i;
    double sum = 0.0, points = 0.0;
    double *restrict l, *restrict vol, *restrict weight;
    s->padded = padded;
    l = s->l = q->room;
    vol = s->vol = q->room + padded;
    weight = s->weight = q->room + 2 * padded;
    s->zeta = q->room + 3 * padded;
    s->inverse = q->room + 4 * padded;
    s->inverse_middle = q->room + 5 * padded;
    for (i = 0; i < count; i++) l[i] = q->strikes[i] + q->shift;
    memcpy(vol, q->vols, (size_t)count * sizeof(double));
    if (q->weights)
        memcpy(weight, q->weights, (size_t)count * sizeof(double));
    else
        for (i = 0; i < count; i++) weight[i] = 1.0;
    for (i = count; i < padded; i++) l[i] = vol[i] = weight[i] = 0.0;
#pragma omp simd reduction(+ : sum, points)
    for (i = 0; i < padded; i++) {
        int counts = skw_sabr_moderate(l[i]) & skw_sabr_moderate(vol[i]) & skw_sabr_moderate(weight[i]);
        double k = counts ? l[i] : forward, v = counts ? vol[i] : 0.2, w = counts ? weight[i] : 0.0;
        l[i] = skw_log_ratio(forward, k);
        vol[i] = v;
        weight[i] = w;
        sum += w;
        points += counts ? 1.0 : 0.0;
    }
    s->weight_sum = sum;
    s->points = points;
}

/* Whether at least `wanted` (up to 4) different strikes count. */
static inline int skw_sabr_distinct(const skw_sabr_smile *s, int wanted)
{
    double seen[4];
    int i, j, n = 0;
    for (i = 0; i < s->padded && n < wanted; i++) {
        if (!(s->weight[i] > 0.0)) continue;
        for (j = 0; j < n && seen[j] != s->l[i]; j++) {}
        if (j == n) seen[n++] = s->l[i];
    }
    return n >= wanted;
}

/* The inverse of the normal matrix without what is held; 0 when it is singular. */
static inline int skw_sabr_invert(int n, const skw_sabr_normal *at, const int *held, double inverse[4][4])
{
    double l[4][4], d[4];
    int i, j;
    if (!skw_sabr_factor(n, at, held, 0.0, l, d)) return 0;
    for (j = 0; j < n; j++) {
        for (i = 0; i < n; i++) inverse[j][i] = i == j;
        skw_sabr_back(n, l, d, inverse[j]);
    }
    return 1;
}

/* Condition of the Jacobian in (ln A, ρ, ln ν, β), in Frobenius' norm; standard errors from the residuals' variance. */
static inline void skw_sabr_judge(const skw_sabr_smile *s, const skw_sabr_descent *d, int n, double log_forward,
                                  skw_sabr_fit *fit)
{
    static const int NONE[4] = {0, 0, 0, 0};
    double inverse[4][4], scale[4] = {d->x[0], 1.0, d->x[2], 1.0}, sizes = 0.0, spreads = 0.0, variance, alpha;
    int i, any = 0;
    fit->condition = INFINITY;
    if (skw_sabr_invert(n, &d->at, NONE, inverse)) {
        for (i = 0; i < n; i++) {
            sizes += scale[i] * scale[i] * d->at.h[i][i];
            spreads += inverse[i][i] / (scale[i] * scale[i]);
        }
        if (spreads > 0.0) fit->condition = sqrt(sizes * spreads);
    }
    for (i = 0; i < n; i++) any |= d->held[i];
    if (!(s->points > n) || (any && !skw_sabr_invert(n, &d->at, d->held, inverse)) || !isfinite(fit->condition + any)) return;
    variance = d->at.sse / (s->points - n);
    alpha = inverse[0][0] / (d->x[0] * d->x[0]);
    if (n == 4 && !d->held[3]) /* ln α = ln A + (1 - β) ln F */
        alpha += log_forward * (log_forward * inverse[3][3] - 2.0 * inverse[0][3] / d->x[0]);
    if (!d->held[0]) fit->error[0] = fit->value[0] * sqrt(variance * alpha);
    fit->error[1] = n == 3 ? 0.0 : d->held[3] ? NAN : sqrt(variance * inverse[3][3]);
    if (!d->held[1]) fit->error[2] = sqrt(variance * inverse[1][1]);
    if (!d->held[2]) fit->error[3] = sqrt(variance * inverse[2][2]);
}

static skw_sabr_fit skw_sabr_fit_smile(const skw_sabr_quotes *q)
{
    skw_sabr_fit fit;
    skw_sabr_smile s;
    skw_sabr_descent found;
    skw_sabr_box box;
    double forward = q->forward + q->shift, log_forward, typical = 0.0, first[SKW_SABR_MOST];
    int free_beta = !(q->beta == q->beta), n = free_beta ? 4 : 3, i;
    for (i = 0; i < 4; i++) fit.value[i] = fit.error[i] = NAN;
    fit.value[1] = q->beta;
    fit.rmse = fit.condition = NAN;
    fit.iterations = 0;
    fit.outcome = !isfinite(forward) || !isfinite(q->expiry)  ? SKW_SABR_NON_FINITE
                  : q->expiry <= 0.0                          ? SKW_SABR_EXPIRED
                  : !skw_sabr_moderate(forward)               ? SKW_SABR_OUT_OF_DOMAIN
                                                              : SKW_SABR_TOO_FEW;
    if (fit.outcome != SKW_SABR_TOO_FEW || q->count == 0) return fit;
    s.expiry = q->expiry;
    s.obloj = q->obloj;
    skw_sabr_load(q, forward, &s);
    if (!(s.points > 0.0)) return fit;
    for (i = 0; i < s.padded; i++) typical += s.weight[i] * s.vol[i];
    typical /= s.weight_sum;
    skw_sabr_fix_beta(&s, free_beta ? 0.5 : q->beta);
    skw_sabr_begin(&s, first);
    box.low[SKW_SABR_A] = 1e-6 * first[SKW_SABR_A];
    box.high[SKW_SABR_A] = 1e3 * first[SKW_SABR_A];
    box.low[SKW_SABR_RHO] = -SKW_SABR_RHO_BOUND;
    box.high[SKW_SABR_RHO] = SKW_SABR_RHO_BOUND;
    box.low[SKW_SABR_NU] = 1e-6;
    box.high[SKW_SABR_NU] = SKW_SABR_NU_BOUND;
    box.low[SKW_SABR_BETA] = 0.0;
    box.high[SKW_SABR_BETA] = 1.0;
    found = free_beta ? skw_sabr_search_beta(&s, typical, &box) : skw_sabr_search(&s, first, typical, &box);
    fit.iterations = found.iterations;
    fit.outcome = !skw_sabr_distinct(&s, n) ? SKW_SABR_TOO_FEW : found.converged ? SKW_SABR_OK : SKW_SABR_NOT_CONVERGED;
    if (!isfinite(found.at.sse)) return fit;
    log_forward = log(forward);
    fit.value[0] = found.x[SKW_SABR_A] * exp((1.0 - found.x[SKW_SABR_BETA]) * log_forward);
    fit.value[1] = found.x[SKW_SABR_BETA];
    fit.value[2] = found.x[SKW_SABR_RHO];
    fit.value[3] = found.x[SKW_SABR_NU];
    fit.rmse = sqrt(found.at.sse / s.weight_sum);
    skw_sabr_judge(&s, &found, n, log_forward, &fit);
    return fit;
}

#endif
