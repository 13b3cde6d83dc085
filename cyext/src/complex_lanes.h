/* Complex numbers in lanes (see lanes.h): plain formulas without the special cases of C's own complex type. */
#ifndef SKW_COMPLEX_LANES_H
#define SKW_COMPLEX_LANES_H
#include "trig.h"

typedef struct {
    double re, im;
} skw_complex;

SKW_LANE skw_complex skw_c(double re, double im) { skw_complex z = {re, im}; return z; }
SKW_LANE skw_complex skw_add(skw_complex a, skw_complex b) { return skw_c(a.re + b.re, a.im + b.im); }
SKW_LANE skw_complex skw_sub(skw_complex a, skw_complex b) { return skw_c(a.re - b.re, a.im - b.im); }
SKW_LANE skw_complex skw_scale(double s, skw_complex a) { return skw_c(s * a.re, s * a.im); }
SKW_LANE double skw_norm2(skw_complex a) { return a.re * a.re + a.im * a.im; }

SKW_LANE skw_complex skw_mul(skw_complex a, skw_complex b)
{
    return skw_c(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
}

SKW_LANE skw_complex skw_inverse(skw_complex a)
{
    double s = 1.0 / skw_norm2(a);
    return skw_c(a.re * s, -a.im * s);
}

/* The root with a real part >= 0. */
SKW_LANE skw_complex skw_csqrt(skw_complex a)
{
    double size = sqrt(skw_norm2(a));
    double s = sqrt(0.5 * (size + fabs(a.re)) + 1e-300), t = 0.5 * a.im / s;
    int right = a.re >= 0.0;
    double turned = skw_double(skw_bits(s) | (skw_bits(a.im) & 0x8000000000000000u));
    return skw_c(right ? s : fabs(t), right ? t : turned);
}

SKW_LANE skw_complex skw_cexp(skw_complex a)
{
    double size = skw_exp(a.re);
    skw_turn t = skw_sincos(a.im);
    return skw_c(size * t.cosine, size * t.sine);
}

/* e^a - 1 for Re a <= 0, with its relative accuracy where a is small. */
SKW_LANE skw_complex skw_cexpm1(skw_complex a)
{
    double less = skw_expm1_negative(a.re);
    skw_turn t = skw_sincos(a.im);
    return skw_c(less * t.cosine + t.cosine_less_1, (1.0 + less) * t.sine);
}

/* ln(1 + a), with its relative accuracy where a is small; the imaginary part in (-π, π]. */
SKW_LANE skw_complex skw_clog1p(skw_complex a)
{
    double x = 1.0 + a.re, y = a.im;
    int near = (fabs(a.re) < 0.5) & (fabs(y) < 0.5);
    double size = x * x + y * y, apart = a.re * (2.0 + a.re) + y * y;
    return skw_c(0.5 * skw_log1p(near ? apart : size - 1.0, near ? 1.0 + apart : size), skw_angle(y, x));
}

#endif
