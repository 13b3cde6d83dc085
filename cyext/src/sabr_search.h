/* Where the descents begin, how many there are, and which is kept. */
#ifndef SKW_SABR_SEARCH_H
#define SKW_SABR_SEARCH_H
#include "sabr_descent.h"

#define SKW_SABR_RHO_BOUND 0.9999
#define SKW_SABR_NU_BOUND 50.0

SKW_LANE double skw_clip(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

typedef struct {
    double level, slope, curve;
} skw_sabr_parabola;

/* Weighted parabola of vol against ln(K/F); near the money counts most: the expansion holds there. */
static inline skw_sabr_parabola skw_sabr_shape(const skw_sabr_smile *s)
{
    double m0 = 0, m1 = 0, m2 = 0, m3 = 0, m4 = 0, y0 = 0, y1 = 0, y2 = 0, deviation = s->expiry + 0.02;
    int i, padded = s->padded;
#pragma omp simd reduction(+ : m0, m1, m2, m3, m4, y0, y1, y2)
    for (i = 0; i < padded; i++) {
        double k = -s->l[i], q = k * k, vol = s->vol[i], spread = vol * vol * deviation;
        double w = s->weight[i] * spread / (spread + q), wk = w * k, wq = w * q;
        m0 += w;
        m1 += wk;
        m2 += wq;
        m3 += wq * k;
        m4 += wq * q;
        y0 += w * vol;
        y1 += wk * vol;
        y2 += wq * vol;
    }
    skw_sabr_parabola p = {y0 / m0, 0.0, 0.0};
    double a = m2 * m4 - m3 * m3, b = m1 * m4 - m2 * m3, c = m1 * m3 - m2 * m2;
    double det = m0 * a - m1 * b + m2 * c;
    if (det > 1e-12 * m0 * m2 * m4 && det > 0.0) {
        p.level = (y0 * a - m1 * (y1 * m4 - m3 * y2) + m2 * (y1 * m3 - m2 * y2)) / det;
        p.slope = (m0 * (y1 * m4 - y2 * m3) - y0 * b + m2 * (m1 * y2 - y1 * m2)) / det;
        p.curve = (m0 * (m2 * y2 - m3 * y1) - m1 * (m1 * y2 - m2 * y1) + y0 * c) / det;
    } else if (m0 * m2 - m1 * m1 > 1e-12 * m0 * m2) {
        p.slope = (m0 * y1 - m1 * y0) / (m0 * m2 - m1 * m1);
        p.level = (y0 - p.slope * m1) / m0;
    }
    if (p.level < 0.01) p.level = y0 / m0;
    return p;
}

/* Level, slope and curvature at the money are A, ½(ρν - (1-β)A) and ((1-β)²A² + (2-3ρ²)ν²)/12A, times the drift factor,
 * which a second round knows from the first. */
static inline void skw_sabr_begin(const skw_sabr_smile *s, double *x)
{
    skw_sabr_parabola p = skw_sabr_shape(s);
    double time = 1.0, one_beta = 1.0 - s->beta;
    int round;
    for (round = 0; round < 2; round++) {
        double a = p.level / time, c = 2.0 * p.slope / time + one_beta * a;
        double variance = 6.0 * a * p.curve / time + 1.5 * c * c - 0.5 * one_beta * one_beta * a * a;
        double nu = variance > 0.01 ? sqrt(variance) : 0.1, rho;
        nu = nu > 1.05 * fabs(c) ? nu : 1.05 * fabs(c);
        nu = nu < 0.5 * SKW_SABR_NU_BOUND ? nu : 0.5 * SKW_SABR_NU_BOUND;
        rho = skw_clip(c / nu, -0.95, 0.95);
        time = 1.0 + s->expiry * (one_beta * one_beta * (1.0 / 24) * a * a + 0.25 * s->beta * rho * nu * a
                                  + (2.0 - 3.0 * rho * rho) * (1.0 / 24) * nu * nu);
        time = skw_clip(time, 0.5, 3.0);
        x[SKW_SABR_A] = a;
        x[SKW_SABR_RHO] = rho;
        x[SKW_SABR_NU] = nu;
    }
}

/* The best of a few descents with β fixed; the later starts are tried only where the first did not end well. */
static skw_sabr_descent skw_sabr_search(const skw_sabr_smile *s, const double *first, double typical, const skw_sabr_box *box)
{
    static const double RHO[] = {0.0, -0.5, 0.5, 0.0}, NU[] = {0.0, 1.0, 1.0, 0.2};
    skw_sabr_descent best, d;
    int attempt, iterations = 0;
    best.at.sse = INFINITY;
    best.converged = 0;
    for (attempt = 0; attempt < 4; attempt++) {
        d.x[SKW_SABR_A] = first[SKW_SABR_A];
        d.x[SKW_SABR_RHO] = attempt ? RHO[attempt] : first[SKW_SABR_RHO];
        d.x[SKW_SABR_NU] = attempt ? NU[attempt] : first[SKW_SABR_NU];
        d.x[SKW_SABR_BETA] = s->beta;
        skw_sabr_descend(s, 3, box, 100, &d);
        iterations += d.iterations;
        if (isfinite(d.at.sse) && !(d.at.sse >= best.at.sse * (1.0 - 1e-9))) best = d;
        if (d.converged && fabs(d.x[SKW_SABR_RHO]) < 0.999 * SKW_SABR_RHO_BOUND
            && d.x[SKW_SABR_NU] < 0.999 * SKW_SABR_NU_BOUND && d.at.sse <= 4e-4 * typical * typical * s->weight_sum)
            break;
    }
    best.iterations = iterations;
    return best;
}

/* β free: the valley is flat, so the descent in all four begins at the best of three fixed β. */
static skw_sabr_descent skw_sabr_search_beta(skw_sabr_smile *s, double typical, const skw_sabr_box *box)
{
    static const double BETA[] = {0.5, 0.0, 1.0};
    skw_sabr_descent best, d;
    double first[SKW_SABR_MOST];
    int attempt, iterations = 0;
    best.at.sse = INFINITY;
    for (attempt = 0; attempt < 3; attempt++) {
        skw_sabr_fix_beta(s, BETA[attempt]);
        skw_sabr_begin(s, first);
        d = skw_sabr_search(s, first, typical, box);
        iterations += d.iterations;
        if (attempt == 0 || d.at.sse < best.at.sse) best = d;
    }
    best.iterations = iterations;
    if (!isfinite(best.at.sse)) return best;
    d = best;
    skw_sabr_descend(s, 4, box, 200, &d);
    iterations += d.iterations;
    if (d.at.sse <= best.at.sse) best = d;
    best.iterations = iterations;
    return best;
}

#endif
