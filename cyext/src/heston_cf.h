/* The Heston characteristic function at the nodes of a contour, and its gradient in the five parameters.
 *
 * ln E[exp(i(u - i/2) ln(S_T/F))] = v0 a + (κθ/σ²) b in the form that is continuous in u: Re d >= 0, decaying exponentials
 * only (Albrecher et al., 2007; Cui, del Baño Rollin & Germano, EJOR 2017), written so that nothing cancels as σ → 0:
 * (β - d)/σ² = -m/(β + d) with m = u² + 1/4. The gradient goes through β and d: both partial derivatives once, the chain
 * rule for κ, σ and ρ. */
#ifndef SKW_HESTON_CF_H
#define SKW_HESTON_CF_H
#include "complex_lanes.h"
#include "heston_contour.h"

enum { SKW_HESTON_CHUNK = 64, SKW_HESTON_STEP = 8, SKW_HESTON_TERMS = 6 };

/* Nodes side by side: u, and what a strike's e^{iuk} is multiplied by for the price and its five derivatives. */
typedef struct {
    double u_re[SKW_HESTON_CHUNK], u_im[SKW_HESTON_CHUNK];
    double re[SKW_HESTON_TERMS][SKW_HESTON_CHUNK], im[SKW_HESTON_TERMS][SKW_HESTON_CHUNK];
    int count;
} skw_heston_nodes;

/* Nodes [first, first + 8) of the contour, to position `at`; returns the largest of the terms' sizes. */
static inline __attribute__((always_inline)) double skw_heston_fill(
    const skw_heston_model *p, double expiry, const skw_heston_contour *contour, int first, int at, int with_gradient,
    skw_heston_nodes *restrict o)
{
    const double v0 = p->v0, kappa = p->kappa, theta = p->theta, sigma = p->sigma, rho = p->rho, t = expiry;
    const double s2 = sigma * sigma, scale = kappa * theta / s2, variance = contour->variance;
    const double size = contour->scale, sine = contour->sine, cosine = contour->cosine, step = contour->step;
    const double per_node = size * step * 0.31830988618379067154;
    double largest = 0.0;
    int l;
#pragma omp simd reduction(max : largest)
    for (l = 0; l < SKW_HESTON_STEP; l++) {
        double up = 0.5 * skw_exp_moderate(step * (first + l)), down = 0.25 / up;
        double sh = up - down, ch = up + down;
        double weight = first + l == 0 ? 0.5 * per_node : per_node;
        skw_complex u = skw_c(size * sh * cosine, size * (ch - 1.0) * sine);
        skw_complex m = skw_mul(u, u);
        m.re += 0.25;
        skw_complex c = skw_c(0.5 - u.im, u.re), beta = skw_c(kappa - rho * sigma * c.re, -rho * sigma * c.im);
        skw_complex d = skw_csqrt(skw_add(skw_mul(beta, beta), skw_scale(s2, m)));
        skw_complex one_e = skw_scale(-1.0, skw_cexpm1(skw_scale(-t, d)));
        skw_complex plus = skw_add(beta, d), minus = skw_sub(beta, d);
        skw_complex other = skw_scale(-s2, skw_mul(m, skw_inverse(plus)));
        int small = skw_norm2(plus) > skw_norm2(minus);
        minus = skw_c(small ? other.re : minus.re, small ? other.im : minus.im);
        skw_complex inverse_d = skw_inverse(d);
        skw_complex z = skw_scale(0.5, skw_mul(minus, skw_mul(one_e, inverse_d)));
        skw_complex q = skw_add(skw_scale(2.0, d), skw_mul(minus, one_e)), inverse_q = skw_inverse(q);
        skw_complex ratio = skw_mul(one_e, inverse_q);
        skw_complex a = skw_scale(-1.0, skw_mul(m, ratio));
        skw_complex b = skw_sub(skw_scale(t, minus), skw_scale(2.0, skw_clog1p(z)));
        skw_complex phi = skw_cexp(skw_add(skw_scale(v0, a), skw_scale(scale, b)));
        skw_complex black = skw_cexp(skw_scale(-0.5 * variance, m));
        skw_complex bend = skw_scale(weight, skw_mul(skw_c(ch * cosine, sh * sine), skw_inverse(m)));
        skw_complex base = skw_mul(skw_sub(black, phi), bend);
        double term = fabs(base.re) + fabs(base.im);
        term = term < 1e300 ? term : 1e300;
        largest = largest > term ? largest : term;
        o->u_re[at + l] = u.re;
        o->u_im[at + l] = fabs(u.im);
        o->re[0][at + l] = base.re;
        o->im[0][at + l] = base.im;
        if (with_gradient) {
            skw_complex w = skw_scale(-1.0, skw_mul(phi, bend));
            skw_complex e = skw_c(1.0 - one_e.re, -one_e.im), te = skw_scale(t, e);
            /* ∂q/∂d over q, and the derivatives of the exponent by β and by d */
            skw_complex q_d = skw_mul(skw_add(skw_c(2.0 - one_e.re, -one_e.im), skw_mul(minus, te)), inverse_q);
            skw_complex mv_q = skw_scale(v0, skw_mul(m, inverse_q));
            skw_complex by_beta = skw_add(skw_mul(mv_q, skw_mul(one_e, ratio)),
                                          skw_scale(scale, skw_c(t - 2.0 * ratio.re, -2.0 * ratio.im)));
            skw_complex gap = skw_sub(q_d, inverse_d);
            skw_complex by_d = skw_sub(skw_mul(mv_q, skw_sub(skw_mul(one_e, q_d), te)),
                                       skw_scale(scale, skw_c(t + 2.0 * gap.re, 2.0 * gap.im)));
            skw_complex by_d_d = skw_mul(by_d, inverse_d);
            skw_complex whole = skw_mul(w, skw_add(by_beta, skw_mul(by_d_d, beta)));
            skw_complex wb = skw_mul(w, b), c_whole = skw_mul(c, whole);
            skw_complex d_v0 = skw_mul(w, a);
            skw_complex d_m = skw_mul(w, skw_mul(by_d_d, m));
            o->re[1][at + l] = d_v0.re;
            o->im[1][at + l] = d_v0.im;
            o->re[2][at + l] = whole.re + theta / s2 * wb.re;
            o->im[2][at + l] = whole.im + theta / s2 * wb.im;
            o->re[3][at + l] = kappa / s2 * wb.re;
            o->im[3][at + l] = kappa / s2 * wb.im;
            o->re[4][at + l] = sigma * d_m.re - rho * c_whole.re - 2.0 * scale / sigma * wb.re;
            o->im[4][at + l] = sigma * d_m.im - rho * c_whole.im - 2.0 * scale / sigma * wb.im;
            o->re[5][at + l] = -sigma * c_whole.re;
            o->im[5][at + l] = -sigma * c_whole.im;
        }
    }
    return largest;
}

/* A chunk of nodes from `first`; `size` is that of its last terms. True when the integrand has died out or cannot be had. */
static inline __attribute__((always_inline)) int skw_heston_chunk(
    const skw_heston_model *p, double expiry, const skw_heston_contour *contour, double negligible, int first,
    int with_gradient, skw_heston_nodes *o, double *size)
{
    for (o->count = 0; o->count < SKW_HESTON_CHUNK; o->count += SKW_HESTON_STEP) {
        *size = skw_heston_fill(p, expiry, contour, first + o->count, o->count, with_gradient, o);
        if (!(*size < 1e300)) return 1;
        if (*size < negligible && o->u_re[o->count] > contour->core) {
            o->count += SKW_HESTON_STEP;
            return 1;
        }
    }
    return first + o->count >= contour->nodes;
}

#endif
