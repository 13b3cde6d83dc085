/* The early exercise boundary B(τ) of an American put on strike 1, one option a lane (Andersen, Lake & Offengenden 2016).
 *
 * With X = B(0+), H = ln²(B/X) is smooth in √τ and kept by its values at Chebyshev points in it: `fall` = ln(X/B) there.
 * Iterated is their fixed point "A", B = N/D with
 *
 *   N = e^{-rτ} φ(d-)/(σ√τ) + r ∫ e^{-r(τ-u)} φ(d-(u))/(σ√(τ-u)) du,
 *   D = e^{-qτ} (φ(d+)/(σ√τ) + Φ(d+)) + q ∫ e^{-q(τ-u)} (φ(d+(u))/(σ√(τ-u)) + Φ(d+(u))) du,
 *
 * the integrals over the angle θ in τ - u = τ sin²θ, √u = √τ cosθ, in which both square roots are smooth. As
 * B e^{-qτ} φ(d+) = K e^{-rτ} φ(d-), one exponential serves both densities. The fixed point contracts quickly while
 * |r - q|√T/σ is small; elsewhere Newton's method on the whole system takes over, for which
 * ∂N, ∂D by ln(B(τ)/B(u)) is -(d-/(σ√(τ-u))) times the terms with φ. */
#ifndef SKW_AMERICAN_BOUNDARY_H
#define SKW_AMERICAN_BOUNDARY_H
#include "american_loops.h"
#include "normal_lanes.h"

enum { SKW_AL = SKW_AMERICAN_LANES };
#define SKW_LANES_DO _Pragma("omp simd") for (int k = 0; k < SKW_AL; k++)

typedef struct {
    double v[SKW_AL], one_v[SKW_AL];         /* σ√T and its inverse */
    double interest[SKW_AL], yield[SKW_AL];  /* rT, qT */
    double drift[SKW_AL];                    /* (r - q)√T/σ - σ√T/2 */
    double ceiling[SKW_AL]; /* ln X */
    double deepest[SKW_AL]; /* ln(X/B(∞)) */
    double fall[SKW_AMERICAN_POINTS][SKW_AL]; /* at points 1..n */
    double change[SKW_AL];
} skw_american_boundary;

/* One exercise point of the integrals at √(lag/T) = x, or the strike in place of it (log_ratio = ln B then). */
typedef struct {
    double d, density, share, held; /* d-, e^{-r lag} φ(d-), the same over B/B(u), e^{-q lag} Φ(d+) */
} skw_american_point;

SKW_LANE skw_american_point skw_american_at(const skw_american_boundary *b, int k, double log_ratio, double x, double one_x,
                                            double kept)
{
    skw_american_point p;
    p.d = log_ratio * (b->one_v[k] * one_x) + b->drift[k] * x;
    p.density = SKW_ONE_OVER_ROOT_2PI * skw_exp_negative(-0.5 * p.d * p.d - b->interest[k] * (x * x));
    p.share = p.density * skw_exp_negative(-log_ratio);
    p.held = skw_weighted_cdf(p.d + b->v[k] * x, p.share, kept);
    return p;
}

#ifndef SKW_AMERICAN_STARTS
#define SKW_AMERICAN_STARTS 4
#endif
/* A step of Newton's method on the boundary of Barone-Adesi & Whaley (1987), the root in S of
 * (1 - e^{-qτ} Φ(-d+)) S + λ (1 - S - p(S)) with the European put p. */
static inline void skw_american_quadratic(const skw_american_boundary *restrict b, double share, double *restrict boundary)
{
    double x = share, one_x = 1.0 / share;
    SKW_LANES_DO {
        double s = boundary[k], rt = b->interest[k] * x * x, qt = b->yield[k] * x * x, v = b->v[k] * x;
        double later = skw_exp_negative(-rt), stock = skw_exp_negative(-qt), h = rt > 1e-9 ? (1.0 - later) / rt : 1.0;
        double one_v2 = 2.0 / (v * v), a = (rt - qt) * one_v2 - 1.0;
        double lam = -0.5 * (a + sqrt(a * a + 4.0 * one_v2 / h));
        double d = skw_log_ratio(s, 1.0) * (b->one_v[k] * one_x) + b->drift[k] * x;
        double density = SKW_ONE_OVER_ROOT_2PI * later * skw_exp_negative(-0.5 * d * d); /* also s e^{-qτ} φ(d+) */
        double money = skw_weighted_cdf(-d, density, later), share_s = skw_weighted_cdf(-d - v, density, s * stock);
        double value = s - share_s + lam * (1.0 - s - money + share_s);
        double slope = 1.0 - share_s / s + density * b->one_v[k] * one_x / s + lam * (share_s / s - 1.0);
        double fresh = s - value / slope, low = skw_exp_negative(b->ceiling[k] - b->deepest[k]);
        double top = skw_exp_negative(b->ceiling[k]);
        fresh = fresh > 0.5 * (s + low) ? fresh : 0.5 * (s + low);
        boundary[k] = fresh < 0.5 * (s + top) ? fresh : 0.5 * (s + top);
    }
}

/* Starts from a rate between today's X and the perpetual option's boundary that rises with σ√τ. */
static inline void skw_american_start(const skw_american_group *restrict g, const skw_american_stage *s,
                                      skw_american_boundary *restrict b)
{
    double start[SKW_AL];
    int i, j;
    SKW_LANES_DO {
        double r = g->rate[k], q = g->carry[k], v = g->vol[k], s2 = v * v;
        double drift = r - q - 0.5 * s2, root = sqrt(drift * drift + 2.0 * r * s2);
        /* the negative root of σ²λ²/2 + (r - q - σ²/2)λ - r, written without cancellation */
        double up = drift >= 0.0, lam = up ? (-drift - root) / s2 : -2.0 * r / (up ? 1.0 : root - drift);
        int capped = q > r;
        double t = g->expiry[k], root_t = sqrt(t);
        b->v[k] = v * root_t;
        b->one_v[k] = 1.0 / b->v[k];
        b->interest[k] = r * t;
        b->yield[k] = q * t;
        b->drift[k] = (r - q) * root_t / v - 0.5 * b->v[k];
        b->ceiling[k] = capped ? skw_log_ratio(r, capped ? q : r) : 0.0;
        b->deepest[k] = b->ceiling[k] - skw_log_ratio(lam, lam - 1.0);
    }
    for (i = 0; i < s->points; i++) {
        double share = s->share[i];
        SKW_LANES_DO {
            double top = skw_exp_negative(b->ceiling[k]), low = skw_exp_negative(b->ceiling[k] - b->deepest[k]);
            double h = (b->interest[k] - b->yield[k]) * share * share - 2.0 * b->v[k] * share;
            h = h < 0.0 ? h / (1.0 - low) : 0.0;
            double guess = low + (1.0 - low) * skw_exp_negative(h);
            start[k] = guess < top ? guess : top;
        }
        for (j = 0; j < SKW_AMERICAN_STARTS; j++) skw_american_quadratic(b, share, start);
        SKW_LANES_DO b->fall[i][k] = b->ceiling[k] - skw_log_ratio(start[k], 1.0);
    }
}

static inline void skw_american_prolong(const skw_american_stage *s, int before, skw_american_boundary *restrict b)
{
    double square[SKW_AMERICAN_POINTS][SKW_AL];
    int i, j;
    for (i = 0; i < before; i++)
        SKW_LANES_DO square[i][k] = b->fall[i][k] * b->fall[i][k];
    for (i = 0; i < s->points; i++) {
        double sum[SKW_AL] = {0};
        for (j = 0; j < before; j++)
            SKW_LANES_DO sum[k] += s->prolong[i * before + j] * square[j][k];
        SKW_LANES_DO b->fall[i][k] = sqrt(sum[k] > 0.0 ? sum[k] : 0.0);
    }
}

/* ln(X/B) at a point of a rule. */
static inline void skw_american_fall_at(const double *restrict row, int points, const double (*restrict square)[SKW_AL],
                                        double *restrict fall)
{
    double sum[SKW_AL] = {0};
    int j;
    for (j = 0; j < points; j++)
        SKW_LANES_DO sum[k] += row[j] * square[j][k];
    SKW_LANES_DO fall[k] = sqrt(sum[k] > 0.0 ? sum[k] : 0.0);
}

/* e^{-q lag} at all points of a stage's rule; it does not change while the boundary is iterated. */
typedef struct {
    double strike[SKW_AMERICAN_POINTS][SKW_AL];
    double point[SKW_AMERICAN_POINTS * SKW_AMERICAN_RULE][SKW_AL];
} skw_american_kept;

static inline void skw_american_keep(const skw_american_boundary *restrict b, const skw_american_stage *s,
                                     skw_american_kept *restrict kept)
{
    int i, j;
    for (i = 0; i < s->points; i++) {
        double tau = s->share[i] * s->share[i];
        SKW_LANES_DO kept->strike[i][k] = skw_exp_negative(-b->yield[k] * tau);
        for (j = 0; j < s->rule.size; j++) {
            double lag = tau * s->rule.sine[j] * s->rule.sine[j];
            SKW_LANES_DO kept->point[i * s->rule.size + j][k] = skw_exp_negative(-b->yield[k] * lag);
        }
    }
}

/* ln X - ln(N/D) at point i, and how it moves with the fall there. */
static inline void skw_american_image(const skw_american_stage *s, const skw_american_boundary *restrict b,
                                      const skw_american_kept *restrict kept, const double (*restrict square)[SKW_AL],
                                      int i, double *restrict image, double *restrict slope)
{
    double densities[SKW_AL] = {0}, shares[SKW_AL] = {0}, held[SKW_AL] = {0}, fall[SKW_AL], share = s->share[i];
    double density_slopes[SKW_AL] = {0}, share_slopes[SKW_AL] = {0};
    int j, n = s->points;
    for (j = 0; j < s->rule.size; j++) {
        double x = share * s->rule.sine[j], one_x = 1.0 / x, by_v = 2.0 * share * s->rule.weight[j] * s->rule.cosine[j];
        double weight = by_v * x;
        const double *row = s->rule.rows + (i * s->rule.size + j) * n;
        double own = row[i];
        skw_american_fall_at(row, n, square, fall);
        SKW_LANES_DO {
            skw_american_point p = skw_american_at(b, k, fall[k] - b->fall[i][k], x, one_x,
                                                   kept->point[i * s->rule.size + j][k]);
            /* no slope where the interpolated square has dipped below zero, close to τ = 0 */
            double least = 1e-9 * b->fall[i][k], part = b->fall[i][k] / (fall[k] > least ? fall[k] : least);
            double by_own = by_v * one_x * p.d * (own * (fall[k] > least ? part : 0.0) - 1.0);
            densities[k] += by_v * p.density;
            shares[k] += by_v * p.share;
            held[k] += weight * p.held;
            density_slopes[k] += by_own * p.density;
            share_slopes[k] += by_own * p.share;
        }
    }
    SKW_LANES_DO {
        skw_american_point p = skw_american_at(b, k, b->ceiling[k] - b->fall[i][k], share, 1.0 / share,
                                               kept->strike[i][k]);
        double one_v = b->one_v[k], one_lv = one_v / share, r = b->interest[k] * one_v, q = b->yield[k] * one_v;
        double top = p.density * one_lv + r * densities[k];
        double bottom = p.share * one_lv + p.held + q * shares[k] + b->yield[k] * held[k];
        /* ∂/∂(log ratio) of every density is -d/(σ√lag), and the ratio falls as the fall here rises */
        double top_slope = p.d * one_lv * one_lv * p.density - r * one_v * density_slopes[k];
        double bottom_slope = p.d * one_lv * one_lv * p.share - q * one_v * share_slopes[k];
        image[k] = b->ceiling[k] - skw_log_ratio(top, bottom);
        slope[k] = bottom_slope / bottom - top_slope / top;
    }
}

/* One sweep of Gauss, Seidel and Newton: a point's boundary is mostly made of what lies before it in τ. */
static inline void skw_american_sweep(const skw_american_stage *s, const skw_american_kept *restrict kept,
                                      skw_american_boundary *restrict b)
{
    double square[SKW_AMERICAN_POINTS][SKW_AL], fresh[SKW_AL], slope[SKW_AL];
    int i;
    for (i = 0; i < s->points; i++)
        SKW_LANES_DO square[i][k] = b->fall[i][k] * b->fall[i][k];
    SKW_LANES_DO b->change[k] = 0.0;
    for (i = 0; i < s->points; i++) {
        skw_american_image(s, b, kept, (const double(*)[SKW_AL])square, i, fresh, slope);
        SKW_LANES_DO {
            double old = b->fall[i][k], c = slope[k] < 0.5 ? slope[k] : 0.5, x = old + (fresh[k] - old) / (1.0 - c);
            x = x < 2.0 * old + 0.01 ? x : 2.0 * old + 0.01;
            x = x < b->deepest[k] ? x : b->deepest[k];
            x = x > 0.3 * old ? x : 0.3 * old;
            double moved = fabs(x - old);
            b->change[k] = b->change[k] > moved ? b->change[k] : moved;
            b->fall[i][k] = x;
            square[i][k] = x * x;
        }
    }
}

#endif
