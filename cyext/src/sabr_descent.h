/* Levenberg–Marquardt in a box on a smile's normal equations. Every trial brings its Jacobian along, since nearly all are
 * accepted. Converged: an undamped step would take off no more than a tolerance of the sum of squares. That a damped step
 * achieves little proves nothing: far from a minimum heavy damping stalls as well. */
#ifndef SKW_SABR_DESCENT_H
#define SKW_SABR_DESCENT_H
#include "sabr_normal.h"

#define SKW_SABR_TOLERANCE 1e-10

typedef struct {
    double x[SKW_SABR_MOST];
    skw_sabr_normal at;
    int held[SKW_SABR_MOST]; /* at a bound, and pushed against it */
    int iterations, converged;
} skw_sabr_descent;

typedef struct {
    double low[SKW_SABR_MOST], high[SKW_SABR_MOST];
} skw_sabr_box;

/* L D Lᵀ of the damped normal matrix without what is held; 0 when it is not positive definite. d holds 1/D. */
SKW_LANE int skw_sabr_factor(int n, const skw_sabr_normal *at, const int *held, double damping, double l[4][4], double *d)
{
    int i, j, k;
    for (j = 0; j < n; j++) {
        double pivot = held[j] ? 1.0 : at->h[j][j] * (1.0 + damping) + 1e-300;
        for (k = 0; k < j; k++) pivot -= l[j][k] * l[j][k] * d[k];
        if (!(pivot > 0.0)) return 0;
        d[j] = 1.0 / pivot;
        for (i = j + 1; i < n; i++) {
            double sum = held[i] || held[j] ? 0.0 : at->h[i][j];
            for (k = 0; k < j; k++) sum -= l[i][k] * l[j][k] * d[k];
            l[i][j] = sum; /* L D */
        }
    }
    return 1;
}

SKW_LANE void skw_sabr_back(int n, double l[4][4], const double *d, double *b)
{
    int i, k;
    for (i = 0; i < n; i++)
        for (k = 0; k < i; k++) b[i] -= l[i][k] * d[k] * b[k];
    for (i = n - 1; i >= 0; i--) {
        b[i] *= d[i];
        for (k = i + 1; k < n; k++) b[i] -= l[k][i] * d[i] * b[k];
    }
}

/* What the undamped step promises to take off the sum of squares. */
SKW_LANE double skw_sabr_promise(int n, const skw_sabr_descent *s)
{
    double l[4][4], d[4], step[4], promise = 0.0;
    int i;
    for (i = 0; i < n; i++) step[i] = s->held[i] ? 0.0 : s->at.g[i];
    if (!skw_sabr_factor(n, &s->at, s->held, 1e-10, l, d)) return INFINITY;
    skw_sabr_back(n, l, d, step);
    for (i = 0; i < n; i++) promise += s->held[i] ? 0.0 : step[i] * s->at.g[i];
    return promise;
}

SKW_LANE void skw_sabr_descend_in(const skw_sabr_smile *smile, int n, const skw_sabr_box *box, int most,
                                  skw_sabr_descent *s)
{
    double damping = 1e-3, grow = 2.0, l[4][4], d[4], step[4], expected, moved, gain;
    double floor = 1e-14 * smile->weight_sum;
    skw_sabr_descent trial;
    int i, j;
    s->iterations = s->converged = 0;
    skw_sabr_equations(smile, n, s->x, &s->at);
    for (;;) {
        if (!isfinite(s->at.sse)) return;
        for (i = 0; i < n; i++)
            s->held[i] = (s->x[i] <= box->low[i] && s->at.g[i] > 0.0) || (s->x[i] >= box->high[i] && s->at.g[i] < 0.0);
        if (skw_sabr_promise(n, s) <= SKW_SABR_TOLERANCE * (s->at.sse + floor)) {
            s->converged = 1;
            return;
        }
        for (;;) { /* steps from the same point until one goes down */
            if (s->iterations >= most || damping > 1e20) return;
            s->iterations++;
            for (i = 0; i < n; i++) step[i] = s->held[i] ? 0.0 : -s->at.g[i];
            if (skw_sabr_factor(n, &s->at, s->held, damping, l, d)) {
                skw_sabr_back(n, l, d, step);
                moved = expected = 0.0;
                for (i = 0; i < n; i++) {
                    double to = s->x[i] + step[i];
                    to = to > box->low[i] ? to : box->low[i];
                    to = to < box->high[i] ? to : box->high[i];
                    trial.x[i] = to;
                    step[i] = to - s->x[i];
                    moved = fmax(moved, fabs(step[i]) / (fabs(s->x[i]) + 1e-3));
                }
                for (i = 0; i < n; i++) {
                    expected -= 2.0 * step[i] * s->at.g[i];
                    for (j = 0; j < n; j++) expected -= step[i] * s->at.h[i][j] * step[j];
                }
                if (moved <= 1e-15) return;
                skw_sabr_equations(smile, n, trial.x, &trial.at);
                if (isfinite(trial.at.sse) && trial.at.sse < s->at.sse) break;
            }
            damping *= grow;
            grow *= 2.0;
        }
        gain = expected > 0.0 ? (s->at.sse - trial.at.sse) / expected : 0.0;
        damping *= gain > 0.75 ? 0.1 : gain > 0.25 ? 1.0 : 3.0;
        damping = damping > 1e-14 ? damping : 1e-14;
        grow = 2.0;
        for (i = 0; i < n; i++) s->x[i] = trial.x[i];
        s->at = trial.at;
    }
}

/* From s->x, n (3 or 4) parameters of which are free. */
static void skw_sabr_descend(const skw_sabr_smile *smile, int n, const skw_sabr_box *box, int most, skw_sabr_descent *s)
{
    if (n == 3)
        skw_sabr_descend_in(smile, 3, box, most, s);
    else
        skw_sabr_descend_in(smile, 4, box, most, s);
}

#endif
