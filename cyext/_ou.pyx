# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Exact maximum likelihood of an Ornstein–Uhlenbeck process seen at equal steps: an AR(1) in closed form."""
from cython.parallel cimport prange
from libc.math cimport exp, log, sqrt, isfinite, NAN, INFINITY
from skewline.cyext._status cimport OK, NON_FINITE, OUT_OF_DOMAIN, TOO_FEW

cdef struct Fit:
    double kappa
    double mean
    double sigma
    double half_life
    double kappa_error
    double mean_error
    double sigma_error
    double kappa_bias
    double log_likelihood
    int pairs
    int status


cdef Fit fit_one(const double* x, Py_ssize_t n, double dt) noexcept nogil:
    """Steps with a missing end are left out: the likelihood of the rest is still exact."""
    cdef Fit f
    cdef Py_ssize_t i, pairs = 0
    cdef double mx = 0.0, my = 0.0, sxx = 0.0, sxy = 0.0, dx, dy, a, b, sse = 0.0, e, variance, g, slope, spread, tail
    f.kappa = f.mean = f.sigma = f.half_life = NAN
    f.kappa_error = f.mean_error = f.sigma_error = f.kappa_bias = f.log_likelihood = NAN
    f.status = OK
    for i in range(n - 1):
        if isfinite(x[i]) and isfinite(x[i + 1]):
            pairs += 1
            mx += x[i]
            my += x[i + 1]
    f.pairs = pairs
    if pairs < 3:
        f.status = NON_FINITE if n > 3 else TOO_FEW
        return f
    mx /= pairs
    my /= pairs
    for i in range(n - 1):
        if isfinite(x[i]) and isfinite(x[i + 1]):
            dx = x[i] - mx
            dy = x[i + 1] - my
            sxx += dx * dx
            sxy += dx * dy
    if not (sxx > 0.0 and isfinite(sxx)):
        f.status = OUT_OF_DOMAIN
        return f
    b = sxy / sxx
    a = my - b * mx
    for i in range(n - 1):
        if isfinite(x[i]) and isfinite(x[i + 1]):
            e = (x[i + 1] - my) - b * (x[i] - mx)
            sse += e * e
    variance = sse / pairs
    if not b > 0.0:
        f.status = OUT_OF_DOMAIN
        return f
    f.kappa = -log(b) / dt
    spread = 1.0 - b
    if spread != 0.0:
        f.mean = my + b * (my - mx) / spread
        g = 2.0 * f.kappa / ((1.0 - b) * (1.0 + b))
    else:
        g = 1.0 / dt
    f.sigma = sqrt(variance * g)
    f.half_life = log(2.0) / f.kappa if f.kappa > 0.0 else INFINITY
    f.kappa_error = sqrt(variance / sxx) / (b * dt)
    f.kappa_bias = (5.0 + 2.0 / b + 1.0 / (b * b)) / (2.0 * pairs * dt)
    if variance > 0.0:
        f.log_likelihood = -0.5 * pairs * (log(6.283185307179586477 * variance) + 1.0)
    if spread != 0.0:
        tail = f.mean - mx
        f.mean_error = sqrt(variance / pairs + variance * tail * tail / sxx) / (spread if spread > 0.0 else -spread)
        # g(b) = -2 ln b / (dt (1 - b²))
        slope = (-2.0 / (b * dt) + 2.0 * b * g) / ((1.0 - b) * (1.0 + b))
        f.sigma_error = sqrt(g * variance / (2.0 * pairs) + variance * slope * slope / (4.0 * g) * variance / sxx)
    return f


def fit_rows(const double[:, ::1] rows, double dt, double[:, ::1] out, int[:, ::1] codes, int threads):
    cdef Py_ssize_t i, n = rows.shape[1]
    cdef Fit f
    for i in prange(rows.shape[0], nogil=True, schedule="static", num_threads=threads):
        f = fit_one(&rows[i, 0], n, dt)
        out[0, i] = f.kappa
        out[1, i] = f.mean
        out[2, i] = f.sigma
        out[3, i] = f.half_life
        out[4, i] = f.kappa_error
        out[5, i] = f.mean_error
        out[6, i] = f.sigma_error
        out[7, i] = f.kappa_bias
        out[8, i] = f.log_likelihood
        codes[0, i] = f.status
        codes[1, i] = f.pairs
