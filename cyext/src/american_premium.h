/* An American put on strike 1 from its exercise boundary: the European one, and what exercise below the boundary earns,
 *
 *   ∫ r e^{-r lag} Φ(-d-) - q S e^{-q lag} Φ(-d+),   where with the boundary B then S e^{-q lag} φ(d+) = B e^{-r lag} φ(d-).
 */
#ifndef SKW_AMERICAN_PREMIUM_H
#define SKW_AMERICAN_PREMIUM_H
#include "american_boundary.h"

/* Φ(-d-), Φ(-d+) and φ(d-), each with its discount, the second with the spot. */
typedef struct {
    double money, stock, density;
} skw_american_exercise;

SKW_LANE skw_american_exercise skw_american_exercised(double d, double lv, double spot, double then, double interest,
                                                      double yield)
{
    skw_american_exercise e;
    double later = skw_exp_negative(-interest);
    e.density = SKW_ONE_OVER_ROOT_2PI * later * skw_exp_negative(-0.5 * d * d);
    e.money = skw_weighted_cdf(-d, e.density, later);
    e.stock = skw_weighted_cdf(-d - lv, e.density * then, spot * skw_exp_negative(-yield));
    return e;
}

SKW_LANE int skw_american_stopped(const skw_american_boundary *b, int points, int k, double log_spot)
{
    return log_spot <= b->ceiling[k] - b->fall[points - 1][k];
}

/* Exercise now, or at expiry, which a boundary that is a little too high would miss. */
SKW_LANE double skw_american_least(double spot, double european)
{
    double intrinsic = 1.0 - spot;
    return intrinsic > european ? intrinsic : european;
}

static inline void skw_american_value(const skw_american_group *restrict g, const skw_american_rule *rule,
                                      const skw_american_boundary *restrict b, int points, double *restrict price)
{
    double square[SKW_AMERICAN_POINTS][SKW_AL], fall[SKW_AL], log_spot[SKW_AL], sum[SKW_AL], least[SKW_AL];
    int i, j;
    for (i = 0; i < points; i++)
        SKW_LANES_DO square[i][k] = b->fall[i][k] * b->fall[i][k];
    SKW_LANES_DO {
        log_spot[k] = skw_log_ratio(g->spot[k], 1.0);
        skw_american_exercise e = skw_american_exercised(log_spot[k] * b->one_v[k] + b->drift[k], b->v[k], g->spot[k], 1.0,
                                                         b->interest[k], b->yield[k]);
        sum[k] = e.money - e.stock;
        least[k] = skw_american_least(g->spot[k], sum[k]);
    }
    for (j = 0; j < rule->size; j++) {
        double x = rule->sine[j], one_x = 1.0 / x, weight = 2.0 * rule->weight[j] * x * rule->cosine[j];
        skw_american_fall_at(rule->rows + j * points, points, (const double(*)[SKW_AL])square, fall);
        SKW_LANES_DO {
            double log_then = b->ceiling[k] - fall[k];
            skw_american_exercise e = skw_american_exercised(
                (log_spot[k] - log_then) * (b->one_v[k] * one_x) + b->drift[k] * x, b->v[k] * x, g->spot[k],
                skw_exp_negative(log_then), b->interest[k] * (x * x), b->yield[k] * (x * x));
            sum[k] += weight * (b->interest[k] * e.money - b->yield[k] * e.stock);
        }
    }
    SKW_LANES_DO {
        int stopped = skw_american_stopped(b, points, k, log_spot[k]) | (sum[k] < least[k]);
        price[k] = stopped ? least[k] : sum[k];
    }
}

/* The same with delta and gamma; where it is exercised at once they are those of the intrinsic value. */
static inline void skw_american_put(const skw_american_group *restrict g, const skw_american_rule *rule,
                                    const skw_american_boundary *restrict b, int points, skw_american_puts *restrict o)
{
    double square[SKW_AMERICAN_POINTS][SKW_AL], fall[SKW_AL], log_spot[SKW_AL], least[SKW_AL];
    int i, j;
    for (i = 0; i < points; i++)
        SKW_LANES_DO square[i][k] = b->fall[i][k] * b->fall[i][k];
    SKW_LANES_DO {
        double one_s = 1.0 / g->spot[k];
        log_spot[k] = skw_log_ratio(g->spot[k], 1.0);
        skw_american_exercise e = skw_american_exercised(log_spot[k] * b->one_v[k] + b->drift[k], b->v[k], g->spot[k], 1.0,
                                                         b->interest[k], b->yield[k]);
        o->price[k] = e.money - e.stock;
        least[k] = skw_american_least(g->spot[k], o->price[k]);
        o->delta[k] = -e.stock * one_s;
        o->gamma[k] = e.density * b->one_v[k] * one_s * one_s;
    }
    for (j = 0; j < rule->size; j++) {
        double x = rule->sine[j], one_x = 1.0 / x, weight = 2.0 * rule->weight[j] * x * rule->cosine[j];
        skw_american_fall_at(rule->rows + j * points, points, (const double(*)[SKW_AL])square, fall);
        SKW_LANES_DO {
            double log_then = b->ceiling[k] - fall[k], then = skw_exp_negative(log_then), one_s = 1.0 / g->spot[k];
            double one_lv = b->one_v[k] * one_x, r = weight * b->interest[k], q = weight * b->yield[k];
            double d = (log_spot[k] - log_then) * one_lv + b->drift[k] * x;
            skw_american_exercise e = skw_american_exercised(d, b->v[k] * x, g->spot[k], then, b->interest[k] * (x * x),
                                                             b->yield[k] * (x * x));
            /* r e^{-r lag} φ(d-) - q S e^{-q lag} φ(d+): what exercise at the boundary itself earns */
            double earned = (r - q * then) * e.density * one_lv;
            o->price[k] += r * e.money - q * e.stock;
            o->delta[k] -= (earned + q * e.stock) * one_s;
            o->gamma[k] += (earned * (1.0 + d * one_lv) + q * then * e.density * one_lv) * one_s * one_s;
        }
    }
    SKW_LANES_DO {
        int stopped = skw_american_stopped(b, points, k, log_spot[k]) | (o->price[k] < least[k]);
        o->price[k] = stopped ? least[k] : o->price[k];
        o->delta[k] = stopped ? -1.0 : o->delta[k];
        o->gamma[k] = stopped ? 0.0 : o->gamma[k];
    }
}

#endif
