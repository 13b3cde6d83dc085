/* SABR over blocks of options and over the strikes of a smile, compiled once for every instruction-set level. */
#include "sabr_fit.h"

SKW_LANE double skw_sabr_checked(double f, double k, double t, double alpha, double beta, double rho, double nu, int obloj)
{
    int fine = skw_sabr_moderate(f) & skw_sabr_moderate(k) & skw_sabr_moderate(alpha) & (t >= 0.0) & (beta >= 0.0)
               & (beta <= 1.0) & (fabs(rho) < 1.0) & (nu >= 0.0) & (nu <= SKW_SABR_LARGEST);
    f = fine ? f : 1.0;
    k = fine ? k : 1.0;
    alpha = fine ? alpha : 1.0;
    beta = fine ? beta : 1.0;
    rho = fine ? rho : 0.0;
    nu = fine ? nu : 0.0;
    double l = skw_log_ratio(f, k), a = alpha * skw_exp((beta - 1.0) * skw_log_ratio(f, 1.0));
    skw_sabr_strike strike = skw_sabr_at(l, beta, obloj);
    skw_sabr_point p = skw_sabr_at_point(a, beta, rho, nu, t);
    double far = fabs(p.nu_a * strike.zeta);
    fine &= far <= SKW_SABR_FARTHEST;
    p.nu_a = fine ? p.nu_a : 0.0;
    double value = skw_sabr_vol(&strike, &p).value;
    fine &= fabs(value) <= 1.7976931348623157e308;
    return fine ? value : NAN;
}

static void vols(const skw_sabr_columns *in, int obloj, ptrdiff_t start, int count, double *out)
{
    double f[SKW_BLOCK], k[SKW_BLOCK], t[SKW_BLOCK], alpha[SKW_BLOCK], beta[SKW_BLOCK], rho[SKW_BLOCK], nu[SKW_BLOCK];
    double shift[SKW_BLOCK], own[SKW_BLOCK];
    int i, padded = skw_padded(count);
    skw_load(in->forward, start, count, f);
    skw_load(in->strike, start, count, k);
    skw_load(in->expiry, start, count, t);
    skw_load(in->alpha, start, count, alpha);
    skw_load(in->beta, start, count, beta);
    skw_load(in->rho, start, count, rho);
    skw_load(in->nu, start, count, nu);
    skw_load(in->shift, start, count, shift);
    if (obloj) {
#pragma omp simd
        for (i = 0; i < padded; i++)
            own[i] = skw_sabr_checked(f[i] + shift[i], k[i] + shift[i], t[i], alpha[i], beta[i], rho[i], nu[i], 1);
    } else {
#pragma omp simd
        for (i = 0; i < padded; i++)
            own[i] = skw_sabr_checked(f[i] + shift[i], k[i] + shift[i], t[i], alpha[i], beta[i], rho[i], nu[i], 0);
    }
    memcpy(out, own, (size_t)count * sizeof(double));
}

const skw_sabr_loops SKW_NAME(skw_sabr) = {vols, skw_sabr_fit_smile};
