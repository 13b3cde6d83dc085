/* One expiry's total variance: the smoothest natural spline within the quotes' bands that is free of butterfly and
 * calendar arbitrage, searched for (smile_search.h) from an arbitrage-free eSSVI slice. */
#ifndef SKW_SMILE_FIT_H
#define SKW_SMILE_FIT_H
#include "smile_search.h"

#define SKW_TOWARDS_MIDDLE 0.02 /* price of half the squared distance to the mid, in half spreads */
#define SKW_TOWARDS_START 0.01  /* of half the squared share by which a knot beyond the quotes is off the start */
#define SKW_REACH 2.5           /* knots go so far on both sides at least, in standard deviations */
#define SKW_MARGIN_KNOTS ((SKW_MORE_KNOTS - 1) / 2) /* beyond the quotes on one side, at most */

static inline double skw_essvi(const skw_essvi_slice *e, double k)
{
    double u = e->psi * k + e->theta * e->rho;
    return 0.5 * (e->theta + e->rho * e->psi * k + sqrt(u * u + e->theta * e->theta * (1.0 - e->rho * e->rho)));
}

/* The start: the slice itself, or the smile before and what the slices (which never fall in expiry) have grown since. */
static inline double skw_smile_start(const skw_smile_problem *p, double k, ptrdiff_t *at)
{
    double w = skw_essvi(&p->slice, k);
    if (!p->before) return w;
    return skw_smile_at(p->before, k, at).w * (1.0 + 2.0 * SKW_CALENDAR_MARGIN) + w - skw_essvi(&p->slice_before, k);
}

/* Knots beyond a quote at `z` outwards: two at least, and more until they reach where a smile has turned up, or is bent by the
 * expiry before. */
static inline int skw_smile_margin(double z, double reach, double *knot)
{
    double step = 0.4;
    int i = 0;
    while (i < 2 || (z < reach && i < SKW_MARGIN_KNOTS)) {
        z += step;
        knot[i] = z;
        step = i++ ? 1.5 * step : 0.6;
    }
    return i;
}

/* Knots: quotes at least `spacing` apart, and a margin beyond each end. */
static inline ptrdiff_t skw_smile_knots(const skw_smile_problem *p, double scale, double *knot)
{
    const skw_smile *before = p->before;
    double margin[SKW_MARGIN_KNOTS], last = p->k[p->count - 1] * scale, left = SKW_REACH, right = SKW_REACH;
    ptrdiff_t i, n;
    int more;
    if (before) {
        left = fmax(left, -before->knot[0] * scale);
        right = fmax(right, before->knot[before->count - 1] * scale);
    }
    more = skw_smile_margin(-p->k[0] * scale, left, margin);
    for (n = 0; n < more; n++) knot[n] = -margin[more - 1 - n];
    knot[n] = p->k[0] * scale;
    for (i = 1; i < p->count; i++) {
        double z = p->k[i] * scale;
        if (z - knot[n] >= p->spacing) knot[++n] = z;
    }
    /* the last quote takes the last knot's place, or one of its own where it is the second */
    if (n == more) n++;
    knot[n] = fmax(last, knot[n - 1] + 0.5 * p->spacing);
    more = skw_smile_margin(knot[n], right, margin);
    for (i = 0; i < more; i++) knot[++n] = margin[i];
    return n + 1;
}

/* Coefficients of the spline through `values` at the knots (tridiagonal, by elimination). */
static inline void skw_smile_interpolate(skw_smile_search *s, const double *values, double *b)
{
    const ptrdiff_t n = s->basis.knots;
    ptrdiff_t i, at = 0;
    double *upper = s->offset;
    for (i = 0; i < n; i++) {
        skw_smile_row r = skw_smile_basis_row(&s->basis, s->basis.t[3 + i], &at);
        ptrdiff_t shift = i - r.first;
        double low = shift > 0 && i > 0 ? r.value[shift - 1] : 0.0;
        double high = shift < 3 && i < n - 1 ? r.value[shift + 1] : 0.0;
        double d = r.value[shift] - (i > 0 ? low * upper[i - 1] : 0.0);
        upper[i] = high / d;
        b[i] = (values[i] - (i > 0 ? low * b[i - 1] : 0.0)) / d;
    }
    for (i = n - 2; i >= 0; i--) b[i] -= upper[i] * b[i + 1];
}

/* P and q: towards the middle of each quote, and against the third derivative. */
static inline void skw_smile_objective(skw_smile_search *s)
{
    const skw_smile_problem *p = s->problem;
    const double *knot = s->basis.t + 3;
    ptrdiff_t i, at = 0, there = 0;
    int j;
    for (i = 0; i < p->count; i++) {
        skw_smile_row row = skw_smile_basis_row(&s->basis, p->k[i] * s->scale, &at);
        double *a = s->quote + 4 * i;
        s->half[i] = fmax(0.5 * (p->upper[i] - p->lower[i]) / p->slice.theta, 1e-4);
        s->quote_first[i] = row.first;
        for (j = 0; j < 4; j++) {
            a[j] = row.value[j] / s->half[i];
            s->q[row.first + j] -= SKW_TOWARDS_MIDDLE * a[j] * p->middle[i] / (p->slice.theta * s->half[i]);
        }
        skw_band_add(s->p, row.first, a, SKW_TOWARDS_MIDDLE);
    }
    at = 0;
    for (i = 0; i + 1 < s->basis.knots; i++) {
        skw_smile_row row = skw_smile_basis_row(&s->basis, 0.5 * (knot[i] + knot[i + 1]), &at);
        skw_band_add(s->p, row.first, row.third, p->roughness * (knot[i + 1] - knot[i]));
    }
    at = 0;
    for (i = 0; i < s->basis.knots; i++) {
        double start, pull;
        skw_smile_row row;
        s->p[4 * i] += 1e-12;
        if (knot[i] >= p->k[0] * s->scale && knot[i] <= p->k[p->count - 1] * s->scale) continue;
        start = skw_smile_start(p, knot[i] / s->scale, &there) / p->slice.theta;
        pull = SKW_TOWARDS_START / fmax(start * start, 1e-4);
        row = skw_smile_basis_row(&s->basis, knot[i], &at);
        skw_band_add(s->p, row.first, row.value, pull);
        for (j = 0; j < 4; j++) s->q[row.first + j] -= pull * start * row.value[j];
    }
}

static inline void skw_smile_quality(const skw_smile_search *s, skw_smile_result *r)
{
    const skw_smile_problem *p = s->problem;
    ptrdiff_t i;
    r->inside = 0.0;
    r->violation = 0.0;
    for (i = 0; i < p->count; i++) {
        double at = skw_dot4(s->quote + 4 * i, s->b + s->quote_first[i]), unit = 1.0 / (p->slice.theta * s->half[i]);
        double out = fmax(p->lower[i] * unit - at, at - p->upper[i] * unit);
        r->violation = fmax(r->violation, out);
        if (out <= 1e-6) r->inside += 1.0;
    }
    r->inside /= (double)p->count;
}

/* Rows of the end slopes, and how steep they are at least: turned up, and as steep as the expiry before's. */
static inline void skw_smile_ends(skw_smile_search *s)
{
    const skw_smile *before = s->problem->before;
    const double root = sqrt(s->problem->slice.theta);
    ptrdiff_t at = 0;
    skw_smile_row left = skw_smile_basis_row(&s->basis, s->basis.t[3], &at);
    skw_smile_row right = skw_smile_basis_row(&s->basis, s->basis.t[s->basis.knots + 2], &at);
    memcpy(s->left, left.slope, sizeof s->left);
    memcpy(s->right, right.slope, sizeof s->right);
    s->left_least = s->right_least = SKW_SLOPE_MARGIN;
    if (!before) return;
    at = 0;
    s->left_least -= fmin(0.0, skw_smile_at(before, before->knot[0], &at).slope) / root * (1.0 + SKW_CALENDAR_MARGIN);
    s->right_least += fmax(0.0, skw_smile_at(before, before->knot[before->count - 1], &at).slope) / root
                      * (1.0 + SKW_CALENDAR_MARGIN);
}

/* The coefficients to start from. */
static inline void skw_smile_begin(skw_smile_search *s)
{
    const skw_smile_problem *p = s->problem;
    ptrdiff_t i, at = 0;
    for (i = 0; i < s->basis.knots; i++)
        s->values[i] = skw_smile_start(p, s->basis.t[3 + i] / s->scale, &at) / p->slice.theta;
    skw_smile_interpolate(s, s->values, s->b);
}

static inline void skw_smile_fit(const skw_smile_problem *p, double *workspace, double *knot, double *variance,
                                 double *curvature, skw_smile_result *r)
{
    skw_smile_search s;
    ptrdiff_t before = p->before ? p->before->count : 0, need = skw_smile_workspace(p->count, before), i, n, at = 0;
    double *t;
    memset(workspace, 0, need * sizeof(double));
    memset(&s, 0, sizeof s);
    s.problem = p;
    s.scale = 1.0 / sqrt(p->slice.theta);
    t = skw_take(&workspace, p->count + SKW_MORE_KNOTS + 6);
    n = skw_smile_knots(p, s.scale, t + 3);
    for (i = 0; i < 3; i++) t[i] = t[3], t[n + 3 + i] = t[n + 2];
    s.basis = skw_smile_basis_of(t, n);
    skw_smile_lay_out(&s, workspace, n, p->count, before);
    skw_smile_objective(&s);
    skw_smile_places(&s);
    skw_smile_ends(&s);
    skw_smile_begin(&s);
    skw_smile_search_from(&s, r);
    if (r->least_g < 0.0 || r->calendar < 0.0) {
        /* conditions that came late may have led astray: once more, with all of them from the start */
        for (i = 0; i < s.places; i++) s.place[i].kind = SKW_BUTTERFLY | SKW_CALENDAR;
        skw_smile_begin(&s);
        skw_smile_search_from(&s, r);
    }
    skw_smile_quality(&s, r);
    r->count = n;
    at = 0;
    for (i = 0; i < n; i++) {
        skw_smile_row row = skw_smile_basis_row(&s.basis, t[3 + i], &at);
        knot[i] = t[3 + i] / s.scale;
        variance[i] = p->slice.theta * skw_dot4(row.value, s.b + row.first);
        curvature[i] = i == 0 || i == n - 1 ? 0.0 : skw_dot4(row.curvature, s.b + row.first);
    }
}
#endif
