/* The profile likelihood of an Ornstein–Uhlenbeck process seen at unequal steps, and its derivatives in κ.
 *
 * With c a centre of the data and a = κ(m - c), the step Δ from x to x' leaves r = x' - x + w(κ(x - c) - a), of variance
 * σ²v, where w = ΔE(κΔ), v = ΔE(2κΔ) = w(1 + e^{-κΔ})/2 and E(z) = (1 - e^{-z})/z = ∫ e^{-zu} du over [0, 1]. That is
 * smooth through κ = 0, where r is the residual of a drift. Given κ, the best a is a weighted mean and the best σ² is
 * Σ r²/v over the number of steps. */
#ifndef SKW_OU_STEPS_H
#define SKW_OU_STEPS_H
#include "lane_sums.h"
#include "lanes.h"
#include "ou_loops.h"

/* Σ (-z)^k / (k! (k + 3)), which is E''(z), for |z| <= 0.7; the first term left out is below 1e-17. */
SKW_LANE double skw_ou_bend(double z)
{
    double y = -z, y2 = y * y, y4 = y2 * y2, y8 = y4 * y4;
    double p0 = 1.0 / 3 + y * (1.0 / 4), p2 = 1.0 / 10 + y * (1.0 / 36);
    double p4 = 1.0 / 168 + y * (1.0 / 960), p6 = 1.0 / 6480 + y * (1.0 / 50400);
    double p8 = 1.0 / 443520 + y * (1.0 / 4354560), pa = 1.0 / 47174400 + y * (1.0 / 558835200);
    double pc = 1.0 / 7185024000.0 + y * (1.0 / 99632332800.0);
    double pe = 1.0 / 1482030950400.0 + y * (1.0 / 23538138624000.0);
    return ((p0 + y2 * p2) + y4 * (p4 + y2 * p6)) + y8 * ((p8 + y2 * pa) + y4 * (pc + y2 * pe));
}

SKW_LANE int skw_finite(double x) { return fabs(x) <= 1.7976931348623157e308; }

/* The steps between the finite ones of n observations: what is missing joins the two steps at it into one. */
static ptrdiff_t skw_ou_join(const double *x, const double *step, ptrdiff_t n, skw_ou_path *path)
{
    ptrdiff_t i, last = -1, size = 0;
    double waited = 0.0;
    for (i = 0; i < n; i++) {
        if (skw_finite(x[i])) {
            if (last >= 0) {
                path->x[size] = x[last];
                path->rise[size] = x[i] - x[last];
                path->step[size++] = waited;
            }
            last = i;
            waited = 0.0;
        }
        if (i + 1 < n) waited += step[i];
    }
    return size;
}

/* Powers of two that bring a path to steps about 1 and a spread about 1: no product overflows, and no digit is touched. */
static double skw_ou_unit(double size) { return size > 0.0 && skw_finite(size) ? ldexp(1.0, ilogb(size)) : 1.0; }

static void skw_ou_prepare(const double *x, const double *step, ptrdiff_t n, skw_ou_path *path)
{
    ptrdiff_t i, size = path->size = skw_ou_join(x, step, n, path);
    double sum = 0.0, total = 0.0, least = INFINITY, most = 0.0, spread = 0.0, far = 0.0, mean = 0.0, base;
    path->sxx = path->syy = 0.0;
    if (size < 1) return;
    base = path->x[0];
    for (i = 0; i < size; i++) {
        sum += path->x[i] - base;
        total += path->step[i];
        least = path->step[i] < least ? path->step[i] : least;
        most = path->step[i] > most ? path->step[i] : most;
    }
    path->centre = base + sum / (double)size;
    for (i = 0; i < size; i++) {
        path->x[i] -= path->centre;
        spread = fabs(path->x[i]) > spread ? fabs(path->x[i]) : spread;
        far = fabs(path->rise[i]) > far ? fabs(path->rise[i]) : far;
    }
    path->x_unit = skw_ou_unit(far > spread ? far : spread);
    path->t_unit = skw_ou_unit(total / (double)size);
    path->total = total / path->t_unit;
    path->least = least / path->t_unit;
    path->most = most / path->t_unit;
    for (i = 0; i < size; i++) {
        path->x[i] /= path->x_unit;
        path->rise[i] /= path->x_unit;
        path->step[i] /= path->t_unit;
        path->sxx += path->x[i] * path->x[i];
        mean += path->x[i] + path->rise[i];
    }
    mean /= (double)size;
    for (i = 0; i < size; i++) {
        double y = path->x[i] + path->rise[i] - mean;
        path->syy += y * y;
    }
}

typedef struct {
    double a, saa;
} skw_ou_best;

/* A round of skw_ou_weights: elements `at` to at + count. */
SKW_LANE void skw_ou_weigh(const skw_ou_path *path, double kappa, ptrdiff_t at, int count, double *restrict above,
                           double *restrict below)
{
    const double *restrict x = path->x + at, *restrict rise = path->rise + at, *restrict step = path->step + at;
    double *restrict decay = path->decay + at, *restrict w0 = path->w + at, *restrict w1 = path->w1 + at;
    double *restrict w2 = path->w2 + at, *restrict inverse_v = path->inverse_v + at;
    SKW_SUM_DO(count) {
        double z = kappa * step[l], b = skw_exp_negative(-z), inverse = 1.0 / z, small = fabs(z) <= 0.7;
        /* From E'' down where z is small and from E up where it is not: either way nothing cancels. */
        double up0 = (1.0 - b) * inverse, up1 = (b - up0) * inverse, up2 = -(b + 2.0 * up1) * inverse;
        double down2 = skw_ou_bend(small != 0.0 ? z : 0.0), down1 = -0.5 * (b + z * down2), down0 = b - z * down1;
        double e0 = small != 0.0 ? down0 : up0, e1 = small != 0.0 ? down1 : up1, e2 = small != 0.0 ? down2 : up2;
        double w = step[l] * e0, over_v = 2.0 / (w * (1.0 + b)), heavy = w * over_v;
        decay[l] = b;
        w0[l] = w;
        inverse_v[l] = over_v;
        w1[l] = step[l] * step[l] * e1;
        w2[l] = step[l] * step[l] * (step[l] * e2);
        above[l] += heavy * (rise[l] + kappa * w * x[l]);
        below[l] += heavy * w;
    }
}

/* The best a at κ, and S's curvature in it; leaves e^{-κΔ}, w and its derivatives in κ with the path. */
SKW_LANE skw_ou_best skw_ou_weights(const skw_ou_path *path, double kappa)
{
    skw_lane_sums above = {0}, below = {0};
    ptrdiff_t at;
    for (at = 0; at + SKW_SUM_LANES <= path->size; at += SKW_SUM_LANES)
        skw_ou_weigh(path, kappa, at, SKW_SUM_LANES, above, below);
    skw_ou_weigh(path, kappa, at, (int)(path->size - at), above, below);
    double curvature = skw_lanes_total(below);
    skw_ou_best best = {skw_lanes_total(above) / curvature, 2.0 * curvature};
    return best;
}

typedef struct {
    skw_lane_sums s, sk, skk, ska, l1, l2;
} skw_ou_terms;

/* A round of skw_ou_sums_at. */
SKW_LANE void skw_ou_add_terms(const skw_ou_path *path, double kappa, double a, ptrdiff_t at, int count,
                               skw_ou_terms *restrict sum)
{
    const double *restrict x = path->x + at, *restrict rise = path->rise + at, *restrict step = path->step + at;
    const double *restrict decay = path->decay + at, *restrict w0 = path->w + at, *restrict w1 = path->w1 + at;
    const double *restrict w2 = path->w2 + at, *restrict inverse_v = path->inverse_v + at;
    SKW_SUM_DO(count) {
        double w = w0[l], half = 0.5 * (1.0 + decay[l]), db = step[l] * decay[l], d2b = step[l] * db;
        double inverse = inverse_v[l];
        double g1 = (w1[l] * half - 0.5 * w * db) * inverse; /* v'/v */
        double g2 = (w2[l] * half - w1[l] * db + 0.5 * w * d2b) * inverse;
        double r = rise[l] + w * (kappa * x[l] - a), r1 = db * x[l] - a * w1[l], r2 = -d2b * x[l] - a * w2[l];
        double u = r * inverse, u1 = r1 * inverse;
        sum->s[l] += u * r;
        sum->sk[l] += 2.0 * u * r1 - u * r * g1;
        sum->skk[l] += 2.0 * (u1 * r1 + u * r2) - 4.0 * u * r1 * g1 + u * r * (2.0 * g1 * g1 - g2);
        sum->ska[l] += 2.0 * (u * w * g1 - u * w1[l] - u1 * w);
        sum->l1[l] += g1;
        sum->l2[l] += g2 - g1 * g1;
    }
}

/* S = Σ r²/v and Σ ln v with their derivatives, from what skw_ou_weights left. */
SKW_LANE skw_ou_point skw_ou_sums_at(const skw_ou_path *path, double kappa, skw_ou_best best)
{
    skw_ou_terms sum = {{0}, {0}, {0}, {0}, {0}, {0}};
    ptrdiff_t at;
    for (at = 0; at + SKW_SUM_LANES <= path->size; at += SKW_SUM_LANES)
        skw_ou_add_terms(path, kappa, best.a, at, SKW_SUM_LANES, &sum);
    skw_ou_add_terms(path, kappa, best.a, at, (int)(path->size - at), &sum);
    skw_ou_point p = {best.a, skw_lanes_total(sum.s), skw_lanes_total(sum.sk), skw_lanes_total(sum.skk), best.saa,
                      skw_lanes_total(sum.ska), skw_lanes_total(sum.l1), skw_lanes_total(sum.l2)};
    return p;
}

/* Σ ln v, at the κ of the last weights. */
SKW_LANE double skw_ou_log_sum(const skw_ou_path *path)
{
    skw_lane_sums sum = {0};
    for (ptrdiff_t at = 0; at < path->size; at += SKW_SUM_LANES)
        SKW_SUM_DO(skw_sum_lanes(path->size - at))
            sum[l] += skw_log_ratio(0.5 * path->w[at + l] * (1.0 + path->decay[at + l]), 1.0);
    return skw_lanes_total(sum);
}

#endif
