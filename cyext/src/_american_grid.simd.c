/* American options on a finite-difference grid, a lane each; compiled once for every instruction-set level. */
#include <stdlib.h>
#include "grid_dividend.h"
#include "grid_step.h"

static void load(skw_unit *u, const skw_grid_option *options, int count)
{
    int i;
    for (int l = 0; l < LANES; l++) {
        const skw_grid_option *o = options + (l < count ? l : count - 1);
        u->sign[l] = o->sign;
        u->strike[l] = o->strike;
        u->expiry[l] = o->expiry;
        u->rate[l] = o->rate;
        u->carry[l] = o->carry;
        u->half_variance[l] = 0.5 * o->vol * o->vol;
        u->drift[l] = o->rate - o->carry - u->half_variance[l];
        u->step[l] = o->step;
        u->direction[l] = -o->sign;
        u->first[l] = o->sign > 0.0 ? o->low + (u->points - 1) * o->step : o->low;
        u->tau[l] = 0.0;
    }
    for (i = 0; i < u->points; i++)
        SKW_LANES(l) {
            u->asset[i][l] = skw_exp(u->first[l] + u->direction[l] * u->step[l] * i);
            u->taken[i][l] = 0.0;
        }
}

/* At expiry, when `dividend` goes: exercise before or after. */
static void pay(skw_unit *u, double dividend)
{
    for (int i = 0; i < u->points; i++)
        SKW_LANES(l) {
            double asset = u->asset[i][l], left = asset - dividend, k = u->strike[l], sign = u->sign[l];
            double now = sign * (asset - k), then = sign * ((left > 0.0 ? left : 0.0) - k);
            now = now > then ? now : then;
            u->value[i][l] = now > 0.0 ? now : 0.0;
        }
}

/* Lagrange's polynomial on the nodes j - 2 ... j + 3 and its first three derivatives at j + t, in steps. */
static void interpolate(const skw_lane *value, int l, int j, double t, double d[4])
{
    int i, k, n;
    d[0] = d[1] = d[2] = d[3] = 0.0;
    for (i = -2; i <= 3; i++) {
        double p[4] = {1.0, 0.0, 0.0, 0.0}, scale = 1.0;
        for (k = -2; k <= 3; k++) {
            if (k == i) continue;
            for (n = 3; n > 0; n--) p[n] = p[n] * (t - k) + n * p[n - 1];
            p[0] *= t - k;
            scale *= i - k;
        }
        for (n = 0; n < 4; n++) d[n] += p[n] / scale * value[j + i][l];
    }
}

static int is_exercised(const skw_unit *u, const skw_exercise *lifted, int i, int l)
{
    double exercise = lifted->money[l] + lifted->shares[l] * u->asset[i][l];
    return exercise > 0.0 && u->value[i][l] <= exercise;
}

/* The node whose stencil reads a place t: in the middle, but not across the boundary of exercise while t lies within it. */
static int stencil(const skw_unit *u, const skw_exercise *lifted, int l, double t)
{
    int last = u->points - 4, j = t >= 2.0 ? (int)floor(t < last ? t : last) : 2, least, most;
    least = j - 2 > 2 ? j - 2 : 2;
    most = j + 2 < last ? j + 2 : last;
    while (j < most && is_exercised(u, lifted, j - 1, l)) j++;
    while (j > least && is_exercised(u, lifted, j + 2, l)) j--;
    return j;
}

static void read(const skw_unit *u, const skw_grid_option *options, int count, skw_grid_value *values)
{
    skw_exercise worth, lifted;
    skw_worth(u, u->tau, &worth);
    skw_lifted(u, u->tau, &lifted);
    for (int l = 0; l < count; l++) {
        const skw_grid_option *o = options + l;
        skw_grid_value *v = values + l;
        double s = o->spot, moved = s * exp(u->drift[l] * o->expiry), discount = exp(-o->rate * o->expiry), d[4], x;
        double t = u->direction[l] * (log(moved) - u->first[l]) / u->step[l], h = u->direction[l] * u->step[l];
        double now = worth.money[l] + worth.shares[l] * moved, then = lifted.money[l] + lifted.shares[l] * moved;
        int j = stencil(u, &lifted, l, t);
        interpolate(u->value, l, j, t - j, d);
        d[1] /= h;
        d[2] /= h * h;
        d[3] /= h * h * h;
        x = skw_settled(d[0], now, then);
        v->exercised = now > 0.0 && x <= now + 1e-11 * u->strike[l];
        v->price = v->exercised ? o->sign * (s - o->strike) : discount * (x > 0.0 ? x : 0.0);
        v->delta = v->exercised ? o->sign : discount * d[1] / s;
        v->gamma = v->exercised ? 0.0 : discount * (d[2] - d[1]) / (s * s);
        v->speed = v->exercised ? 0.0 : discount * (d[3] - 3.0 * d[2] + 2.0 * d[1]) / (s * s * s);
    }
}

static int solve_unit(const skw_grid_plan *plan, const skw_grid_option *options, int count, skw_grid_value *values)
{
    skw_unit u;
    skw_lane *memory, length;
    size_t size = (size_t)plan->points;
    int k = 0, left = plan->dividends;
    double at_expiry = 0.0;
    memory = aligned_alloc(sizeof(skw_lane), 6 * size * sizeof(skw_lane));
    if (!memory) return 0;
    u.points = plan->points;
    u.connected = plan->connected;
    u.asset = memory;
    u.value = memory + size;
    u.stage = memory + 2 * size;
    u.right = memory + 3 * size;
    u.upper = memory + 4 * size;
    u.taken = memory + 5 * size;
    load(&u, options, count);
    for (; left > 0 && plan->steps[k] == 0; k++) at_expiry += plan->amounts[--left];
    pay(&u, at_expiry);
    for (; k <= plan->dividends; k++) {
        double to = left > 0 ? plan->times[left - 1] : 0.0;
        SKW_LANES(l) length[l] = (u.expiry[l] - to) - u.tau[l];
        if (plan->steps[k] > 0) skw_march(&u, length, plan->steps[k]);
        if (left > 0) skw_dividend(&u, plan->amounts[--left]);
    }
    read(&u, options, count, values);
    free(memory);
    return 1;
}

static int solve(const skw_grid_plan *plan, const skw_grid_option *options, int count, skw_grid_value *values)
{
    int done;
    for (done = 0; done < count; done += LANES)
        if (!solve_unit(plan, options + done, count - done < LANES ? count - done : LANES, values + done)) return 0;
    return 1;
}

const skw_grid_loops SKW_NAME(skw_grid) = {solve};
