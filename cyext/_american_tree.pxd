# cython: cdivision=True
# A binomial tree for the cases without a single exercise boundary (negative rates): Black's value in the last step
# smooths the payoff, Richardson's extrapolation of n and n/2 steps takes out the leading error.
from libc.math cimport exp, log, sqrt, fmax
from skewline.cyext._normal cimport norm_cdf

cdef enum:
    TREE_STEPS = 400


cdef inline double european_put(double spot, double expiry, double rate, double carry, double vol) noexcept nogil:
    """On strike 1."""
    cdef double v = vol * sqrt(expiry)
    cdef double d = (log(spot) + (rate - carry) * expiry) / v - 0.5 * v
    return exp(-rate * expiry) * norm_cdf(-d) - spot * exp(-carry * expiry) * norm_cdf(-d - v)


cdef inline double tree_steps(double spot, double expiry, double rate, double carry, double vol, int steps) noexcept nogil:
    cdef double[TREE_STEPS + 1] value
    cdef double dt = expiry / steps
    cdef double drift = (rate - carry - 0.5 * vol * vol) * dt
    cdef double move = vol * sqrt(dt)
    cdef double up = exp(drift + move), down = exp(drift - move)
    cdef double p = (exp((rate - carry) * dt) - down) / (up - down)
    cdef double discount = exp(-rate * dt), s, ratio = exp(2.0 * move)
    cdef int i, j
    s = spot * exp((steps - 1) * (drift - move))
    for j in range(steps):
        value[j] = fmax(european_put(s, dt, rate, carry, vol), 1.0 - s)
        s *= ratio
    for i in range(steps - 2, -1, -1):
        s = spot * exp(i * (drift - move))
        for j in range(i + 1):
            value[j] = fmax(discount * (p * value[j + 1] + (1.0 - p) * value[j]), 1.0 - s)
            s *= ratio
    return value[0]


cdef inline double tree_put(double spot, double expiry, double rate, double carry, double vol) noexcept nogil:
    """American put on strike 1, to about 1e-5."""
    cdef double fine = tree_steps(spot, expiry, rate, carry, vol, TREE_STEPS)
    cdef double coarse = tree_steps(spot, expiry, rate, carry, vol, TREE_STEPS // 2)
    return fmax(2.0 * fine - coarse, 1.0 - spot)
