/* One lane's search for the volatility at which a rising function takes a value: inverse interpolation through the last
 * three points (the secant through two), inside a bracket that every value narrows. */
#ifndef SKW_AMERICAN_IMPLIED_H
#define SKW_AMERICAN_IMPLIED_H
#include <math.h>

enum { SKW_SEARCH_STEPS = 60 };
#define SKW_SEARCH_ENOUGH 1e-12   /* relative size of a step or bracket that ends the search */
#define SKW_SEARCH_CLOSE 1e-7     /* relative size of a step after which superlinear steps end below SKW_SEARCH_ENOUGH */
#define SKW_SEARCH_NOISE 2e-16    /* of a price on strike 1 */

typedef struct {
    double low, high;    /* the answer is between; high may be infinite */
    double x[3], f[3];   /* the last points, newest first */
    int points, done;    /* done: 1 found, -1 none */
    double step;
} skw_search;

/* Takes f at `x` (the newest point) and returns the next, or x itself when done. `slope` serves until there are two
 * points; `most` is where the search upwards ends. */
static inline double skw_search_next(skw_search *s, double x, double f, double slope, double most)
{
    int i;
    double next = NAN, moved;
    if (!isfinite(f)) {
        s->done = -1;
        return x;
    }
    for (i = 2; i > 0; i--) {
        s->x[i] = s->x[i - 1];
        s->f[i] = s->f[i - 1];
    }
    s->x[0] = x;
    s->f[0] = f;
    s->points += s->points < 3;
    if (f >= 0.0)
        s->high = x;
    else
        s->low = x;
    if (fabs(f) <= SKW_SEARCH_NOISE || s->high - s->low <= SKW_SEARCH_ENOUGH * s->low) {
        s->done = 1;
        return x;
    }
    if (s->points == 1)
        next = x - f / slope;
    else {
        double secant = (s->f[0] - s->f[1]) / (s->x[0] - s->x[1]);
        next = x - f / secant;
        if (s->points == 3) {
            /* Newton's form of the inverse quadratic through the three points, at f = 0 */
            double second = (s->f[1] - s->f[2]) / (s->x[1] - s->x[2]);
            double bend = (1.0 / secant - 1.0 / second) / (s->f[0] - s->f[2]);
            double curved = next + bend * s->f[0] * s->f[1];
            if (isfinite(curved) && fabs(curved - next) < 0.5 * fabs(next - x)) next = curved;
        }
    }
    moved = fabs(next - x);
    if (moved <= SKW_SEARCH_ENOUGH * x) {
        s->done = 1;
        return x;
    }
    if (s->points > 1 && moved <= SKW_SEARCH_CLOSE * x && s->step <= 1e-3 * x && next > s->low && next < s->high) {
        s->done = 1;
        return next;
    }
    if (!(next > s->low && next < s->high) || (s->points > 2 && !(moved < 0.7 * s->step))) {
        if (isfinite(s->high))
            next = s->high > 4.0 * s->low ? sqrt(s->high * fmax(s->low, 0.01 * s->high)) : 0.5 * (s->low + s->high);
        else
            next = 2.0 * x;
    }
    if (next > most) {
        if (x >= most) s->done = -1;
        next = most;
    }
    s->step = fabs(next - x);
    return next;
}

#endif
