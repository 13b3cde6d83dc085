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

/* e^x for |x| < 760, to 1.5 units in the last place; subnormal, zero or infinite where that is the value. */
SKW_LANE double skw_exp_moderate(double x)
{
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

/* The same for any x <= 0, and for any x. */
SKW_LANE double skw_exp_negative(double x) { return skw_exp_moderate(x > -760.0 ? x : -760.0); }
SKW_LANE double skw_exp(double x) { return skw_exp_negative(x < 720.0 ? x : 720.0); }

/* e^x - 1 for x <= 0, to 2 units in the last place. */
SKW_LANE double skw_expm1_negative(double x)
{
    x = x > -50.0 ? x : -50.0;
    double k = skw_round(x * 1.4426950408889634074);
    double r = (x - k * 0x1.62e42fefa38p-1) - k * 0x1.ef35793c7673p-45;
    double r2 = r * r, r4 = r2 * r2;
    double p23 = 0.5 + r * (1.0 / 6), p45 = 1.0 / 24 + r * (1.0 / 120);
    double p67 = 1.0 / 720 + r * (1.0 / 5040), p89 = 1.0 / 40320 + r * (1.0 / 362880);
    double pab = 1.0 / 3628800 + r * (1.0 / 39916800);
    double high = (p89 + r2 * pab) + r4 * (1.0 / 479001600);
    double p = r + (r2 * p23 + r4 * ((p45 + r2 * p67) + r4 * high));
    double scale = skw_pow2(k);
    return p * scale + (scale - 1.0);
}

/* ln(a/b), relative error below 1e-15 also where a and b are close; |log2(a/b)| < 1020.
 *
 * The difference of the two numbers' bits, taken for whole numbers, is log2(a/b) 2^52 to within 0.09: rounded it is the e
 * that brings n = b 2^e near a (0.66 < a/n < 1.51, so that a - n is exact); ln(a/b) = e ln 2 + 2 artanh((a - n)/(a + n)). */
typedef struct {
    double e, n;
} skw_near;

SKW_LANE skw_near skw_power_near(double a, double b)
{
    uint64_t biased = (skw_bits(a) - skw_bits(b) + 0x4008000000000000u) >> 52; /* e + 1024 */
    skw_near p;
    p.e = skw_double(biased | 0x4330000000000000u) - (0x1p52 + 1024.0);
    p.n = b * skw_double((biased - 1) << 52);
    return p;
}

/* e ln 2 + 2 artanh r */
SKW_LANE double skw_log_of(double e, double r)
{
    double z = r * r, z2 = z * z;
    double low = 0.66666666666666943519 + z * 0.39999999999325334414;
    double middle = 0.28571428839446409487 + z * 0.22222182369477412274;
    double high = 0.18184632005423831709 + z * (0.15283173320297727523 + z * 0.1512329520861410189);
    double tail = low + z2 * (middle + z2 * high);
    return e * 0x1.62e42fefa38p-1 + (2.0 * r + (r * z * tail + e * 0x1.ef35793c7673p-45));
}

SKW_LANE double skw_log_ratio(double a, double b)
{
    skw_near p = skw_power_near(a, b);
    return skw_log_of(p.e, (a - p.n) / (a + p.n));
}

/* ln(1 + x), relative error as above; `sum` is 1 + x, handed in because the caller may know it better. */
SKW_LANE double skw_log1p(double x, double sum)
{
    skw_near p = skw_power_near(sum, 1.0);
    return skw_log_of(p.e, (p.e == 0.0 ? x : sum - p.n) / (sum + p.n));
}

#endif
