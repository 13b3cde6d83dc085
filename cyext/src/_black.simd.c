/* Black-76 over blocks of options, compiled once for every instruction-set level. */
#include "black_value.h"
#include "black_implied.h"

static void price_block(const skw_black_columns *in, ptrdiff_t start, int count, double *out, skw_rare *rare)
{
    skw_black_block b;
    skw_black_shared o;
    int padded = skw_padded(count);
    skw_black_screen(skw_black_load(in, start, count, &b), &b, count, padded, rare);
    skw_black_value(&b, padded, &o);
    memcpy(out, o.value, (size_t)count * sizeof(double));
}

static void rest_of_greeks(const skw_black_block *restrict b, const skw_black_shared *restrict o, int padded,
                           double *restrict out, ptrdiff_t rows)
{
    const double day = 1.0 / 365.0;
    int i;
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double f = b->forward[i], d = b->discount[i], t = b->expiry[i], v = b->fifth[i], sign = b->sign[i];
        double root = o->root[i], h = o->h[i], density = o->density[i], value = o->value[i], tail = o->tail[i];
        double one_s = f * o->inverse[i], one_v = root * one_s, one_root = v * one_s, one_t = one_root * one_root;
        double half = 0.5 * (v * root), d1 = h + half, d2 = h - half;
        double rate = skw_log_ratio(1.0, d) * one_t;
        /* tail holds Φ(d1) for F <= K with z- >= -1, Φ(-d1) elsewhere */
        double holds = (h <= 0.0) & (fabs(h) - half >= -1.0) ? 1.0 : -1.0;
        double cdf = holds * sign > 0.0 ? tail : d - tail;
        double vega = f * density * root;
        out[i] = value;
        out[rows + i] = sign * cdf;
        out[2 * rows + i] = density * o->inverse[i];
        out[3 * rows + i] = vega;
        out[4 * rows + i] = (rate * value - 0.5 * f * density * v * one_root) * day;
        out[5 * rows + i] = -t * value;
        out[6 * rows + i] = -density * d2 * one_v;
        out[7 * rows + i] = vega * d1 * d2 * one_v;
        out[8 * rows + i] = (sign * rate * cdf + 0.5 * density * d2 * one_t) * day;
    }
}

static void greeks_block(const skw_black_columns *in, ptrdiff_t start, int count, double *out, ptrdiff_t rows,
                         skw_rare *rare)
{
    skw_black_block b;
    skw_black_shared o;
    double own[9 * SKW_BLOCK];
    int r, padded = skw_padded(count);
    skw_black_screen(skw_black_load(in, start, count, &b), &b, count, padded, rare);
    skw_black_value(&b, padded, &o);
    if (padded == count) {
        rest_of_greeks(&b, &o, padded, out, rows);
        return;
    }
    rest_of_greeks(&b, &o, padded, own, SKW_BLOCK);
    for (r = 0; r < 9; r++) memcpy(out + r * rows, own + r * SKW_BLOCK, (size_t)count * sizeof(double));
}

const skw_black_loops SKW_NAME(skw_black) = {price_block, greeks_block, implied_block};
