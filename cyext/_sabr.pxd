# cython: cdivision=True
# Hagan's lognormal volatility, one strike at a time, with its derivatives.
from libc.math cimport exp, log, log1p, fabs, sqrt, pow, isfinite, NAN

cdef struct Strike:
    # What depends on the strike and beta alone, so that a fit computes it once.
    double log_moneyness    # ln(F/K)
    double middle           # (FK)^{(1-β)/2}
    double denominator      # middle × (1 + (1-β)²/24 ln² + (1-β)⁴/1920 ln⁴)


cdef struct Vol:
    double value
    double d_alpha
    double d_rho
    double d_nu


cdef inline Strike sabr_strike(double forward, double strike, double beta) noexcept nogil:
    cdef Strike k
    cdef double change = (forward - strike) / strike
    cdef double c = (1.0 - beta) * (1.0 - beta)
    cdef double l2
    k.log_moneyness = log1p(change) if fabs(change) < 0.25 else log(forward / strike)
    l2 = k.log_moneyness * k.log_moneyness
    k.middle = pow(forward * strike, 0.5 * (1.0 - beta))
    k.denominator = k.middle * (1.0 + c / 24.0 * l2 + c * c / 1920.0 * l2 * l2)
    return k


cdef inline Vol sabr_vol(Strike k, double expiry, double alpha, double beta, double rho, double nu) noexcept nogil:
    """σ = α/denominator · z/x(z) · (1 + A T), Hagan et al. (2002) eq. (2.17a), z = ν/α · middle · ln(F/K)."""
    cdef Vol v
    cdef double z = nu / alpha * k.middle * k.log_moneyness
    cdef double a = fabs(z)
    # x(z; ρ) = -x(-z; -ρ): the positive side has no cancellation
    cdef double r = rho if z >= 0.0 else -rho
    cdef double root, x, g, g_z, g_r, lead, a1, a2, a3, time, sign = 1.0 if z >= 0.0 else -1.0
    root = sqrt(1.0 + a * (a - 2.0 * r))
    if a < 1e-5:
        g = 1.0 - a * (0.5 * r - a * (2.0 - 3.0 * r * r) / 12.0)
        g_z = -0.5 * r + a * (2.0 - 3.0 * r * r) / 6.0
        g_r = -0.5 * a - 0.5 * a * a * r
    else:
        x = log1p((a + a * (a - 2.0 * r) / (root + 1.0)) / (1.0 - r))
        g = a / x
        g_z = (x - a / root) / (x * x)
        g_r = -g / x * (1.0 / (1.0 - r) - (1.0 + a / root) / (root + a - r))
    a1 = (1.0 - beta) * (1.0 - beta) / (24.0 * k.middle * k.middle)
    a2 = beta / (4.0 * k.middle)
    a3 = (2.0 - 3.0 * rho * rho) / 24.0
    time = 1.0 + expiry * (alpha * (a1 * alpha + a2 * rho * nu) + a3 * nu * nu)
    lead = alpha / k.denominator
    v.value = lead * g * time
    # z is proportional to ν/α: ∂z/∂α = -z/α, ∂z/∂ν = z/ν
    v.d_alpha = (g - a * g_z) * time / k.denominator + lead * g * expiry * (2.0 * a1 * alpha + a2 * rho * nu)
    v.d_rho = lead * (sign * g_r * time + g * expiry * nu * (a2 * alpha - 0.25 * rho * nu))
    v.d_nu = lead * (g_z * (k.middle * fabs(k.log_moneyness) / alpha) * time
                     + g * expiry * (a2 * alpha * rho + 2.0 * a3 * nu))
    return v
