/* Implied volatility of a block: Householder's third-order steps on the logarithm of the out-of-the-money price b, or of
 * its distance from its bound where it is above 0.6 of it. In the notation of black_value.h and as a fraction of the bound
 *
 *   ln b(s)       = -z-²/2 + ln((M(z-) - M(z+))/√2π),       (ln b)' = 1/(M(z-) - M(z+))
 *   ln (1 - b)(s) = -z-²/2 + ln((M(-z-) + M(z+))/√2π),      its derivative the same with + and a minus sign,
 *
 * so that a step needs no exponential, and nothing cancels. Near the answer both are close to a power of s times a smooth
 * function, whatever the moneyness: the error goes to its fourth power in each step. Idea of the transformed objective and
 * of the steps: P. Jäckel, "Let's be rational" (2015). */
#ifndef SKW_BLACK_IMPLIED_H
#define SKW_BLACK_IMPLIED_H
#include "black_value.h"

enum { SKW_IMPLIED_STEPS = 8 };
#define SKW_IMPLIED_ENOUGH 1e-4 /* relative size of a step after which the next would change nothing */

typedef struct {
    double x[SKW_BLOCK];      /* |ln(F/K)| */
    double target[SKW_BLOCK]; /* ln b or ln (1 - b) */
    double side[SKW_BLOCK];   /* +1: ln b, -1: ln (1 - b) */
    double s[SKW_BLOCK];
    double bad[SKW_BLOCK];    /* for the scalar code */
} skw_implied;

/* Targets and the side; lanes that have no ordinary answer are marked and given one. */
static inline void skw_implied_targets(skw_black_view in, const double *restrict sign, int padded, skw_implied *restrict o)
{
    int i;
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double f = in.forward[i], k = in.strike[i], t = in.expiry[i], d = in.discount[i], p = in.fifth[i];
        int fine = skw_moderate(f) & skw_moderate(k) & skw_moderate(t) & skw_moderate(d) & (p <= 1e80);
        f = fine ? f : 1.0;
        k = fine ? k : 1.0;
        p = fine ? p : 0.5;
        d = fine ? d : 1.0;
        double low = f < k ? f : k, intrinsic = sign[i] * (f - k);
        intrinsic = intrinsic > 0.0 ? intrinsic : 0.0;
        double otm = p / d - intrinsic, left = low - otm;
        int inside = (otm > 1e-250 * low) & (otm > 1e-290) & (left > 1e-14 * low);
        fine = fine & inside;
        otm = inside ? otm : 0.5 * low;
        left = inside ? left : 0.5 * low;
        int upper = otm > 0.6 * low;
        o->x[i] = fabs(skw_log_ratio(f, k));
        o->target[i] = skw_log_ratio(upper ? left : otm, low);
        o->side[i] = upper ? -1.0 : 1.0;
        o->s[i] = otm / low;
        o->bad[i] = fine ? 0.0 : 1.0;
    }
}

/* Below 0.6 of the bound from the normal model's two limits, b = s/√2π at the money and ln(x/b) = x²/2s² far from it;
 * above, from an inverse normal distribution (Abramowitz & Stegun 26.2.23) of the larger of the two tails. */
static inline void skw_implied_guess(int padded, skw_implied *restrict o)
{
    int i;
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double x = o->x[i], beta = o->s[i];
        double r = x / beta, w = r * r * 0.15915494309189533577;
        int huge = r > 1e6, tiny = w < 1e-4;
        double y = skw_log_ratio(huge ? r : 1.0 + w, 1.0);
        y = huge ? 2.0 * y - 1.8378770664093454836 : y;
        double lower = tiny ? 2.5066282746310005024 * beta : x / sqrt(tiny ? 1.0 : y);
        double ratio = 0.69314718055994530942 / (1.0 + 0.9 * x);
        double q2 = 2.0 * (ratio - o->target[i]), q = sqrt(q2 > 0.0 ? q2 : 0.0);
        double z = q - (2.515517 + q * (0.802853 + q * 0.010328))
                           / (1.0 + q * (1.432788 + q * (0.189269 + q * 0.001308)));
        z = z > 0.0 ? z : 0.0;
        double upper = z + sqrt(z * z + 2.0 * x);
        double s = o->side[i] > 0.0 ? lower : upper;
        double least = sqrt(2.0 * x), most = 1.0 + sqrt(1.0 + 2.0 * x);
        o->s[i] = o->side[i] > 0.0 ? (s < most ? s : most) : (s > least ? s : least);
    }
}

/* One step for every lane that has not arrived; the largest relative change. A lane that has stays as it is, so that the
 * answer does not depend on its neighbours. */
static inline double skw_implied_step(int padded, skw_implied *restrict o, double *restrict change)
{
    double gap[SKW_BLOCK], largest = 0.0;
    int is_lower[SKW_BLOCK], i; /* ints as in black_value.h */
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double s = o->s[i], h = o->x[i] / s, t = 0.5 * s, z = h - t, c = h + t;
        int lower = o->side[i] > 0.0;
        is_lower[i] = lower;
        double a = lower ? z : -z;
        skw_mills m = skw_mills_pair(a, c, lower ? s : c - a);
        gap[i] = lower ? m.difference : m.at_a + m.at_b;
    }
#pragma omp simd reduction(max : largest)
    for (i = 0; i < padded; i++) {
        double s = o->s[i], side = is_lower[i] ? 1.0 : -1.0, x = o->x[i], m = gap[i];
        double one_s = 1.0 / s, h = x * one_s, z = h - 0.5 * s;
        double level = -0.5 * z * z + skw_log_ratio(0.39894228040143267794 * m, 1.0);
        double newton = (o->target[i] - level) * m * side;
        double slope = side / m;
        double h_s = h * one_s, k = h * h_s - 0.25 * s;
        double second = k - slope;
        double third = second * second - 3.0 * h_s * h_s - 0.25 - slope * second;
        double top = 1.0 + 0.5 * newton * second;
        double bottom = 1.0 + newton * (second + newton * third * (1.0 / 6));
        double fresh = s + newton * top / bottom;
        double least = side > 0.0 ? 0.25 * s : sqrt(2.0 * x), most = side > 0.0 ? 1.0 + sqrt(1.0 + 2.0 * x) : 4.0 * s;
        most = most < 4.0 * s ? most : 4.0 * s;
        least = least > 0.25 * s ? least : 0.25 * s;
        fresh = fresh < most ? fresh : most;
        fresh = fresh > least ? fresh : least;
        int arrived = change[i] < SKW_IMPLIED_ENOUGH;
        double moved = arrived ? change[i] : fabs(fresh - s) * one_s;
        fresh = arrived ? s : fresh;
        change[i] = moved;
        largest = largest > moved ? largest : moved;
        o->s[i] = fresh;
    }
    return largest;
}

static inline void implied_block(const skw_black_columns *in, ptrdiff_t start, int count, double *out, skw_rare *rare)
{
    skw_black_block b;
    skw_implied o;
    double change[SKW_BLOCK];
    int i, step, padded = skw_padded(count);
    skw_black_view view = skw_black_load(in, start, count, &b);
    skw_implied_targets(view, b.sign, padded, &o);
    skw_implied_guess(padded, &o);
    for (i = 0; i < padded; i++) change[i] = 1.0;
    for (step = 0; step < SKW_IMPLIED_STEPS; step++)
        if (skw_implied_step(padded, &o, change) < SKW_IMPLIED_ENOUGH) break;
    rare->any = 0;
    for (i = 0; i < count; i++) {
        rare->lane[i] = o.bad[i] > 0.0 || !(change[i] < SKW_IMPLIED_ENOUGH);
        rare->any |= rare->lane[i];
    }
#pragma omp simd
    for (i = 0; i < padded; i++) o.s[i] /= sqrt(view.expiry[i]);
    memcpy(out, o.s, (size_t)count * sizeof(double));
}

#endif
