# cython: cdivision=True
# Where and how densely the Fourier integral is sampled: by expiry, variance, correlation and the widest strike.
#
# The Lewis integral ∫ e^{iuk} (φ_Black - φ)(u) / (u² + 1/4) du, whose poles the control variate removes, is bent by
# u = b (sinh(y + iω) - i sin ω) (Boyarchenko & Levendorskii, 2019) towards the side on which e^{iuk} decays, and summed by the
# trapezoidal rule in y, which converges exponentially. Node spacing is constant in y, that is geometric in u: short
# expiries, whose integrand reaches far, cost a few nodes more and need no cut-off.
from libc.math cimport sqrt, asin, sin, cos, sinh, cosh, fabs, fmin, fmax, M_PI
from skewline.cyext._heston_cf cimport Parameters, mean_variance, I

cdef enum:
    MOST_NODES = 8000


cdef struct Contour:
    double scale
    double angle
    double step
    double variance    # of the control variate, σ²T
    int nodes


cdef struct Node:
    double complex u
    double complex weight


cdef inline Contour contour(Parameters p, double expiry, double widest, bint upper) noexcept nogil:
    """For strikes with ln(F/K) >= 0 (`upper`) or <= 0, up to |ln(F/K)| = `widest`."""
    cdef Contour c
    cdef double side = 1.0 if upper else -1.0
    # φ decays up to π/2 - asin(ρ) on this side, the Gaussian up to π/4; half of it is the room for the other half
    cdef double room = 0.5 * fmin(0.25 * M_PI, 0.5 * M_PI - side * asin(p.rho))
    cdef double knee
    c.variance = mean_variance(p, expiry)
    c.angle = side * room
    # e^{-2π room / step} = e^{-27}
    c.step = 2.0 * M_PI * room / 27.0
    # the Gaussian's width, or where the variance of variance makes φ leave the Gaussian, if that is nearer
    knee = fmax(2.0 / (p.sigma * expiry), p.kappa / p.sigma)
    c.scale = fmin(1.0 / sqrt(c.variance), knee)
    c.scale = fmax(fmin(c.scale, 20.0 / (widest + 1e-9)), 0.5)
    c.nodes = <int> fmin(36.0 / c.step, MOST_NODES)
    return c


cdef inline Node contour_node(Contour c, int j) noexcept nogil:
    """Node j and its weight du/π (halved at the symmetric middle)."""
    cdef Node n
    cdef double y = c.step * j
    cdef double complex sine = sinh(y) * cos(c.angle) + I * (cosh(y) * sin(c.angle))
    cdef double complex cosine = cosh(y) * cos(c.angle) + I * (sinh(y) * sin(c.angle))
    n.u = c.scale * (sine - I * sin(c.angle))
    n.weight = (0.5 if j == 0 else 1.0) * c.scale * c.step / M_PI * cosine
    return n
