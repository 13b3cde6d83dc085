/* The AR(1) regression of a series in three sweeps over what the first leaves in the nearest cache: centre, moments about
 * it, residuals. One sweep of raw sums would lose as many digits as the mean exceeds the spread, and the residual variance
 * from sums as many as it is smaller than the variance; the regression of increments, not of levels, keeps 1 - e^{-κΔ}
 * to its own digits when κΔ is small.
 *
 * Four running sums a lane of each kind, over four quarters of the series, hide the latency of an addition. */
#include <math.h>
#include "lane_sums.h"
#include "ou_loops.h"
#include "ou_steps.h"

#define SKW_OU_QUARTERS(X) X(0) X(1) X(2) X(3)

/* 1 where the step from x[i] counts. */
SKW_LANE double skw_ou_counts(const double *x, ptrdiff_t i, int holes)
{
    return !holes || (skw_finite(x[i]) & skw_finite(x[i + 1])) ? 1.0 : 0.0;
}

SKW_LANE double skw_ou_kept(double value, double counts, int holes)
{
    return !holes || counts > 0.0 ? value : 0.0;
}

typedef struct {
    double count, x, y, xx, xy;
} skw_ou_sums;

/* Σ of u = x - base, of increments, u² and u·increment, or only of u and increments where `first`. */
SKW_LANE skw_ou_sums skw_ou_sweep(const double *restrict x, ptrdiff_t n, double base, int holes, int first)
{
    ptrdiff_t i, quarter = n / (4 * SKW_SUM_LANES) * SKW_SUM_LANES;
#define SKW_OU_ZERO(k) skw_lane_sums c##k = {0}, x##k = {0}, y##k = {0}, xx##k = {0}, xy##k = {0};
    SKW_OU_QUARTERS(SKW_OU_ZERO)
#define SKW_OU_ADD(k, at) { \
        const ptrdiff_t j = (at); \
        double counts = skw_ou_counts(x, j, holes); \
        double u = skw_ou_kept(x[j] - base, counts, holes); \
        double d = first && !holes ? 0.0 : skw_ou_kept(x[j + 1] - x[j], counts, holes); \
        if (holes) c##k[l] += counts; \
        x##k[l] += u; \
        if (!first || holes) y##k[l] += d; \
        if (!first) { xx##k[l] += u * u; xy##k[l] += u * d; } \
    }
    for (i = 0; i < quarter; i += SKW_SUM_LANES)
        SKW_SUM_DO(SKW_SUM_LANES) {
            SKW_OU_ADD(0, i + l)
            SKW_OU_ADD(1, i + l + quarter)
            SKW_OU_ADD(2, i + l + 2 * quarter)
            SKW_OU_ADD(3, i + l + 3 * quarter)
        }
    for (i = 4 * quarter; i < n; i += SKW_SUM_LANES)
        SKW_SUM_DO(skw_sum_lanes(n - i)) SKW_OU_ADD(0, i + l)
#define SKW_OU_TOTAL(of) ((skw_lanes_total(of##0) + skw_lanes_total(of##1)) + (skw_lanes_total(of##2) + skw_lanes_total(of##3)))
    skw_ou_sums s = {holes ? SKW_OU_TOTAL(c) : (double)n, SKW_OU_TOTAL(x), SKW_OU_TOTAL(y), SKW_OU_TOTAL(xx), SKW_OU_TOTAL(xy)};
    return s;
}

SKW_LANE double skw_ou_squares(const double *restrict x, ptrdiff_t n, double centre, double rise, double slope,
                                  int holes)
{
    ptrdiff_t i, quarter = n / (4 * SKW_SUM_LANES) * SKW_SUM_LANES;
    skw_lane_sums s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
#define SKW_OU_SQUARE(k, at) { \
        const ptrdiff_t j = (at); \
        double e = (x[j + 1] - x[j]) - rise - slope * (x[j] - centre); \
        e = skw_ou_kept(e, skw_ou_counts(x, j, holes), holes); \
        s##k[l] += e * e; \
    }
    for (i = 0; i < quarter; i += SKW_SUM_LANES)
        SKW_SUM_DO(SKW_SUM_LANES) {
            SKW_OU_SQUARE(0, i + l)
            SKW_OU_SQUARE(1, i + l + quarter)
            SKW_OU_SQUARE(2, i + l + 2 * quarter)
            SKW_OU_SQUARE(3, i + l + 3 * quarter)
        }
    for (i = 4 * quarter; i < n; i += SKW_SUM_LANES)
        SKW_SUM_DO(skw_sum_lanes(n - i)) SKW_OU_SQUARE(0, i + l)
    return SKW_OU_TOTAL(s);
}

/* `steps` of them, from x[0] on; `base` is one of the observations. */
SKW_LANE skw_ou_line skw_ou_regress(const double *x, ptrdiff_t steps, double base, int holes)
{
    skw_ou_line r = {NAN, NAN, NAN, 0.0, NAN, 0};
    skw_ou_sums s = skw_ou_sweep(x, steps, base, holes, 1);
    double n = s.count, centre = base + s.x / n, extra, sxy;
    r.steps = (ptrdiff_t)n;
    if (!(n > 0.0)) return r;
    s = skw_ou_sweep(x, steps, centre, holes, 0);
    extra = s.x / n; /* what rounding left out of the centre */
    r.rise = s.y / n;
    r.sxx = s.xx - s.x * extra;
    sxy = s.xy - s.x * r.rise;
    r.slope = sxy / r.sxx;
    r.centre = centre + extra;
    r.sse = skw_ou_squares(x, steps, centre, r.rise - r.slope * extra, r.slope, holes);
    return r;
}

static skw_ou_line line(const double *x, ptrdiff_t n)
{
    ptrdiff_t first = 0;
    skw_ou_line r = {NAN, NAN, NAN, 0.0, NAN, 0};
    if (n < 2) return r;
    r = skw_ou_regress(x, n - 1, x[0], 0);
    if (skw_finite(r.sse) & skw_finite(r.sxx)) return r;
    while (first < n && !skw_finite(x[first])) first++;
    if (first == n) {
        r.steps = 0;
        return r;
    }
    return skw_ou_regress(x, n - 1, x[first], 1);
}

static void prepare(const double *x, const double *step, ptrdiff_t n, skw_ou_path *path)
{
    skw_ou_prepare(x, step, n, path);
}

static skw_ou_point at(const skw_ou_path *path, double kappa)
{
    return skw_ou_sums_at(path, kappa, skw_ou_weights(path, kappa));
}

static double log_sum(const skw_ou_path *path) { return skw_ou_log_sum(path); }

const skw_ou_loops SKW_NAME(skw_ou) = {line, prepare, at, log_sum};
