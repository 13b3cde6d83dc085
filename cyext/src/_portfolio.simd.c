/* One option in a block of scenarios: its shocked arguments and their Black-76 prices. */
#include "portfolio_loops.h"

static double number_at(skw_column column, ptrdiff_t i) { return *(const double *)(column.data + i * column.stride); }

static void repeat(double value, int padded, double *restrict out)
{
    int i;
    for (i = 0; i < padded; i++) out[i] = value;
}

/* What passing time and shifts of rate and carry do to expiry, discount and forward (cyext/portfolio.py). */
static void shift_terms(const skw_scenarios *scenarios, ptrdiff_t start, int count, skw_black_block *restrict b)
{
    double passed[SKW_BLOCK], rate[SKW_BLOCK], carry[SKW_BLOCK];
    int i, padded = skw_padded(count);
    skw_load(scenarios->time_passed, start, count, passed);
    skw_load(scenarios->rate_shift, start, count, rate);
    skw_load(scenarios->carry_shift, start, count, carry);
    double expiry = b->expiry[0], yield = expiry > 0.0 ? -log(b->discount[0]) / expiry : 0.0;
#pragma omp simd
    for (i = 0; i < padded; i++) {
        double left = expiry - passed[i];
        left = left > 0.0 ? left : 0.0;
        b->discount[i] *= skw_exp(yield * (expiry - left) - rate[i] * left);
        b->forward[i] *= skw_exp(carry[i] * left);
        b->expiry[i] = left;
    }
}

static void inputs(const skw_positions *positions, const skw_scenarios *scenarios, ptrdiff_t option, ptrdiff_t start,
                   int count, skw_black_block *restrict b)
{
    const skw_black_columns *o = &positions->options;
    const skw_column u = positions->underlying;
    ptrdiff_t row = *(const ptrdiff_t *)(u.data + option * u.stride) * scenarios->count + start;
    const skw_column factor = {(const char *)(scenarios->forward_factor + row), sizeof(double)};
    const skw_column shock = {(const char *)(scenarios->vol_shock + row), sizeof(double)};
    double forward = number_at(o->forward, option), vol = number_at(o->fifth, option);
    double weight = number_at(positions->vol_weight, option);
    int i, padded = skw_padded(count);
    repeat(*(const unsigned char *)(o->is_call.data + option * o->is_call.stride) ? 1.0 : -1.0, padded, b->sign);
    repeat(number_at(o->strike, option), padded, b->strike);
    repeat(number_at(o->expiry, option), padded, b->expiry);
    repeat(number_at(o->discount, option), padded, b->discount);
    skw_load(factor, 0, count, b->forward);
    skw_load(shock, 0, count, b->fifth);
#pragma omp simd
    for (i = 0; i < padded; i++) {
        b->forward[i] *= forward;
        b->fifth[i] = vol * skw_exp(weight * b->fifth[i]);
    }
    if (scenarios->terms) shift_terms(scenarios, start, count, b);
}

static void values(skw_black_block *b, int count, double *out, skw_rare *rare)
{
    skw_black_shared o;
    int padded = skw_padded(count);
    skw_black_view own = {b->forward, b->strike, b->expiry, b->discount, b->fifth};
    skw_black_screen(own, b, count, padded, rare);
    skw_black_value(b, padded, &o);
    memcpy(out, o.value, (size_t)count * sizeof(double));
}

const skw_portfolio_loops SKW_NAME(skw_portfolio) = {inputs, values};
