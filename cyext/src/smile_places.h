/* Where butterfly and calendar conditions are held: places fixed at the start, and those added where a look between them
 * finds one broken (cutting planes). */
#ifndef SKW_SMILE_PLACES_H
#define SKW_SMILE_PLACES_H
#include "smile_layout.h"

#define SKW_WIDEST 20.0 /* distance of places, in standard deviations, across which nothing can be vouched for */
#define SKW_NEAR 0.1    /* of g, and of the excess over the floor: where to look closer */
#define SKW_BETWEEN 8   /* parts of the gap between two places that a closer look sees */

static inline void skw_smile_place_at(skw_smile_search *s, double z, int kind, ptrdiff_t *own, ptrdiff_t *theirs)
{
    const skw_smile_problem *p = s->problem;
    skw_smile_place *c = s->place + s->places++;
    double floor = SKW_LEAST_V;
    c->z = z;
    c->kind = kind;
    c->unit = 0.0;
    c->row = skw_smile_basis_row(&s->basis, z, own);
    if (p->before) floor = fmax(floor, skw_smile_at(p->before, z / s->scale, theirs).w / p->slice.theta);
    c->margin = SKW_CALENDAR_MARGIN * floor;
    c->floor = floor + c->margin;
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

/* How far v is above the expiry before's at least, and g, before they are held at a place. */
static inline int skw_smile_breaks_butterfly(double g) { return g < 0.5 * SKW_LEAST_G; }
static inline int skw_smile_breaks_calendar(double excess, double margin) { return excess < 0.2 * margin; }

/* Looks at every place; those where a condition is broken hold it from now on. Returns how many are new. */
static inline int skw_smile_inspect(skw_smile_search *s, skw_smile_result *r)
{
    const double theta = s->problem->slice.theta;
    const double left = skw_dot4(s->left, s->b), right = skw_dot4(s->right, s->b + s->basis.knots - 4);
    ptrdiff_t i;
    int added = 0;
    double by[3];
    r->least_g = fmin(skw_smile_far_g(left, theta), skw_smile_far_g(right, theta));
    r->calendar = fmin(-left - (s->left_least - SKW_SLOPE_MARGIN) / (1.0 + SKW_CALENDAR_MARGIN),
                       right - (s->right_least - SKW_SLOPE_MARGIN) / (1.0 + SKW_CALENDAR_MARGIN));
    for (i = 0; i < s->places; i++) {
        skw_smile_place *c = s->place + i;
        const double *x = s->b + c->row.first;
        double v = skw_dot4(c->row.value, x), over = v - (c->floor - c->margin);
        c->g = skw_smile_g(c->z, v, skw_dot4(c->row.slope, x), skw_dot4(c->row.curvature, x), theta, 0.0, by);
        c->excess = over / v;
        r->least_g = fmin(r->least_g, c->g);
        r->calendar = fmin(r->calendar, over);
        if (!(c->kind & SKW_BUTTERFLY) && skw_smile_breaks_butterfly(c->g)) c->kind |= SKW_BUTTERFLY, added++;
        if (!(c->kind & SKW_CALENDAR) && skw_smile_breaks_calendar(over, c->margin)) c->kind |= SKW_CALENDAR, added++;
    }
    return added;
}

/* The places added last into their order. */
static inline void skw_smile_sort_places(skw_smile_search *s, ptrdiff_t sorted)
{
    ptrdiff_t i, j;
    for (i = sorted; i < s->places; i++) {
        skw_smile_place c = s->place[i];
        for (j = i; j > 0 && s->place[j - 1].z > c.z; j--) s->place[j] = s->place[j - 1];
        s->place[j] = c;
    }
}

/* Between the places, where a condition is nearly met with equality or places are far apart: the extremes of `r`, and a
 * place of its own, to hold the condition, for the worst point of each gap in which one is broken. Returns how many are new.
 * A hole between quotes too wide to look into makes the least g unknown. */
static inline int skw_smile_look_closer(skw_smile_search *s, skw_smile_result *r)
{
    const skw_smile_problem *p = s->problem;
    const ptrdiff_t places = s->places;
    ptrdiff_t i, own = 0, theirs = 0, own_new = 0, theirs_new = 0;
    int j, blind = 0;
    double by[3];
    for (i = 0; i + 1 < places; i++) {
        const skw_smile_place *c = s->place + i;
        double gap = c[1].z - c->z, least_g = INFINITY, least_over = INFINITY, g_at = 0.0, over_at = 0.0;
        int wide = gap > 0.2, look = wide || fmin(c->g, c[1].g) < SKW_NEAR, compare = p->before != NULL;
        double margin = fmin(c->margin, c[1].margin);
        blind |= gap > SKW_WIDEST;
        compare &= wide || fmin(c->excess, c[1].excess) < SKW_NEAR;
        for (j = 1; (look || compare) && j < SKW_BETWEEN; j++) {
            double z = c->z + j * gap / SKW_BETWEEN;
            skw_smile_row row = skw_smile_basis_row(&s->basis, z, &own);
            const double *x = s->b + row.first;
            double v = skw_dot4(row.value, x);
            if (look) {
                double g = skw_smile_g(z, v, skw_dot4(row.slope, x), skw_dot4(row.curvature, x), p->slice.theta, 0.0, by);
                if (g < least_g) least_g = g, g_at = z;
            }
            if (compare) {
                double over = v - skw_smile_at(p->before, z / s->scale, &theirs).w / p->slice.theta;
                if (over < least_over) least_over = over, over_at = z;
            }
        }
        r->least_g = fmin(r->least_g, least_g);
        r->calendar = fmin(r->calendar, least_over);
        if (skw_smile_breaks_butterfly(least_g) && s->places < s->most_places)
            skw_smile_place_at(s, g_at, SKW_BUTTERFLY, &own_new, &theirs_new);
        if (skw_smile_breaks_calendar(least_over, margin) && s->places < s->most_places)
            skw_smile_place_at(s, over_at, SKW_CALENDAR, &own_new, &theirs_new);
    }
    if (blind) r->least_g = NAN;
    skw_smile_sort_places(s, places);
    return (int)(s->places - places);
}
#endif
