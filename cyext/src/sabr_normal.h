/* A smile as the search sees it, and its normal equations in (A, ρ, ν, β), A = α F^{β-1}. Vectors run across strikes, so
 * that a smile alone is as quick as one in a batch and no answer depends on another's. */
#ifndef SKW_SABR_NORMAL_H
#define SKW_SABR_NORMAL_H
#include "sabr_vol.h"

enum { SKW_SABR_A, SKW_SABR_RHO, SKW_SABR_NU, SKW_SABR_BETA, SKW_SABR_MOST };

/* Columns of `padded` strikes; a point that does not count has weight zero and harmless values. */
typedef struct {
    int padded, obloj;
    double expiry, beta, weight_sum, points;
    double *restrict l, *restrict vol, *restrict weight;
    double *restrict zeta, *restrict inverse, *restrict inverse_middle; /* at the fixed β */
} skw_sabr_smile;

typedef struct {
    double sse, h[SKW_SABR_MOST][SKW_SABR_MOST], g[SKW_SABR_MOST]; /* JᵀWJ, JᵀWr */
} skw_sabr_normal;

static inline void skw_sabr_fix_beta(skw_sabr_smile *s, double beta)
{
    int i;
    s->beta = beta;
    if (s->obloj) {
#pragma omp simd
        for (i = 0; i < s->padded; i++) {
            skw_sabr_strike k = skw_sabr_at(s->l[i], beta, 1);
            s->zeta[i] = k.zeta;
            s->inverse[i] = k.inverse;
            s->inverse_middle[i] = k.inverse_middle;
        }
    } else {
#pragma omp simd
        for (i = 0; i < s->padded; i++) {
            skw_sabr_strike k = skw_sabr_at(s->l[i], beta, 0);
            s->zeta[i] = k.zeta;
            s->inverse[i] = k.inverse;
            s->inverse_middle[i] = k.inverse_middle;
        }
    }
}

static void skw_sabr_three(const skw_sabr_smile *s, const double *x, skw_sabr_normal *out)
{
    skw_sabr_point p = skw_sabr_at_point(x[SKW_SABR_A], s->beta, x[SKW_SABR_RHO], x[SKW_SABR_NU], s->expiry);
    double sse = 0, h00 = 0, h01 = 0, h02 = 0, h11 = 0, h12 = 0, h22 = 0, g0 = 0, g1 = 0, g2 = 0;
    int i, padded = s->padded;
#pragma omp simd reduction(+ : sse, h00, h01, h02, h11, h12, h22, g0, g1, g2)
    for (i = 0; i < padded; i++) {
        skw_sabr_strike k = {s->zeta[i], s->inverse[i], s->inverse_middle[i], 0.0, 0.0};
        skw_sabr_value v = skw_sabr_vol(&k, &p);
        double r = v.value - s->vol[i], w = s->weight[i], wa = w * v.d_a, wr = w * v.d_rho, wn = w * v.d_nu;
        sse += w * r * r;
        h00 += wa * v.d_a;
        h01 += wa * v.d_rho;
        h02 += wa * v.d_nu;
        h11 += wr * v.d_rho;
        h12 += wr * v.d_nu;
        h22 += wn * v.d_nu;
        g0 += wa * r;
        g1 += wr * r;
        g2 += wn * r;
    }
    out->sse = sse;
    out->h[0][0] = h00;
    out->h[0][1] = out->h[1][0] = h01;
    out->h[0][2] = out->h[2][0] = h02;
    out->h[1][1] = h11;
    out->h[1][2] = out->h[2][1] = h12;
    out->h[2][2] = h22;
    out->g[0] = g0;
    out->g[1] = g1;
    out->g[2] = g2;
}

SKW_LANE void skw_sabr_four_of(const skw_sabr_smile *s, const double *x, skw_sabr_normal *out, int obloj)
{
    double beta = x[SKW_SABR_BETA];
    skw_sabr_point p = skw_sabr_at_point(x[SKW_SABR_A], beta, x[SKW_SABR_RHO], x[SKW_SABR_NU], s->expiry);
    double sse = 0, h00 = 0, h01 = 0, h02 = 0, h03 = 0, h11 = 0, h12 = 0, h13 = 0, h22 = 0, h23 = 0, h33 = 0;
    double g0 = 0, g1 = 0, g2 = 0, g3 = 0;
    int i, j, padded = s->padded;
#pragma omp simd reduction(+ : sse, h00, h01, h02, h03, h11, h12, h13, h22, h23, h33, g0, g1, g2, g3)
    for (i = 0; i < padded; i++) {
        double l = s->l[i];
        skw_sabr_strike k = skw_sabr_at(l, beta, obloj);
        skw_sabr_value v = skw_sabr_vol(&k, &p);
        double b = v.d_beta + v.without_drift * skw_sabr_drift_by_beta(&k, &p, l);
        double r = v.value - s->vol[i], w = s->weight[i], wa = w * v.d_a, wr = w * v.d_rho, wn = w * v.d_nu, wb = w * b;
        sse += w * r * r;
        h00 += wa * v.d_a;
        h01 += wa * v.d_rho;
        h02 += wa * v.d_nu;
        h03 += wa * b;
        h11 += wr * v.d_rho;
        h12 += wr * v.d_nu;
        h13 += wr * b;
        h22 += wn * v.d_nu;
        h23 += wn * b;
        h33 += wb * b;
        g0 += wa * r;
        g1 += wr * r;
        g2 += wn * r;
        g3 += wb * r;
    }
    double upper[4][4] = {{h00, h01, h02, h03}, {h01, h11, h12, h13}, {h02, h12, h22, h23}, {h03, h13, h23, h33}};
    double gradient[4] = {g0, g1, g2, g3};
    out->sse = sse;
    for (i = 0; i < 4; i++) {
        out->g[i] = gradient[i];
        for (j = 0; j < 4; j++) out->h[i][j] = upper[i][j];
    }
}

/* n: 3 with β fixed, 4 with β free. */
static inline void skw_sabr_equations(const skw_sabr_smile *s, int n, const double *x, skw_sabr_normal *out)
{
    if (n == 3)
        skw_sabr_three(s, x, out);
    else if (s->obloj)
        skw_sabr_four_of(s, x, out, 1);
    else
        skw_sabr_four_of(s, x, out, 0);
}

#endif
