/* The profile likelihood of an Ornstein–Uhlenbeck process seen at unequal steps, and its derivatives in κ.
 *
 * With c a centre of the data and a = κ(m - c), the step Δ from x to x' leaves r = x' - x + w(κ(x - c) - a), of variance
 * σ²v, where w = ΔE(κΔ), v = ΔE(2κΔ) = w(1 + e^{-κΔ})/2 and E(z) = (1 - e^{-z})/z = ∫ e^{-zu} du over [0, 1]. That is
 * smooth through κ = 0, where r is the residual of a drift. Given κ, the best a is a weighted mean and the best σ² is
 * Σ r²/v over the number of steps. */
#ifndef SKW_OU_STEPS_H
#define SKW_OU_STEPS_H
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

/* The best a at κ, and S's curvature in it; leaves e^{-κΔ}, w and its derivatives in κ with the path. */
SKW_LANE skw_ou_best skw_ou_weights(const skw_ou_path *path, double kappa)
{
    const double *restrict x = path->x, *restrict rise = path->rise, *restrict step = path->step;
    double *restrict decay = path->decay, *restrict w0 = path->w, *restrict w1 = path->w1, *restrict w2 = path->w2;
    double *restrict inverse_v = path->inverse_v;
    double above = 0.0, below = 0.0;
#pragma omp simd reduction(+ : above, below)
    for (ptrdiff_t i = 0; i < path->size; i++) {
        double z = kappa * step[i], b = skw_exp_negative(-z), inverse = 1.0 / z, small = fabs(z) <= 0.7;
        /* From E'' down where z is small and from E up where it is not: either way nothing cancels. */
        double up0 = (1.0 - b) * inverse, up1 = (b - up0) * inverse, up2 = -(b + 2.0 * up1) * inverse;
        double down2 = skw_ou_bend(small != 0.0 ? z : 0.0), down1 = -0.5 * (b + z * down2), down0 = b - z * down1;
        double e0 = small != 0.0 ? down0 : up0, e1 = small != 0.0 ? down1 : up1, e2 = small != 0.0 ? down2 : up2;
        double w = step[i] * e0, over_v = 2.0 / (w * (1.0 + b)), heavy = w * over_v;
        decay[i] = b;
        w0[i] = w;
        inverse_v[i] = over_v;
        w1[i] = step[i] * step[i] * e1;
        w2[i] = step[i] * step[i] * (step[i] * e2);
        above += heavy * (rise[i] + kappa * w * x[i]);
        below += heavy * w;
    }
    skw_ou_best best = {above / below, 2.0 * below};
    return best;
}

/* S = Σ r²/v and Σ ln v with their derivatives, from what skw_ou_weights left. */
SKW_LANE skw_ou_point skw_ou_sums_at(const skw_ou_path *path, double kappa, skw_ou_best best)
{
    const double *restrict x = path->x, *restrict rise = path->rise, *restrict step = path->step;
    const double *restrict decay = path->decay, *restrict w0 = path->w, *restrict w1 = path->w1, *restrict w2 = path->w2;
    const double *restrict inverse_v = path->inverse_v;
    double a = best.a, s = 0.0, sk = 0.0, skk = 0.0, ska = 0.0, l1 = 0.0, l2 = 0.0;
#pragma omp simd reduction(+ : s, sk, skk, ska, l1, l2)
    for (ptrdiff_t i = 0; i < path->size; i++) {
        double w = w0[i], half = 0.5 * (1.0 + decay[i]), db = step[i] * decay[i], d2b = step[i] * db;
        double inverse = inverse_v[i];
        double g1 = (w1[i] * half - 0.5 * w * db) * inverse; /* v'/v */
        double g2 = (w2[i] * half - w1[i] * db + 0.5 * w * d2b) * inverse;
        double r = rise[i] + w * (kappa * x[i] - a), r1 = db * x[i] - a * w1[i], r2 = -d2b * x[i] - a * w2[i];
        double u = r * inverse, u1 = r1 * inverse;
        s += u * r;
        sk += 2.0 * u * r1 - u * r * g1;
        skk += 2.0 * (u1 * r1 + u * r2) - 4.0 * u * r1 * g1 + u * r * (2.0 * g1 * g1 - g2);
        ska += 2.0 * (u * w * g1 - u * w1[i] - u1 * w);
        l1 += g1;
        l2 += g2 - g1 * g1;
    }
    skw_ou_point p = {a, s, sk, skk, best.saa, ska, l1, l2};
    return p;
}

/* Σ ln v, at the κ of the last weights. */
SKW_LANE double skw_ou_log_sum(const skw_ou_path *path)
{
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < path->size; i++)
        sum += skw_log_ratio(0.5 * path->w[i] * (1.0 + path->decay[i]), 1.0);
    return sum;
}

#endif
