/* The normal distribution's upper tail over its density, M(z) = (1 - Φ(z))/φ(z) (Mills' ratio), for z >= -1.05.
 *
 * M(z) = w P(u) with w = 1/(z + λ), u = 1 - 2κw in [-1, 1), one polynomial P of degree 24 for the whole half-line, from
 * P's Chebyshev series (κ = 5, λ = 6.05; after M. M. Shepherd & J. G. Laframboise (1981), Math. Comp. 36, 249, where it
 * is done for erfcx). Relative error below 3e-15. The difference of two values is built from P's divided difference,
 * which Horner's scheme gives along with P: nothing cancels, however close the two arguments are. Even and odd powers of
 * u are summed apart, P = E(u²) + u O(u²), for the sake of shorter chains of dependent operations. */
#ifndef SKW_MILLS_H
#define SKW_MILLS_H
#include "lanes.h"

#define SKW_MILLS_LAMBDA 6.05
#define SKW_MILLS_2_KAPPA 10.0
#define SKW_MILLS_EVEN_24 -0x1.6f14cc0d167d7p-26
#define SKW_MILLS_EVEN_22 0x1.099a7c300536bp-22
#define SKW_MILLS_ODD_23 -0x1.e84b76598a6b2p-26
#define SKW_MILLS_REST(X) \
    X(-0x1.ceabdb6319c3cp-20, 0x1.4b3e2d86c5191p-22) X(0x1.61ff5471eb493p-17, -0x1.d792d4f1fed3cp-20) \
    X(-0x1.0d3ca6ba54623p-14, 0x1.6ef595398abf4p-18) X(0x1.7fb725a5fdeb8p-12, 0x1.741ecb0faeb42p-16) \
    X(-0x1.5eaccf80f4a1fp-10, -0x1.4f644b9b98459p-11) X(-0x1.08cbe01abecf2p-7, 0x1.d6176e00fd8cfp-8) \
    X(0x1.73ed1bacdac10p-3, -0x1.0061008bc5918p-5) X(0x1.1f1787e3f7ff9p+0, -0x1.0ef47675fd4c6p-1) \
    X(0x1.592a9c78ed727p+1, -0x1.e73d1c2979d40p+0) X(0x1.b26d07ac4fcf4p+1, -0x1.a105c1b391b9ep+1) \
    X(0x1.325e8f4013370p+1, -0x1.880a565cf5ce7p+1)

typedef struct {
    double at_a, at_b, difference; /* M(a), M(b), M(a) - M(b) */
} skw_mills;

/* `distance` is b - a, handed in because the caller knows it without rounding. */
SKW_LANE skw_mills skw_mills_pair(double a, double b, double distance)
{
    double da = a + SKW_MILLS_LAMBDA, db = b + SKW_MILLS_LAMBDA;
    double product = 1.0 / (da * db);
    double wa = db * product, wb = da * product;
    double ua = 1.0 - SKW_MILLS_2_KAPPA * wa, ub = 1.0 - SKW_MILLS_2_KAPPA * wb;
    double va = ua * ua, vb = ub * ub, sum = ua + ub;
    /* E and O at va, and their divided differences between va and vb */
    double e = SKW_MILLS_EVEN_24 * va + SKW_MILLS_EVEN_22, e_apart = SKW_MILLS_EVEN_24;
    double o = SKW_MILLS_ODD_23, o_apart = 0.0;
#define SKW_MILLS_STEP(even, odd) \
    e_apart = e_apart * vb + e; \
    o_apart = o_apart * vb + o; \
    e = e * va + (even); \
    o = o * va + (odd);
    SKW_MILLS_REST(SKW_MILLS_STEP)
#undef SKW_MILLS_STEP
    double apart = distance * product; /* wa - wb */
    double u_apart = SKW_MILLS_2_KAPPA * apart; /* ub - ua */
    double p_a = e + ua * o;
    double q = e_apart * sum + (o + ub * (sum * o_apart)); /* (P(ub) - P(ua))/(ub - ua) */
    double p_b = p_a + u_apart * q;
    skw_mills m;
    m.at_a = wa * p_a;
    m.at_b = wb * p_b;
    m.difference = apart * (p_b - SKW_MILLS_2_KAPPA * wa * q);
    return m;
}

#endif
