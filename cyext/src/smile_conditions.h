/* What a smile has to meet and what it costs not to: Durrleman's g, places where conditions hold, prices and margins.
 *
 * In the search z = k / sqrt(theta) and v = w / theta. */
#ifndef SKW_SMILE_CONDITIONS_H
#define SKW_SMILE_CONDITIONS_H
#include <math.h>
#include "smile_spline.h"

#define SKW_OUTSIDE_COST 10.0    /* of a half spread outside the band */
#define SKW_BUTTERFLY_COST 1e4
#define SKW_CALENDAR_COST 1e5
#define SKW_LEAST_G 0.02
#define SKW_CALENDAR_MARGIN 3e-4 /* of the variance of the expiry before */
#define SKW_SLOPE_MARGIN 1e-6    /* of end slopes over those of the expiry before (or none), beside that share */
#define SKW_STEEPEST 1.9         /* of Lee's 2 */
#define SKW_LEAST_V 0.01
#define SKW_SEARCH_V 0.05

enum { SKW_BUTTERFLY = 1, SKW_CALENDAR = 2 };

typedef struct {
    double z, floor, margin; /* v at least, by the expiry before; what of it is margin */
    double g, excess;        /* of the last look */
    double unit;             /* of g's row in the quadratic program; 0 where it has none */
    skw_smile_row row;
    int kind;                /* which conditions are held here: the enum above */
} skw_smile_place;

/* g(k) = (1 - k w'/2w)² - w'²/4 (1/w + 1/4) + w''/2 (Durrleman; Gatheral & Jacquier, 2014) and its derivatives by v, v', v''.
 * In the search v is `least` at least, for the way there. */
static inline double skw_smile_g(double z, double v, double v1, double v2, double theta, double least, double *by)
{
    double ratio, one, shape = 0.25 * v1 * v1;
    int below = v < least;
    v = fmax(v, least);
    ratio = 0.5 * z / v;
    one = 1.0 - ratio * v1;
    by[0] = below ? 0.0 : 2.0 * one * ratio * v1 / v + shape / (v * v);
    by[1] = -2.0 * one * ratio - 0.5 * v1 * (1.0 / v + 0.25 * theta);
    by[2] = 0.5;
    return one * one - shape * (1.0 / v + 0.25 * theta) + 0.5 * v2;
}

/* g far out on a wing of this slope dv/dz: 1/4 - (dw/dk)²/16, positive within Lee's bound. */
static inline double skw_smile_far_g(double slope, double theta) { return 0.25 - slope * slope * theta / 16.0; }
#endif
