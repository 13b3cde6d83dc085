# cython: cdivision=True
# eSSVI slices (S. Hendriks & C. Martini, The extended SSVI volatility surface, 2019):
# w(k) = (θ + ρψk + √((ψk + θρ)² + θ²(1 - ρ²))) / 2.
from libc.math cimport fabs, fmax, fmin, sqrt

cdef struct Slice:
    double theta
    double rho
    double psi


cdef inline double essvi_variance(Slice s, double k) noexcept nogil:
    cdef double u = s.psi * k + s.theta * s.rho
    return 0.5 * (s.theta + s.rho * s.psi * k + sqrt(u * u + s.theta * s.theta * (1.0 - s.rho * s.rho)))


cdef inline double least_psi(double rho, const Slice* before) noexcept nogil:
    """ψ(1 ± ρ) must not fall (P. Corbetta et al., Robust calibration and arbitrage-free interpolation of SSVI slices, 2019)."""
    return before.psi * fmax((1.0 + before.rho) / (1.0 + rho), (1.0 - before.rho) / (1.0 - rho))


cdef inline double most_psi(double theta, double rho, const Slice* before) noexcept nogil:
    """No butterfly (J. Gatheral & A. Jacquier, 2014): ψ(1 + |ρ|) < 4, ψ²(1 + |ρ|) <= 4θ. No calendar: ψ/θ must not rise."""
    cdef double wide = 1.0 + fabs(rho)
    cdef double most = fmin(3.999 / wide, sqrt(4.0 * theta / wide))
    return most if before == NULL else fmin(most, before.psi / before.theta * theta)


cdef inline Slice admissible(double theta, double rho, double psi, const Slice* before) noexcept nogil:
    """The slice nearest to these parameters that is free of arbitrage by itself and after `before`."""
    cdef Slice s
    cdef double low = 0.0, high = 1.0, share, wanted = rho
    cdef int i
    if before == NULL:
        s.theta = theta
        s.rho = rho
        s.psi = fmin(psi, most_psi(theta, rho, NULL))
        return s
    s.theta = fmax(theta, before.theta * (1.0 + 1e-6))
    if least_psi(rho, before) > most_psi(s.theta, rho, before):
        # at the rho of before there always is a psi: as far towards the wanted rho as there is one
        for i in range(40):
            share = 0.5 * (low + high)
            rho = before.rho + share * (wanted - before.rho)
            if least_psi(rho, before) > most_psi(s.theta, rho, before):
                high = share
            else:
                low = share
        rho = before.rho + low * (wanted - before.rho)
    s.rho = rho
    s.psi = fmax(fmin(psi, most_psi(s.theta, rho, before)), least_psi(rho, before))
    return s
