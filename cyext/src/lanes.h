/* exp and log for loops that the compiler turns into vectors: no branch, no table, no call. Their arguments are
 * ordinary numbers (no NaN, infinity, zero or subnormal); whoever loads the lanes sees to that. */
#ifndef SKW_LANES_H
#define SKW_LANES_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#define SKW_LANE static inline __attribute__((always_inline))

SKW_LANE uint64_t skw_bits(double x) { uint64_t u; memcpy(&u, &x, 8); return u; }
SKW_LANE double skw_double(uint64_t u) { double x; memcpy(&x, &u, 8); return x; }

/* 2^k of a whole number |k| < 1022: adding 1.5 2^52 + 1023 leaves k + 1023 in the lowest bits. */
SKW_LANE double skw_pow2(double k) { return skw_double(skw_bits(k + (0x1.8p52 + 1023.0)) << 52); }

SKW_LANE double skw_round(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

/* e^x for x <= 0, to 1.5 units in the last place; subnormal where that is the value, zero below. */
SKW_LANE double skw_exp_negative(double x)
{
    x = x > -760.0 ? x : -760.0;
    double k = skw_round(x * 1.4426950408889634074);
    double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
    double r2 = r * r, r4 = r2 * r2;
    double p01 = 1.0 + r, p23 = 0.5 + r * (1.0 / 6), p45 = 1.0 / 24 + r * (1.0 / 120);
    double p67 = 1.0 / 720 + r * (1.0 / 5040), p89 = 1.0 / 40320 + r * (1.0 / 362880);
    double pab = 1.0 / 3628800 + r * (1.0 / 39916800);
    double high = (p89 + r2 * pab) + r4 * (1.0 / 479001600);
    double p = (p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * high);
    double half = skw_round(0.5 * k);
    return p * skw_pow2(half) * skw_pow2(k - half);
}

/* ln(a/b), relative error below 1e-15 also where a and b are close: e ln 2 + 2 artanh((m - n)/(m + n)). */
SKW_LANE double skw_log_ratio(double a, double b)
{
    uint64_t ua = skw_bits(a), ub = skw_bits(b);
    double ea = skw_double((ua >> 52) | 0x4330000000000000u) - 0x1p52;
    double eb = skw_double((ub >> 52) | 0x4330000000000000u) - 0x1p52;
    double m = skw_double((ua & 0xfffffffffffffu) | 0x3ff0000000000000u);
    double n = skw_double((ub & 0xfffffffffffffu) | 0x3ff0000000000000u);
    double e = ea - eb;
    int m_high = m > 1.4142135623730951 * n, n_high = n > 1.4142135623730951 * m;
    e = m_high ? e + 1.0 : n_high ? e - 1.0 : e;
    n = m_high ? 2.0 * n : n;
    m = n_high ? 2.0 * m : m;
    double r = (m - n) / (m + n);
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double low = (2.0 / 3 + z * (2.0 / 5)) + z2 * (2.0 / 7 + z * (2.0 / 9));
    double high = (2.0 / 11 + z * (2.0 / 13)) + z2 * (2.0 / 15 + z * (2.0 / 17));
    double tail = low + z4 * (high + z4 * (2.0 / 19));
    return e * 0x1.62e42fefa38p-1 + (2.0 * r + (r * z * tail + e * 0x1.ef35793c7673p-45));
}

#endif
