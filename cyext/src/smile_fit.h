/* One expiry's total variance: the smoothest natural spline within the quotes' bands that is free of butterfly and
 * calendar arbitrage. Sequential quadratic programs from an arbitrage-free eSSVI slice; the butterfly condition
 * g(k) = (1 - k w'/2w)² - w'²/4 (1/w + 1/4) + w''/2 >= 0 (Durrleman; Gatheral & Jacquier, 2014) is linearised in each.
 *
 * Within: z = k / sqrt(theta), v = w / theta. */
#ifndef SKW_SMILE_FIT_H
#define SKW_SMILE_FIT_H
#include <string.h>
#include "smile_qp.h"
#include "smile_spline.h"

#define SKW_TOWARDS_MIDDLE 0.02   /* price of half the squared distance to the mid, in half spreads */
#define SKW_OUTSIDE_COST 10.0     /* of a half spread outside the band */
#define SKW_BUTTERFLY_COST 1e4
#define SKW_CALENDAR_COST 1e5
#define SKW_LEAST_G 0.02
#define SKW_CALENDAR_MARGIN 3e-4  /* of the variance of the expiry before */
#define SKW_STEEPEST 1.9          /* of Lee's 2 */
#define SKW_LEAST_V 0.01
#define SKW_SEARCH_V 0.05
#define SKW_MOST_STEPS 12
#define SKW_REACH 2.5             /* knots go so far on both sides at least, in standard deviations */
#define SKW_MARGIN_KNOTS 6        /* beyond the quotes on one side, at most */
#define SKW_WIDEST 20.0           /* distance of places, in standard deviations, across which nothing can be vouched for */
#define SKW_NEAR 0.1              /* of g, and of the excess over the floor: where to look closer */

enum { SKW_BUTTERFLY = 1, SKW_CALENDAR = 2, SKW_BUTTERFLY_FINE = 4, SKW_CALENDAR_FINE = 8 };

typedef struct {
    double z, floor;       /* v at least, by the expiry before */
    double g, excess;      /* of the last look */
    skw_smile_row row;
    int kind;              /* which conditions hold here: the enum above; FINE ones once they were broken */
} skw_smile_place;

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

/* g, and its derivatives by v, v', v''; z, v as above. In the search v is `least` at least, for the way there. */
static inline double skw_smile_g(double z, double v, double v1, double v2, double theta, double least, double *by)
{
    double ratio, one, shape = 0.25 * v1 * v1;
    v = fmax(v, least);
    ratio = 0.5 * z / v;
    one = 1.0 - ratio * v1;
    by[0] = 2.0 * one * ratio * v1 / v + shape / (v * v);
    by[1] = -2.0 * one * ratio - 0.5 * v1 * (1.0 / v + 0.25 * theta);
    by[2] = 0.5;
    return one * one - shape * (1.0 / v + 0.25 * theta) + 0.5 * v2;
}

/* Knots beyond a quote at `z` outwards: two at least, and more until they reach where a smile has turned up. */
static inline int skw_smile_margin(double z, double *knot)
{
    double step = 0.4;
    int i = 0;
    while (i < 2 || (z < SKW_REACH && i < SKW_MARGIN_KNOTS)) {
        z += step;
        knot[i] = z;
        step = i++ ? 1.5 * step : 0.6;
    }
    return i;
}

/* Knots: quotes at least `spacing` apart, and a margin beyond each end. */
static inline ptrdiff_t skw_smile_knots(const skw_smile_problem *p, double scale, double *knot)
{
    double margin[SKW_MARGIN_KNOTS], last = p->k[p->count - 1] * scale;
    ptrdiff_t i, n;
    int more = skw_smile_margin(-p->k[0] * scale, margin);
    for (n = 0; n < more; n++) knot[n] = -margin[more - 1 - n];
    knot[n] = p->k[0] * scale;
    for (i = 1; i < p->count; i++) {
        double z = p->k[i] * scale;
        if (z - knot[n] >= p->spacing) knot[++n] = z;
    }
    /* the last quote takes the last knot's place, or one of its own where it is the second */
    if (n == more) n++;
    knot[n] = fmax(last, knot[n - 1] + 0.5 * p->spacing);
    more = skw_smile_margin(knot[n], margin);
    for (i = 0; i < more; i++) knot[++n] = margin[i];
    return n + 1;
}

typedef struct {
    const skw_smile_problem *problem;
    skw_smile_basis basis;
    skw_smile_qp qp;
    skw_smile_place *place;
    ptrdiff_t places;
    double *b, *trial, *values, *offset; /* coefficients; scratch */
    double *quote;                       /* rows of quotes over their half spreads, four each */
    int *quote_first;
    double *half;
    double *p, *q;
    double scale;                        /* of k: 1 / sqrt(theta) */
    double left[4], right[4];            /* end slopes' rows */
} skw_smile_search;

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

/* Objective with every condition's price, the butterfly's as it is, not linearised. */
static inline double skw_smile_merit(skw_smile_search *s, const double *b)
{
    const skw_smile_problem *p = s->problem;
    const ptrdiff_t n = s->basis.knots;
    ptrdiff_t i;
    double total = 0.0, by[3];
    skw_band_times(s->p, n, b, s->values);
    for (i = 0; i < n; i++) total += b[i] * (0.5 * s->values[i] + s->q[i]);
    for (i = 0; i < p->count; i++) {
        double at = skw_dot4(s->quote + 4 * i, b + s->quote_first[i]), unit = 1.0 / (p->slice.theta * s->half[i]);
        total += SKW_OUTSIDE_COST * (fmax(0.0, p->lower[i] * unit - at) + fmax(0.0, at - p->upper[i] * unit));
    }
    for (i = 0; i < s->places; i++) {
        const skw_smile_place *c = s->place + i;
        const double *x = b + c->row.first;
        double v = skw_dot4(c->row.value, x), g;
        if (c->kind & SKW_CALENDAR) total += SKW_CALENDAR_COST * fmax(0.0, c->floor - v);
        if (c->kind & SKW_BUTTERFLY) {
            g = skw_smile_g(c->z, v, skw_dot4(c->row.slope, x), skw_dot4(c->row.curvature, x), p->slice.theta,
                            SKW_SEARCH_V, by);
            total += SKW_BUTTERFLY_COST * fmax(0.0, SKW_LEAST_G - g) / (1.0 + fabs(g));
        }
    }
    return total;
}

static inline void skw_smile_add(skw_smile_qp *qp, ptrdiff_t first, const double *a, double sign, double bound, double cost)
{
    double *to = qp->a + 4 * qp->rows;
    int i;
    for (i = 0; i < 4; i++) to[i] = sign * a[i];
    qp->first[qp->rows] = (int)first;
    qp->bound[qp->rows] = bound;
    qp->cost[qp->rows++] = cost;
}

/* The rows of the next quadratic program, about b. */
static inline void skw_smile_rows(skw_smile_search *s)
{
    const skw_smile_problem *p = s->problem;
    const ptrdiff_t n = s->basis.knots;
    skw_smile_qp *qp = &s->qp;
    const double steepest = SKW_STEEPEST / sqrt(p->slice.theta);
    const skw_smile *before = p->before;
    double left = 0.0, right = 0.0, by[3], a[4];
    ptrdiff_t i;
    int j;
    qp->rows = 0;
    for (i = 0; i < p->count; i++) {
        double unit = 1.0 / (p->slice.theta * s->half[i]);
        if (p->lower[i] > 0.0)
            skw_smile_add(qp, s->quote_first[i], s->quote + 4 * i, 1.0, p->lower[i] * unit, SKW_OUTSIDE_COST);
        skw_smile_add(qp, s->quote_first[i], s->quote + 4 * i, -1.0, -p->upper[i] * unit, SKW_OUTSIDE_COST);
    }
    if (before) {
        ptrdiff_t at = 0;
        left = skw_smile_at(before, before->knot[0], &at).slope * sqrt(p->slice.theta) / p->slice.theta;
        right = skw_smile_at(before, before->knot[before->count - 1], &at).slope * sqrt(p->slice.theta) / p->slice.theta;
    }
    skw_smile_add(qp, 0, s->left, -1.0, fmax(0.0, -left), SKW_BUTTERFLY_COST);
    skw_smile_add(qp, 0, s->left, 1.0, -steepest, SKW_BUTTERFLY_COST);
    skw_smile_add(qp, n - 4, s->right, 1.0, fmax(0.0, right), SKW_BUTTERFLY_COST);
    skw_smile_add(qp, n - 4, s->right, -1.0, -steepest, SKW_BUTTERFLY_COST);
    for (i = 0; i < s->places; i++) {
        const skw_smile_place *c = s->place + i;
        const double *x = s->b + c->row.first;
        double v, v1, v2, g, unit;
        if (c->kind & SKW_CALENDAR)
            skw_smile_add(qp, c->row.first, c->row.value, 1.0, c->floor, SKW_CALENDAR_COST);
        if (!(c->kind & SKW_BUTTERFLY)) continue;
        v = skw_dot4(c->row.value, x);
        v1 = skw_dot4(c->row.slope, x);
        v2 = skw_dot4(c->row.curvature, x);
        g = skw_smile_g(c->z, v, v1, v2, p->slice.theta, SKW_SEARCH_V, by);
        unit = 1.0 / (1.0 + fabs(g));
        for (j = 0; j < 4; j++)
            a[j] = unit * (by[0] * c->row.value[j] + by[1] * c->row.slope[j] + by[2] * c->row.curvature[j]);
        skw_smile_add(qp, c->row.first, a, 1.0, unit * SKW_LEAST_G - unit * g + skw_dot4(a, x), SKW_BUTTERFLY_COST);
    }
}

/* Looks at every place; those where a condition is broken hold it from now on. Returns how many are new. */
static inline int skw_smile_inspect(skw_smile_search *s, skw_smile_result *r)
{
    const skw_smile_problem *p = s->problem;
    ptrdiff_t i;
    int added = 0;
    double by[3];
    r->least_g = INFINITY;
    r->calendar = INFINITY;
    for (i = 0; i < s->places; i++) {
        skw_smile_place *c = s->place + i;
        const double *x = s->b + c->row.first;
        double v = skw_dot4(c->row.value, x);
        double g = skw_smile_g(c->z, v, skw_dot4(c->row.slope, x), skw_dot4(c->row.curvature, x), p->slice.theta, 0.0,
                               by);
        double floor = c->floor / (1.0 + SKW_CALENDAR_MARGIN);
        c->g = g;
        c->excess = (v - floor) / v;
        r->least_g = fmin(r->least_g, g);
        r->calendar = fmin(r->calendar, v - floor);
        if (!(c->kind & SKW_BUTTERFLY) && g < 0.5 * SKW_LEAST_G) c->kind |= SKW_BUTTERFLY, added++;
        if (!(c->kind & SKW_CALENDAR) && v < floor + 0.2 * (c->floor - floor)) c->kind |= SKW_CALENDAR, added++;
    }
    return added;
}

/* Between the places, where a condition is nearly met with equality or places are far apart: the extremes of `r`.
 * A hole between quotes too wide to look into makes the least g unknown. */
static inline void skw_smile_look_closer(const skw_smile_search *s, skw_smile_result *r)
{
    const skw_smile_problem *p = s->problem;
    ptrdiff_t i, own = 0, theirs = 0;
    int j, blind = 0;
    double by[3];
    for (i = 0; i + 1 < s->places; i++) {
        const skw_smile_place *c = s->place + i;
        double gap = c[1].z - c->z;
        int wide = gap > 0.2, look = wide || fmin(c->g, c[1].g) < SKW_NEAR, compare = p->before != NULL;
        blind |= gap > SKW_WIDEST;
        compare &= wide || fmin(c->excess, c[1].excess) < SKW_NEAR;
        for (j = 1; (look || compare) && j < 8; j++) {
            double z = c->z + 0.125 * j * gap;
            skw_smile_row row = skw_smile_basis_row(&s->basis, z, &own);
            const double *x = s->b + row.first;
            double v = skw_dot4(row.value, x);
            if (look)
                r->least_g = fmin(r->least_g, skw_smile_g(z, v, skw_dot4(row.slope, x), skw_dot4(row.curvature, x),
                                                          p->slice.theta, 0.0, by));
            if (compare)
                r->calendar = fmin(r->calendar, v - skw_smile_at(p->before, z / s->scale, &theirs).w / p->slice.theta);
        }
    }
    if (blind) r->least_g = NAN;
}

static inline void skw_smile_place_at(skw_smile_search *s, double z, int kind, ptrdiff_t *own, ptrdiff_t *theirs)
{
    const skw_smile_problem *p = s->problem;
    skw_smile_place *c = s->place + s->places++;
    double floor = SKW_LEAST_V;
    c->z = z;
    c->kind = kind;
    c->row = skw_smile_basis_row(&s->basis, z, own);
    if (p->before)
        floor = fmax(floor, skw_smile_at(p->before, z / s->scale, theirs).w / p->slice.theta * (1.0 + SKW_CALENDAR_MARGIN));
    c->floor = floor;
}

/* Own knots, the middles between them, the knots of the expiry before, and (held in reserve) a place between each two of
 * these; far out on both sides. */
static inline void skw_smile_places(skw_smile_search *s)
{
    static const double far[5] = {16.0, 8.0, 4.0, 2.0, 1.0};
    const skw_smile *before = s->problem->before;
    const double *knot = s->basis.t + 3;
    const ptrdiff_t n = s->basis.knots, theirs = before ? before->count : 0;
    ptrdiff_t i = 0, j = 0, own = 0, there = 0;
    double previous = NAN;
    double low = knot[0], high = knot[n - 1];
    if (before) low = fmin(low, before->knot[0] * s->scale), high = fmax(high, before->knot[theirs - 1] * s->scale);
    s->places = 0;
    for (i = 0; i < 5; i++) skw_smile_place_at(s, low - far[i], SKW_BUTTERFLY | SKW_CALENDAR, &own, &there);
    i = 0;
    while (i < 2 * n - 1 || j < theirs) {
        double mine = i >= 2 * n - 1 ? INFINITY : (i % 2 ? 0.5 * (knot[i / 2] + knot[i / 2 + 1]) : knot[i / 2]);
        double yours = j < theirs ? before->knot[j] * s->scale : INFINITY;
        double z = fmin(mine, yours);
        int kind = SKW_CALENDAR;
        if (mine <= yours) kind |= SKW_BUTTERFLY, i++;
        else {
            j++;
            if (fmin(mine - z, z - previous) < 0.25 * s->problem->spacing && z > knot[0] && z < knot[n - 1]) continue;
        }
        if (z > previous) skw_smile_place_at(s, 0.5 * (z + previous), 0, &own, &there);
        skw_smile_place_at(s, z, kind, &own, &there);
        previous = z;
    }
    for (i = 5; i-- > 0;) skw_smile_place_at(s, high + far[i], SKW_BUTTERFLY | SKW_CALENDAR, &own, &there);
}

static inline ptrdiff_t skw_smile_most_places(ptrdiff_t quotes, ptrdiff_t before)
{
    return 2 * (2 * (quotes + SKW_MORE_KNOTS) + before) + 16;
}

static inline ptrdiff_t skw_smile_workspace(ptrdiff_t quotes, ptrdiff_t before)
{
    ptrdiff_t knots = quotes + SKW_MORE_KNOTS, places = skw_smile_most_places(quotes, before);
    ptrdiff_t rows = 2 * quotes + 4 + 2 * places;
    return 64 + (knots + 6) + 10 * (knots + 6) + 2 * 4 * (knots + 4) + 7 * quotes
           + places * (ptrdiff_t)(1 + sizeof(skw_smile_place) / sizeof(double)) + rows * 17;
}

static inline double *skw_take(double **from, ptrdiff_t count)
{
    double *taken = *from;
    *from += count;
    return taken;
}

static inline void skw_smile_lay_out(skw_smile_search *s, double *w, ptrdiff_t knots, ptrdiff_t quotes, ptrdiff_t before)
{
    ptrdiff_t places = skw_smile_most_places(quotes, before), rows = 2 * quotes + 4 + 2 * places;
    double **vectors[] = {&s->qp.bound, &s->qp.cost, &s->qp.y, &s->qp.s, &s->qp.z, &s->qp.dy, &s->qp.ds, &s->qp.dz,
                          &s->qp.pull, &s->qp.weight, &s->qp.own};
    double **padded[] = {&s->b, &s->trial, &s->values, &s->offset, &s->q, &s->qp.x, &s->qp.dx, &s->qp.residual};
    size_t i;
    for (i = 0; i < sizeof padded / sizeof *padded; i++) *padded[i] = skw_take(&w, knots + 6) + 3;
    s->qp.matrix = skw_take(&w, 4 * (knots + 4)) + 12;
    s->p = skw_take(&w, 4 * (knots + 4)) + 12;
    s->quote = skw_take(&w, 4 * quotes);
    s->half = skw_take(&w, quotes);
    s->quote_first = (int *)skw_take(&w, quotes);
    s->place = (skw_smile_place *)skw_take(&w, places * (ptrdiff_t)(sizeof(skw_smile_place) / sizeof(double)));
    s->qp.a = skw_take(&w, 4 * rows);
    s->qp.first = (int *)skw_take(&w, rows);
    for (i = 0; i < sizeof vectors / sizeof *vectors; i++) *vectors[i] = skw_take(&w, rows);
    s->qp.unknowns = knots;
    s->qp.p = s->p;
    s->qp.q = s->q;
}

/* P and q: towards the middle of each quote, and against the third derivative. */
static inline void skw_smile_objective(skw_smile_search *s)
{
    const skw_smile_problem *p = s->problem;
    const double *knot = s->basis.t + 3;
    ptrdiff_t i, at = 0;
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
    for (i = 0; i < s->basis.knots; i++) s->p[4 * i] += 1e-12;
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

static inline void skw_smile_search_from(skw_smile_search *s, skw_smile_result *r)
{
    const ptrdiff_t n = s->basis.knots;
    double merit = skw_smile_merit(s, s->b);
    ptrdiff_t i;
    r->converged = 0;
    r->iterations = 0;
    for (r->steps = 0; r->steps < SKW_MOST_STEPS && !r->converged; r->steps++) {
        double length = 1.0, next = merit, step = 0.0;
        int did, halvings;
        skw_smile_rows(s);
        memcpy(s->qp.x, s->b, n * sizeof(double));
        did = skw_qp_solve(&s->qp, r->steps ? 1e-2 : 1.0, 1e-3, 60);
        r->iterations += did < 0 ? -did : did;
        for (halvings = 0; halvings < 6; halvings++, length *= 0.5) {
            for (i = 0; i < n; i++) s->trial[i] = s->b[i] + length * (s->qp.x[i] - s->b[i]);
            next = skw_smile_merit(s, s->trial);
            if (next <= merit + 1e-6 * fabs(merit)) break;
        }
        if (halvings < 6) {
            for (i = 0; i < n; i++) step = fmax(step, fabs(s->trial[i] - s->b[i]));
            memcpy(s->b, s->trial, n * sizeof(double));
            merit = next;
        }
        r->step = step;
        /* new places change the merit */
        if (skw_smile_inspect(s, r)) merit = skw_smile_merit(s, s->b);
        else r->converged = step < 1e-3;
    }
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
    {
        skw_smile_row left = skw_smile_basis_row(&s.basis, t[3], &at);
        skw_smile_row right = skw_smile_basis_row(&s.basis, t[n + 2], &at);
        memcpy(s.left, left.slope, sizeof s.left);
        memcpy(s.right, right.slope, sizeof s.right);
    }
    at = 0;
    for (i = 0; i < n; i++) s.values[i] = skw_smile_start(p, t[3 + i] / s.scale, &at) / p->slice.theta;
    skw_smile_interpolate(&s, s.values, s.b);
    skw_smile_search_from(&s, r);
    skw_smile_look_closer(&s, r);
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
