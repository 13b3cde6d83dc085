/* Black-76 price and Greeks of a block. With x = ln(F/K), s = σ√T, h = |x|/s, t = s/2, z± = h ± t and Mills' ratio M:
 *
 *   out-of-the-money price = D F φ(d1) (M(z-) - M(z+)),              z- >= -1
 *                          = D (min(F, K) - F φ(d1) (M(-z-) + M(z+))),  below
 *
 * so that one exponential and one pair of Mills' ratios serve the price and all Greeks, with the relative accuracy that
 * an out-of-the-money price needs (formulas of the Greeks: cyext/_black.pxd, black_greeks). */
#ifndef SKW_BLACK_VALUE_H
#define SKW_BLACK_VALUE_H
#include "black_loops.h"
#include "mills.h"

typedef struct {
    double sign[SKW_BLOCK], forward[SKW_BLOCK], strike[SKW_BLOCK], expiry[SKW_BLOCK], discount[SKW_BLOCK], fifth[SKW_BLOCK];
} skw_black_block;

/* The columns of a block where they may be read: most are the caller's own arrays. A copy would cost more than its own
 * time, as the processor writes in order: behind results that wait for memory, so do the copies. */
typedef struct {
    const double *forward, *strike, *expiry, *discount, *fifth;
} skw_black_view;

static inline const double *skw_black_see(skw_column column, ptrdiff_t start, int count, double *room)
{
    const char *from = column.data + start * column.stride;
    if (column.stride == (ptrdiff_t)sizeof(double) && count == skw_padded(count) && (uintptr_t)from % sizeof(double) == 0)
        return (const double *)from;
    skw_load(column, start, count, room);
    return room;
}

/* `b` gets the signs, and is room for what must be copied. */
static inline skw_black_view skw_black_load(const skw_black_columns *in, ptrdiff_t start, int count, skw_black_block *b)
{
    skw_black_view v;
    skw_load_sign(in->is_call, start, count, b->sign);
    v.forward = skw_black_see(in->forward, start, count, b->forward);
    v.strike = skw_black_see(in->strike, start, count, b->strike);
    v.expiry = skw_black_see(in->expiry, start, count, b->expiry);
    v.discount = skw_black_see(in->discount, start, count, b->discount);
    v.fifth = skw_black_see(in->fifth, start, count, b->fifth);
    return v;
}

SKW_LANE int skw_moderate(double x) { return (x >= 1e-40) & (x <= 1e40); }

/* Fills `b` from `in`, which may lie in it, with harmless lanes for those that the vector code cannot do, and marks them. */
static inline void skw_black_screen(skw_black_view in, skw_black_block *b, int count, int padded, skw_rare *rare)
{
    double bad[SKW_BLOCK], worst = 0.0;
    int i;
#pragma omp simd reduction(max : worst)
    for (i = 0; i < padded; i++) {
        double f = in.forward[i], k = in.strike[i], t = in.expiry[i], d = in.discount[i], v = in.fifth[i];
        int fine = skw_moderate(f) & skw_moderate(k) & skw_moderate(t) & skw_moderate(d) & skw_moderate(v)
                   & (v * v * t < 1e6);
        double flag = fine ? 0.0 : 1.0;
        b->forward[i] = fine ? f : 1.0;
        b->strike[i] = fine ? k : 1.0;
        b->expiry[i] = fine ? t : 1.0;
        b->discount[i] = fine ? d : 1.0;
        b->fifth[i] = fine ? v : 1.0;
        bad[i] = flag;
        worst = worst > flag ? worst : flag;
    }
    rare->any = worst > 0.0;
    if (rare->any)
        for (i = 0; i < count; i++) rare->lane[i] = bad[i] > 0.0;
}

/* What price and Greeks share. */
typedef struct {
    double root[SKW_BLOCK];     /* √T */
    double inverse[SKW_BLOCK];  /* 1/(F σ √T) */
    double h[SKW_BLOCK];        /* signed ln(F/K)/s */
    double density[SKW_BLOCK];  /* D φ(d1) */
    double tail[SKW_BLOCK];     /* D Φ(∓d1), whichever is below one half or, for calls near the money, not far above */
    double value[SKW_BLOCK];    /* price */
} skw_black_shared;

/* The flags are ints for speed: a vector of them has twice the lanes of one of doubles, so that the compiler does two
 * vectors of doubles side by side, which hides half of the latency of the long polynomials. */
static inline void skw_black_value(const skw_black_block *restrict b, int padded, skw_black_shared *restrict o)
{
    double ratio[SKW_BLOCK], gap[SKW_BLOCK];
    int is_above[SKW_BLOCK], is_deep[SKW_BLOCK], i; /* F > K, z- < -1 */
#pragma omp simd
    for (i = 0; i < padded; i++) {
        is_above[i] = b->forward[i] > b->strike[i];
        double root = sqrt(b->expiry[i]), s = b->fifth[i] * root;
        double inverse = 1.0 / (b->forward[i] * s);
        o->root[i] = root;
        o->inverse[i] = inverse;
        o->h[i] = skw_log_ratio(b->forward[i], b->strike[i]) * (b->forward[i] * inverse);
    }
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double h = fabs(o->h[i]), t = 0.5 * (b->fifth[i] * o->root[i]), z = h - t;
        int deep = z < -1.0;
        is_deep[i] = deep;
        double a = deep ? -z : z, c = h + t;
        skw_mills m = skw_mills_pair(a, c, deep ? c - a : 2.0 * t);
        ratio[i] = is_above[i] ? m.at_b : m.at_a;
        gap[i] = deep ? m.at_a + m.at_b : m.difference;
    }
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double h = o->h[i], t = 0.5 * (b->fifth[i] * o->root[i]), d1 = h + t;
        double f = b->forward[i], k = b->strike[i], d = b->discount[i];
        int deep = is_deep[i];
        double phi = 0.39894228040143267794 * skw_exp_negative(-0.5 * d1 * d1);
        double part = f * phi * gap[i], low = f < k ? f : k;
        double otm = deep ? low - part : part;
        double intrinsic = b->sign[i] * (f - k);
        intrinsic = intrinsic > 0.0 ? intrinsic : 0.0;
        o->density[i] = d * phi;
        o->tail[i] = d * phi * ratio[i];
        o->value[i] = d * (intrinsic + otm);
    }
}

#endif
