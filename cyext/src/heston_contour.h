/* Where and how densely the Fourier integral is sampled: by expiry, variance, correlation and the farthest strike.
 *
 * The Lewis integral ∫ e^{iuk} (φ_Black - φ)(u) / (u² + 1/4) du, whose poles the control variate removes, is bent by
 * u = b (sinh(y + iω) - i sin ω) (Boyarchenko & Levendorskii, 2019) towards the side on which e^{iuk} decays, and summed by
 * the trapezoidal rule in y, which converges exponentially. Node spacing is constant in y, that is geometric in u: short
 * expiries, whose integrand reaches far, cost a few nodes more and need no cut-off. */
#ifndef SKW_HESTON_CONTOUR_H
#define SKW_HESTON_CONTOUR_H
#include <math.h>
#include "heston_loops.h"

enum { SKW_HESTON_MOST_NODES = 8000 };

typedef struct {
    double scale, sine, cosine, step;
    double variance; /* of the control variate, σ²T */
    double core;     /* the Gaussian part reaches to this real part of u: no sum ends before it */
    int nodes;
} skw_heston_contour;

/* ∫₀ᵀ E[v] dt */
static inline double skw_heston_variance(const skw_heston_model *p, double expiry)
{
    double decay = p->kappa > 1e-12 ? -expm1(-p->kappa * expiry) / p->kappa : expiry;
    return p->theta * (expiry - decay) + p->v0 * decay;
}

static inline skw_heston_contour skw_heston_contour_of(const skw_heston_model *p, const skw_heston_group *g,
                                                       const skw_heston_accuracy *accuracy)
{
    const double quarter_pi = 0.78539816339744830962;
    double side = g->upper ? 1.0 : -1.0;
    /* φ decays up to π/2 - asin(ρ) on this side, the Gaussian up to π/4; half of it is the room for the other half */
    double room = 0.5 * fmin(quarter_pi, 2.0 * quarter_pi - side * asin(p->rho));
    double knee = fmax(2.0 / (p->sigma * g->expiry), p->kappa / p->sigma);
    skw_heston_contour c;
    c.variance = skw_heston_variance(p, g->expiry);
    c.sine = side * sin(room);
    c.cosine = cos(room);
    c.step = 8.0 * quarter_pi * room / accuracy->digits;
    /* the Gaussian's width, or where the variance of variance makes φ leave the Gaussian, if that is nearer */
    c.scale = fmin(1.0 / sqrt(c.variance), knee);
    c.scale = fmax(fmin(c.scale, 20.0 / g->widest), 0.5);
    c.core = 3.0 / sqrt(c.variance);
    c.nodes = (int)fmin(36.0 / c.step, SKW_HESTON_MOST_NODES);
    return c;
}

#endif
