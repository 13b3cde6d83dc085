/* Heston's model over groups of options, compiled once for every instruction-set level. */
#include "columns.h"
#include "heston_residuals.h"

/* Black's out-of-the-money prices in units of √(FK), each with its own σ√T. */
static void controls(const double *distance, const double *deviation, ptrdiff_t count, double *out)
{
    const skw_column x = {(const char *)distance, sizeof(double)}, s = {(const char *)deviation, sizeof(double)};
    double a[SKW_BLOCK], b[SKW_BLOCK];
    ptrdiff_t start;
    int i;
    for (start = 0; start < count; start += SKW_BLOCK) {
        int own = (int)(count - start < SKW_BLOCK ? count - start : SKW_BLOCK), padded = skw_padded(own);
        skw_load(x, start, own, a);
        skw_load(s, start, own, b);
#pragma omp simd
        for (i = 0; i < padded; i++) a[i] = skw_heston_control(a[i], b[i]);
        memcpy(out + start, a, (size_t)own * sizeof(double));
    }
}

static void prices(const skw_heston_model *p, const skw_heston_group *g, const double *distance, double *out)
{
    double deviation = sqrt(skw_heston_variance(p, g->expiry)), a[SKW_BLOCK];
    const skw_column x = {(const char *)distance, sizeof(double)};
    ptrdiff_t start, i;
    if (deviation < 1e-8) {
        for (i = g->begin; i < g->end; i++) out[i] = 0.0;
        return;
    }
    skw_heston_integrals(p, &SKW_HESTON_EXACT, g, distance, 1, out + g->begin);
    for (start = g->begin; start < g->end; start += SKW_BLOCK) {
        int own = (int)(g->end - start < SKW_BLOCK ? g->end - start : SKW_BLOCK), padded = skw_padded(own);
        skw_load(x, start, own, a);
#pragma omp simd
        for (i = 0; i < padded; i++) a[i] = skw_heston_control(a[i], deviation);
        for (i = 0; i < own; i++) {
            double value = out[start + i] + a[i];
            out[start + i] = value < 0.0 ? 0.0 : value;
        }
    }
}

const skw_heston_loops SKW_NAME(skw_heston) = {controls, prices, residuals};
