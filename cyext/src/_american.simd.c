/* American puts over groups of options, compiled once for every instruction-set level. */
#include "american_boundary.h"
#include "american_implied.h"
#include "american_premium.h"

static int solve(const skw_american_group *g, const skw_american_scheme *scheme, skw_american_boundary *b)
{
    skw_american_kept kept;
    int stage, i, points = 0;
    for (stage = 0; stage < scheme->stages; stage++) {
        const skw_american_stage *s = &scheme->stage[stage];
        if (stage == 0)
            skw_american_start(g, s, b);
        else
            skw_american_prolong(s, points, b);
        points = s->points;
        skw_american_keep(b, s, &kept);
        for (i = 0; i < s->sweeps; i++) skw_american_sweep(s, &kept, b);
    }
    return points;
}

static void price_group(const skw_american_group *g, const skw_american_scheme *scheme, double *price, int *settled)
{
    skw_american_boundary b;
    int points = solve(g, scheme, &b);
    skw_american_value(g, &scheme->premium, &b, points, price);
    for (int k = 0; k < SKW_AL; k++) settled[k] = b.change[k] <= scheme->tolerance && isfinite(price[k]);
}

static void puts_of_group(const skw_american_group *g, const skw_american_scheme *scheme, skw_american_puts *puts,
                          int *settled)
{
    skw_american_boundary b;
    int points = solve(g, scheme, &b);
    skw_american_put(g, &scheme->premium, &b, points, puts);
    for (int k = 0; k < SKW_AL; k++) settled[k] = b.change[k] <= scheme->tolerance && isfinite(puts->gamma[k]);
}

/* The European put's vega: the slope from which the search starts. */
static double european_vega(const skw_american_group *g, int k)
{
    double t = g->expiry[k], v = g->vol[k] * sqrt(t);
    double d = (log(g->spot[k]) + (g->rate[k] - g->carry[k]) * t) / v + 0.5 * v;
    return SKW_ONE_OVER_ROOT_2PI * g->spot[k] * sqrt(t) * exp(-g->carry[k] * t - 0.5 * d * d);
}

static void implied_group(const skw_american_group *given, const skw_american_scheme *scheme, skw_american_quotes *q)
{
    skw_american_group g = *given;
    skw_search search[SKW_AL];
    double price[SKW_AL];
    int settled[SKW_AL], k, step, left = SKW_AL;
    memcpy(g.vol, q->vol, sizeof g.vol);
    for (k = 0; k < SKW_AL; k++)
        search[k] = (skw_search){.low = q->least[k], .high = INFINITY};
    for (step = 0; step < SKW_SEARCH_STEPS && left; step++) {
        price_group(&g, scheme, price, settled);
        left = 0;
        for (k = 0; k < SKW_AL; k++) {
            if (search[k].done) continue;
            g.vol[k] = skw_search_next(&search[k], g.vol[k], settled[k] ? price[k] - q->price[k] : NAN,
                                       step ? 0.0 : european_vega(&g, k), SKW_AMERICAN_MOST_DEVIATION / sqrt(g.expiry[k]));
            left += !search[k].done;
        }
    }
    for (k = 0; k < SKW_AL; k++) {
        q->vol[k] = g.vol[k];
        q->found[k] = search[k].done == 1;
    }
}

const skw_american_loops SKW_NAME(skw_american) = {price_group, puts_of_group, implied_group};
