/* The lognormal volatility of SABR with its derivatives, in lanes. Per unit of forward, A = α F^{β-1}, and with
 * l = ln(F/K), h = (1-β) l/2, middle = e^{-h}:
 *
 *   σ = A/(middle S) · z/x(z) · (1 + T ((1-β)²/24 A²/middle² + ρβνA/(4 middle) + (2-3ρ²)/24 ν²)),   z = ν/A ζ,
 *   x(z) = ln((√(1-2ρz+z²) + z - ρ)/(1-ρ)).
 *
 * Hagan et al. (2002), eq. (2.17a): S = 1 + h²/6 + h⁴/120, ζ = middle l. Obłój (2008), "Fine-tune your smile":
 * S = sinh(h)/h, of which that is the beginning, ζ = middle l S = (1 - (K/F)^{1-β})/(1-β). */
#ifndef SKW_SABR_VOL_H
#define SKW_SABR_VOL_H
#include "lanes.h"

#define SKW_SABR_FARTHEST 1e100 /* of |z|: the square is finite */

/* What depends on strike and β alone. */
typedef struct {
    double zeta, inverse;     /* ζ, 1/(middle S) */
    double inverse_middle;
    double zeta_b, inverse_b; /* derivatives with respect to β */
} skw_sabr_strike;

SKW_LANE skw_sabr_strike skw_sabr_at(double l, double beta, int obloj)
{
    double h = 0.5 * (1.0 - beta) * l, q = h * h, half = 0.5 * l;
    double up = skw_exp(h), down = 1.0 / up, s, s_h, stretch, stretch_h;
    skw_sabr_strike k;
    if (obloj) {
        int close = q < 0.25;
        double near = 1.0 + q * (1.0 / 6) * (1.0 + q * (1.0 / 20) * (1.0 + q * (1.0 / 42) * (1.0 + q * (1.0 / 72)
                      * (1.0 + q * (1.0 / 110) * (1.0 + q * (1.0 / 156) * (1.0 + q * (1.0 / 210)))))));
        double near_h = h * (1.0 / 3) * (1.0 + q * (1.0 / 10) * (1.0 + q * (1.0 / 28) * (1.0 + q * (1.0 / 54)
                        * (1.0 + q * (1.0 / 88) * (1.0 + q * (1.0 / 130))))));
        double one_h = 1.0 / (close ? 1.0 : h);
        s = close ? near : 0.5 * (up - down) * one_h;
        s_h = close ? near_h : (0.5 * (up + down) - s) * one_h;
        stretch = s;
        stretch_h = s_h;
    } else {
        s = 1.0 + q * (1.0 / 6 + q * (1.0 / 120));
        s_h = h * (1.0 / 3 + q * (1.0 / 30));
        stretch = 1.0;
        stretch_h = 0.0;
    }
    k.inverse_middle = up;
    k.inverse = up / s;
    k.zeta = down * l * stretch;
    k.zeta_b = down * l * half * (stretch - stretch_h);
    k.inverse_b = -k.inverse * half * (1.0 - s_h / s);
    return k;
}

/* The parameters and what every strike needs of them. */
typedef struct {
    double a, beta, rho, nu, expiry;
    double nu_a;                   /* ν/A */
    double below, above, together; /* 1/(1-ρ), 1/(1+ρ), 1/(1-ρ²) */
} skw_sabr_point;

SKW_LANE skw_sabr_point skw_sabr_at_point(double a, double beta, double rho, double nu, double expiry)
{
    double below = 1.0 / (1.0 - rho), above = 1.0 / (1.0 + rho);
    skw_sabr_point p = {a, beta, rho, nu, expiry, nu / a, below, above, below * above};
    return p;
}

typedef struct {
    double value, d_a, d_rho, d_nu;
    double d_beta;        /* without that of the drift: skw_sabr_drift_by_beta */
    double without_drift; /* the vol over its drift factor */
} skw_sabr_value;

SKW_LANE skw_sabr_value skw_sabr_vol(const skw_sabr_strike *k, const skw_sabr_point *p)
{
    skw_sabr_value v;
    double z = p->nu_a * k->zeta, a = fabs(z);
    /* x(z; ρ) = -x(-z; -ρ): the positive side has no cancellation */
    double sign = z >= 0.0 ? 1.0 : -1.0, r = sign * p->rho, below = z >= 0.0 ? p->below : p->above;
    int close = a < 1e-5;
    double c = close ? 1.0 : a;
    double product = c * (c - 2.0 * r), root = sqrt(1.0 + product), one_root = 1.0 / root;
    /* ln(1 + rise/base) */
    double base = (root + 1.0) * (1.0 - r), rise = c * (root + 1.0) + product, sum = base + rise;
    skw_near n = skw_power_near(sum, base);
    double x = skw_log_of(n.e, (n.e == 0.0 ? rise : sum - n.n) / (sum + n.n)), one_x = 1.0 / x;
    double ratio = c * one_x;
    double ratio_z = (1.0 - ratio * one_root) * one_x;
    /* 1/(root + c - r) = (root - c + r)/(1 - ρ²) */
    double ratio_r = -ratio * one_x * (below - (1.0 + c * one_root) * ((root - c) + r) * p->together);
    double bend = (2.0 - 3.0 * r * r) * (1.0 / 12);
    double g = close ? 1.0 - a * (0.5 * r - a * bend) : ratio;
    double g_z = close ? -0.5 * r + 2.0 * a * bend : ratio_z;
    double g_r = close ? -0.5 * a * (1.0 + a * r) : ratio_r;
    double one_beta = 1.0 - p->beta, local = p->a * k->inverse_middle;
    double c1 = one_beta * one_beta * (1.0 / 24), c2 = 0.25 * p->beta, c3 = (2.0 - 3.0 * p->rho * p->rho) * (1.0 / 24);
    double t_local = 2.0 * c1 * local + c2 * p->rho * p->nu; /* of the drift by `local` */
    double time = 1.0 + p->expiry * (local * (c1 * local + c2 * p->rho * p->nu) + c3 * p->nu * p->nu);
    double lead = p->a * k->inverse, lead_g = lead * g * p->expiry;
    v.value = lead * g * time;
    /* z is proportional to ν/A */
    v.d_a = (g - a * g_z) * time * k->inverse + lead_g * t_local * k->inverse_middle;
    v.d_rho = lead * sign * g_r * time + lead_g * p->nu * (c2 * local - 0.25 * p->rho * p->nu);
    v.d_nu = lead * g_z * time * fabs(k->zeta) / p->a + lead_g * (c2 * local * p->rho + 2.0 * c3 * p->nu);
    v.without_drift = lead * g;
    v.d_beta = p->a * k->inverse_b * g * time + lead * g_z * sign * p->nu_a * k->zeta_b * time;
    return v;
}

/* The drift factor's derivative with respect to β, A fixed: d ln(A/middle)/dβ = -l/2. */
SKW_LANE double skw_sabr_drift_by_beta(const skw_sabr_strike *k, const skw_sabr_point *p, double l)
{
    double one_beta = 1.0 - p->beta, local = p->a * k->inverse_middle;
    double t_local = one_beta * one_beta * (1.0 / 12) * local + 0.25 * p->beta * p->rho * p->nu;
    return p->expiry * (local * (0.25 * p->rho * p->nu - one_beta * (1.0 / 12) * local) - 0.5 * l * local * t_local);
}

#endif
