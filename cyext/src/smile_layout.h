/* The search's state and where it lies in the workspace. */
#ifndef SKW_SMILE_LAYOUT_H
#define SKW_SMILE_LAYOUT_H
#include "smile_conditions.h"
#include "smile_qp.h"

#define SKW_MOST_CUTS 64 /* places that the closer look may add */

typedef struct {
    const skw_smile_problem *problem;
    skw_smile_basis basis;
    skw_smile_qp qp;
    skw_smile_place *place;
    ptrdiff_t places, most_places;
    double *b, *trial, *values, *offset; /* coefficients; scratch */
    double *quote;                       /* rows of quotes over their half spreads, four each */
    int *quote_first;
    double *half;
    double *p, *q;
    double scale;                        /* of k: 1 / sqrt(theta) */
    double left[4], right[4];            /* end slopes' rows */
    double left_least, right_least;      /* how steep the wings are at least, by the expiry before */
} skw_smile_search;

/* Places: those that there are from the start, and those that the search adds between them. */
static inline ptrdiff_t skw_smile_most_places(ptrdiff_t quotes, ptrdiff_t before)
{
    return 2 * (2 * (quotes + SKW_MORE_KNOTS) + before) + 16 + SKW_MOST_CUTS;
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
    s->most_places = places;
    s->qp.unknowns = knots;
    s->qp.p = s->p;
    s->qp.q = s->q;
}

#endif
