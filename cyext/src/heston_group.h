/* What a group's strikes get from its nodes: Σ Re(term e^{iuk}), the price less the control variate's, in units of
 * D√(FK), and its derivatives. A strike at a time with the nodes side by side, so that no answer depends on another strike. */
#ifndef SKW_HESTON_GROUP_H
#define SKW_HESTON_GROUP_H
#include "heston_cf.h"

/* Adds to `sums` for the strike at `distance` = |ln(F/K)|. The other side's contour is the mirror image: e^{iuk} has
 * always the modulus e^{-|Im u k|}, and on the lower side k < 0 turns its angle around. */
static inline __attribute__((always_inline)) void skw_heston_strike(const skw_heston_nodes *restrict o, double distance,
                                                                    double turn, int terms, double *restrict sums)
{
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0, s4 = 0.0, s5 = 0.0;
    int j, count = o->count;
    /* nodes from which the modulus leaves nothing */
    while (count > 0 && distance * o->u_im[count - SKW_HESTON_STEP] > 40.0) count -= SKW_HESTON_STEP;
#pragma omp simd reduction(+ : s0, s1, s2, s3, s4, s5)
    for (j = 0; j < count; j++) {
        double fade = skw_exp_negative(-distance * o->u_im[j]);
        skw_turn t = skw_sincos(distance * o->u_re[j]);
        double cosine = fade * t.cosine, sine = turn * fade * t.sine;
        s0 += cosine * o->re[0][j] - sine * o->im[0][j];
        if (terms > 1) {
            s1 += cosine * o->re[1][j] - sine * o->im[1][j];
            s2 += cosine * o->re[2][j] - sine * o->im[2][j];
            s3 += cosine * o->re[3][j] - sine * o->im[3][j];
            s4 += cosine * o->re[4][j] - sine * o->im[4][j];
            s5 += cosine * o->re[5][j] - sine * o->im[5][j];
        }
    }
    sums[0] += s0;
    if (terms > 1) {
        sums[1] += s1;
        sums[2] += s2;
        sums[3] += s3;
        sums[4] += s4;
        sums[5] += s5;
    }
}

/* Sets `sums` (`terms` of them a strike, 1 or 6) for the group's strikes; returns the control variate's σ²T. NaN where the
 * integrand overflows or has not died out by the last node: never a truncated sum. */
static inline __attribute__((always_inline)) double skw_heston_integrals(
    const skw_heston_model *p, const skw_heston_accuracy *accuracy, const skw_heston_group *g, const double *distance,
    int terms, double *restrict sums)
{
    skw_heston_contour contour = skw_heston_contour_of(p, g, accuracy);
    skw_heston_nodes nodes;
    ptrdiff_t i, count = g->end - g->begin;
    double size = 0.0;
    int first, done = 0;
    for (i = 0; i < count * terms; i++) sums[i] = 0.0;
    for (first = 0; !done; first += nodes.count) {
        done = skw_heston_chunk(p, g->expiry, &contour, accuracy->negligible, first, terms > 1, &nodes, &size);
        if (!(size < 1e300)) break;
        for (i = 0; i < count; i++)
            skw_heston_strike(&nodes, distance[g->begin + i], g->upper ? 1.0 : -1.0, terms, sums + i * terms);
    }
    if (!(size < 1e-9))
        for (i = 0; i < count * terms; i++) sums[i] = NAN;
    return contour.variance;
}

#endif
