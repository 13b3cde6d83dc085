/* Symmetric positive definite matrices of half bandwidth 3, as rows {a[i][i], a[i][i-1], a[i][i-2], a[i][i-3]}, factored
 * as L D Lᵀ in place (1/D in the first place). */
#ifndef SKW_SMILE_BAND_H
#define SKW_SMILE_BAND_H
#include <stddef.h>

static inline double skw_dot4(const double *a, const double *x)
{
    return (a[0] * x[0] + a[1] * x[1]) + (a[2] * x[2] + a[3] * x[3]);
}

/* a += scale · r rᵀ for a row r on four neighbours from `first` on. */
static inline void skw_band_add(double *restrict a, ptrdiff_t first, const double *restrict r, double scale)
{
    double *m = a + 4 * first;
    double s0 = scale * r[0], s1 = scale * r[1], s2 = scale * r[2], s3 = scale * r[3];
    m[0] += s0 * r[0];
    m[4] += s1 * r[1];
    m[5] += s1 * r[0];
    m[8] += s2 * r[2];
    m[9] += s2 * r[1];
    m[10] += s2 * r[0];
    m[12] += s3 * r[3];
    m[13] += s3 * r[2];
    m[14] += s3 * r[1];
    m[15] += s3 * r[0];
}

/* Rows before the first are read as zeros: `a` has three rows of zeros in front of it. */
static inline int skw_band_factor(double *restrict a, ptrdiff_t n)
{
    ptrdiff_t i;
    for (i = 0; i < n; i++) {
        double *r = a + 4 * i;
        const double *p1 = r - 4, *p2 = r - 8, *p3 = r - 12;
        double u3 = r[3];                                      /* L[i][i-3] D */
        double u2 = r[2] - u3 * p2[1];                         /* L[i-2][i-3] */
        double u1 = r[1] - u3 * p1[2] - u2 * p1[1];            /* L[i-1][i-3], L[i-1][i-2] */
        double l3 = u3 * p3[0], l2 = u2 * p2[0], l1 = u1 * p1[0];
        double d = r[0] - l3 * u3 - l2 * u2 - l1 * u1;
        if (!(d > 0.0)) return 0;
        r[0] = 1.0 / d;
        r[1] = l1;
        r[2] = l2;
        r[3] = l3;
    }
    return 1;
}

/* x has three zeros in front of it, and three after it. */
static inline void skw_band_solve(const double *restrict a, ptrdiff_t n, double *restrict x)
{
    ptrdiff_t i;
    for (i = 0; i < n; i++) {
        const double *r = a + 4 * i;
        x[i] -= r[3] * x[i - 3] + r[2] * x[i - 2] + r[1] * x[i - 1];
    }
    for (i = n - 1; i >= 0; i--) {
        const double *r = a + 4 * i;
        double v = x[i] * r[0];
        if (i + 1 < n) v -= a[4 * (i + 1) + 1] * x[i + 1];
        if (i + 2 < n) v -= a[4 * (i + 2) + 2] * x[i + 2];
        if (i + 3 < n) v -= a[4 * (i + 3) + 3] * x[i + 3];
        x[i] = v;
    }
}

/* out = a x for a matrix that is not factored. */
static inline void skw_band_times(const double *restrict a, ptrdiff_t n, const double *restrict x, double *restrict out)
{
    ptrdiff_t i;
    for (i = 0; i < n; i++) {
        const double *r = a + 4 * i;
        double v = r[0] * x[i] + r[1] * x[i - 1] + r[2] * x[i - 2] + r[3] * x[i - 3];
        if (i + 1 < n) v += a[4 * (i + 1) + 1] * x[i + 1];
        if (i + 2 < n) v += a[4 * (i + 2) + 2] * x[i + 2];
        if (i + 3 < n) v += a[4 * (i + 3) + 3] * x[i + 3];
        out[i] = v;
    }
}
#endif
