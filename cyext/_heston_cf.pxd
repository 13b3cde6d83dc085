# cython: cdivision=True
# The Heston characteristic function on the Lewis line and its gradient in the five parameters.
from libc.math cimport exp, expm1, log1p, atan2, fabs, isfinite
from libc.complex cimport cexp, clog, csqrt, creal, cimag, cabs

cdef extern from "<complex.h>" nogil:
    double complex I "_Complex_I"


cdef struct Parameters:
    double v0
    double kappa
    double theta
    double sigma
    double rho


cdef struct LogCf:
    double complex value
    double complex d_v0
    double complex d_kappa
    double complex d_theta
    double complex d_sigma
    double complex d_rho


cdef inline double complex clog1p(double complex z) noexcept nogil:
    """ln(1 + z) that keeps its relative accuracy where z is small."""
    cdef double x = creal(z), y = cimag(z)
    if fabs(x) < 0.5 and fabs(y) < 0.5:
        return 0.5 * log1p(x * (2.0 + x) + y * y) + I * atan2(y, 1.0 + x)
    return clog(1.0 + z)


cdef inline double mean_variance(Parameters p, double expiry) noexcept nogil:
    """∫₀ᵀ E[v] dt."""
    cdef double decay = -expm1(-p.kappa * expiry) / p.kappa if p.kappa > 1e-12 else expiry
    return p.theta * (expiry - decay) + p.v0 * decay


cdef inline LogCf log_cf(Parameters p, double expiry, double complex u, bint gradient) noexcept nogil:
    """ln E[exp(i(u - i/2) ln(S_T/F))], the gradient when asked for.

    The form that is continuous in u: Re d >= 0, decaying exponentials only (Albrecher et al., 2007; Cui et al., 2017),
    written so that nothing cancels as σ → 0: (β - d)/σ² = -m/(β + d) with m = u² + 1/4.
    """
    cdef LogCf f
    cdef double s2 = p.sigma * p.sigma
    cdef double scale = p.kappa * p.theta / s2
    cdef double complex m = u * u + 0.25
    cdef double complex c = 0.5 + I * u
    cdef double complex beta = p.kappa - p.rho * p.sigma * c
    cdef double complex d = csqrt(beta * beta + s2 * m)
    cdef double complex e = cexp(-d * expiry)
    cdef double complex one_e = 1.0 - e
    cdef double complex q = d * (1.0 + e) + beta * one_e
    cdef double complex plus = beta + d, minus = beta - d
    cdef double complex a0, b, db, dd, de, dq, db_sum
    cdef double complex inverse_d
    if creal(plus) * creal(plus) + cimag(plus) * cimag(plus) > creal(minus) * creal(minus) + cimag(minus) * cimag(minus):
        minus = -s2 * m / plus
    inverse_d = 1.0 / d
    a0 = -m * one_e / q
    b = minus * expiry - 2.0 * clog1p(0.5 * minus * one_e * inverse_d)
    f.value = p.v0 * a0 + scale * b
    if not gradient:
        f.d_v0 = f.d_kappa = f.d_theta = f.d_sigma = f.d_rho = 0.0
        return f
    f.d_v0 = a0
    f.d_theta = p.kappa / s2 * b
    # through β: once for κ (∂β = 1), σ and ρ follow from the same chain
    f.d_kappa = p.theta / s2 * b + through(p, expiry, scale, m, beta, d, e, q, 1.0, beta * inverse_d)
    f.d_sigma = (-2.0 * scale / p.sigma * b
                 + through(p, expiry, scale, m, beta, d, e, q, -p.rho * c,
                           (p.sigma * m - p.rho * c * beta) * inverse_d))
    f.d_rho = through(p, expiry, scale, m, beta, d, e, q, -p.sigma * c, -p.sigma * c * beta * inverse_d)
    return f


cdef inline double complex through(Parameters p, double expiry, double scale, double complex m, double complex beta,
                                   double complex d, double complex e, double complex q, double complex d_beta,
                                   double complex d_d) noexcept nogil:
    """Change of v0 a0 + scale b when β and d change by d_beta and d_d."""
    cdef double complex d_e = -expiry * e * d_d
    cdef double complex d_q = d_d * (1.0 + e) + d * d_e + d_beta * (1.0 - e) - beta * d_e
    cdef double complex ratio = d_q / q
    return (p.v0 * m * (d_e + (1.0 - e) * ratio) / q
            + scale * ((d_beta - d_d) * expiry - 2.0 * (ratio - d_d / d)))
