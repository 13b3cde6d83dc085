/* Natural cubic splines, linear beyond their end knots: values from (knot, value, second derivative), and rows of the
 * cubic B-spline basis whose first and last function are folded into their neighbours by the natural ends, so that there
 * is one coefficient a knot and every row touches four neighbours. */
#ifndef SKW_SMILE_SPLINE_H
#define SKW_SMILE_SPLINE_H
#include <math.h>
#include <stddef.h>
#include "smile_band.h"
#include "variance_smile_loops.h"

typedef struct {
    double w, slope, curvature;
} skw_smile_point;

/* `at` is the interval to look in first: sorted points walk along. */
static inline skw_smile_point skw_smile_at(const skw_smile *s, double k, ptrdiff_t *at)
{
    const double *x = s->knot, *w = s->variance, *m = s->curvature;
    const ptrdiff_t n = s->count;
    ptrdiff_t i = *at;
    skw_smile_point p;
    double inner = fmin(fmax(k, x[0]), x[n - 1]), h, a, b, rise;
    if (!(inner >= x[i])) i = 0;
    if (i + 8 < n - 1 && inner > x[i + 8]) {
        ptrdiff_t high = n - 1;
        while (high - i > 1) {
            ptrdiff_t middle = (i + high) / 2;
            if (x[middle] <= inner) i = middle;
            else high = middle;
        }
    }
    while (i < n - 2 && inner > x[i + 1]) i++;
    *at = i;
    h = x[i + 1] - x[i];
    b = (inner - x[i]) / h;
    a = (x[i + 1] - inner) / h;
    rise = (w[i + 1] - w[i]) / h;
    p.slope = rise + h / 6.0 * ((3.0 * b * b - 1.0) * m[i + 1] - (3.0 * a * a - 1.0) * m[i]);
    p.w = a * w[i] + b * w[i + 1] + h * h / 6.0 * ((a * a * a - a) * m[i] + (b * b * b - b) * m[i + 1])
          + (k - inner) * p.slope;
    p.curvature = k == inner ? a * m[i] + b * m[i + 1] : 0.0;
    return p;
}

/* Value, first, second and third derivative of one functional on four neighbouring coefficients. */
typedef struct {
    double value[4], slope[4], curvature[4], third[4];
    int first;
} skw_smile_row;

/* t: `knots` knots with the ends three times more. fold[0..1] and fold[2..3]: the left- and rightmost coefficient as
 * combinations of their neighbours. */
typedef struct {
    const double *t;
    ptrdiff_t knots;
    double fold[4];
} skw_smile_basis;

static inline void skw_differentiate(const double *t, ptrdiff_t span, int degree, const double *lower, double *out)
{
    int i;
    for (i = 0; i <= degree; i++) {
        double left = i > 0 ? lower[i - 1] / (t[span + i] - t[span - degree + i]) : 0.0;
        double right = i < degree ? lower[i] / (t[span + i + 1] - t[span - degree + i + 1]) : 0.0;
        out[i] = degree * (left - right);
    }
}

/* The four B-splines of a span (t[span] <= x <= t[span + 1]) and their derivatives (de Boor's recurrence). */
static inline void skw_smile_span(const double *t, ptrdiff_t span, double x, skw_smile_row *row)
{
    double n[4][4] = {{1.0}}, d[3], e[4], f[4];
    double one[1] = {1.0};
    int p, i;
    for (p = 1; p <= 3; p++) {
        double saved = 0.0;
        for (i = 0; i < p; i++) {
            double right = t[span + i + 1] - x, left = x - t[span + i + 1 - p];
            double part = n[p - 1][i] / (right + left);
            n[p][i] = saved + right * part;
            saved = left * part;
        }
        n[p][p] = saved;
    }
    for (i = 0; i < 4; i++) row->value[i] = n[3][i];
    skw_differentiate(t, span, 3, n[2], row->slope);
    skw_differentiate(t, span, 2, n[1], d);
    skw_differentiate(t, span, 3, d, row->curvature);
    skw_differentiate(t, span, 1, one, e);
    skw_differentiate(t, span, 2, e, f);
    skw_differentiate(t, span, 3, f, row->third);
}

static inline void skw_smile_fold(const skw_smile_basis *b, ptrdiff_t j, double *a)
{
    if (j == 0) {
        a[1] += a[0] * b->fold[0];
        a[2] += a[0] * b->fold[1];
        a[0] = a[1];
        a[1] = a[2];
        a[2] = a[3];
        a[3] = 0.0;
    }
    if (j == b->knots - 2) {
        a[2] += a[3] * b->fold[2];
        a[1] += a[3] * b->fold[3];
        a[3] = a[2];
        a[2] = a[1];
        a[1] = a[0];
        a[0] = 0.0;
    }
}

/* The row of x; `at` as in skw_smile_at. */
static inline skw_smile_row skw_smile_basis_row(const skw_smile_basis *b, double x, ptrdiff_t *at)
{
    const double *knot = b->t + 3;
    const ptrdiff_t n = b->knots;
    double inner = fmin(fmax(x, knot[0]), knot[n - 1]);
    ptrdiff_t j = *at, i;
    skw_smile_row row;
    if (!(inner >= knot[j])) j = 0;
    while (j < n - 2 && inner > knot[j + 1]) j++;
    *at = j;
    skw_smile_span(b->t, j + 3, inner, &row);
    if (x != inner) {
        for (i = 0; i < 4; i++) {
            row.value[i] += (x - inner) * row.slope[i];
            row.curvature[i] = 0.0;
            row.third[i] = 0.0;
        }
    }
    skw_smile_fold(b, j, row.value);
    skw_smile_fold(b, j, row.slope);
    skw_smile_fold(b, j, row.curvature);
    skw_smile_fold(b, j, row.third);
    row.first = (int)(j == 0 ? 0 : (j == n - 2 ? n - 4 : j - 1));
    return row;
}

static inline skw_smile_basis skw_smile_basis_of(const double *t, ptrdiff_t knots)
{
    skw_smile_basis b = {t, knots, {0.0, 0.0, 0.0, 0.0}};
    skw_smile_row left, right;
    skw_smile_span(t, 3, t[3], &left);
    skw_smile_span(t, knots + 1, t[knots + 2], &right);
    b.fold[0] = -left.curvature[1] / left.curvature[0];
    b.fold[1] = -left.curvature[2] / left.curvature[0];
    b.fold[2] = -right.curvature[2] / right.curvature[3];
    b.fold[3] = -right.curvature[1] / right.curvature[3];
    return b;
}
#endif
