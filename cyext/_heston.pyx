# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Heston: whole chains priced expiry by expiry, and the fit of the five parameters in implied-volatility space."""
from cython.parallel cimport prange
from libc.math cimport fabs, sqrt, exp, isfinite, NAN
from libc.stdlib cimport malloc, free
from skewline.cyext._black cimport normalised_price, normalised_vega, normalised_implied
from skewline.cyext._heston_cf cimport Parameters, mean_variance
from skewline.cyext._heston_group cimport Group, price_group
from skewline.cyext._levmar cimport Minimum, minimise, MOST
from skewline.cyext._status cimport OK

# Below this (in units of √(FK)) an out-of-the-money price has no significant digit in double precision.
cdef double SMALLEST_PRICE = 1e-13


def normalised_prices(const double[::1] parameters, const double[::1] log_moneyness, const double[::1] expiry,
                      const long long[::1] bounds, double[::1] out, int threads):
    """Out-of-the-money prices in units of D√(FK); group g is [bounds[g], bounds[g+1]): one expiry, one side."""
    cdef Py_ssize_t groups = bounds.shape[0] - 1
    cdef Py_ssize_t g
    cdef Parameters p = as_parameters(&parameters[0])
    if groups < 1:
        return
    for g in prange(groups, nogil=True, schedule="dynamic", num_threads=threads):
        chain_group(as_group(log_moneyness, expiry, bounds, g), p, &log_moneyness[0], &out[0])


cdef void chain_group(Group g, Parameters p, const double* log_moneyness, double* out) noexcept nogil:
    cdef double variance = mean_variance(p, g.expiry)
    cdef double deviation = sqrt(variance)
    cdef double value
    cdef Py_ssize_t i
    if variance < 1e-16:
        for i in range(g.begin, g.end):
            out[i] = 0.0
        return
    price_group(g, p, log_moneyness, out, NULL)
    for i in range(g.begin, g.end):
        value = normalised_price(-fabs(log_moneyness[i]), deviation) + out[i]
        out[i] = value if value > 0.0 or not isfinite(value) else 0.0


cdef Parameters as_parameters(const double* x) noexcept nogil:
    cdef Parameters p
    p.v0 = x[0]
    p.kappa = x[1]
    p.theta = x[2]
    p.sigma = x[3]
    p.rho = x[4]
    return p


cdef Group as_group(const double[::1] log_moneyness, const double[::1] expiry, const long long[::1] bounds,
                    Py_ssize_t index) noexcept nogil:
    cdef Group g
    cdef Py_ssize_t i
    g.begin = bounds[index]
    g.end = bounds[index + 1]
    g.expiry = expiry[g.begin]
    g.upper = log_moneyness[g.begin] >= 0.0
    g.widest = 0.0
    for i in range(g.begin, g.end):
        if fabs(log_moneyness[i]) > g.widest:
            g.widest = fabs(log_moneyness[i])
    return g


cdef struct Surface:
    Py_ssize_t size
    Py_ssize_t groups
    Group* group
    const double* log_moneyness
    const double* expiry
    const double* vols
    const double* weights
    double* excess
    double* gradient
    double* model_vols
    int threads


cdef Parameters unlogged(const double* x) noexcept nogil:
    """The fit moves the logarithms of v0, κ, θ and σ, and ρ itself."""
    cdef Parameters p
    p.v0 = exp(x[0])
    p.kappa = exp(x[1])
    p.theta = exp(x[2])
    p.sigma = exp(x[3])
    p.rho = x[4]
    return p


cdef double group_residuals(Surface* s, Py_ssize_t index, Parameters p, bint with_gradient) noexcept nogil:
    """Residuals in vol into `excess`, their derivatives in the moved parameters into `gradient`."""
    cdef Group g = s.group[index]
    cdef double* gradient = s.gradient if with_gradient else NULL
    cdef double variance = price_group(g, p, s.log_moneyness, s.excess, gradient)
    cdef double root = sqrt(g.expiry)
    cdef double deviation = sqrt(variance)
    cdef double x, value, market, total, vega
    cdef double[5] chain
    cdef Py_ssize_t i
    cdef int q, status
    chain[0] = p.v0
    chain[1] = p.kappa
    chain[2] = p.theta
    chain[3] = p.sigma
    chain[4] = 1.0
    for i in range(g.begin, g.end):
        x = -fabs(s.log_moneyness[i])
        value = normalised_price(x, deviation) + s.excess[i]
        status = -1
        if value > SMALLEST_PRICE:
            total = normalised_implied(x, value, &status)
        if status == OK:
            s.model_vols[i] = total / root
            s.excess[i] = s.model_vols[i] - s.vols[i]
            vega = normalised_vega(x, total) * root
        else:
            # no volatility gives the model's price: go on by the market's vega, which points the right way
            s.model_vols[i] = NAN
            market = s.vols[i] * root
            vega = normalised_vega(x, market) * root
            s.excess[i] = (value - normalised_price(x, market)) / vega
        if with_gradient:
            for q in range(5):
                gradient[5 * i + q] *= chain[q] / vega
    return 0.0


cdef double equations(void* problem, const double* x, double* jtj, double* jtr) noexcept nogil:
    cdef Surface* s = <Surface*> problem
    cdef Parameters p = unlogged(x)
    cdef double sse = 0.0, w, r
    cdef const double* row
    cdef Py_ssize_t i, g
    cdef int a, b
    cdef bint with_gradient = jtj != NULL
    if s.threads > 1:
        for g in prange(s.groups, schedule="dynamic", num_threads=s.threads):
            group_residuals(s, g, p, with_gradient)
    else:
        for g in range(s.groups):
            group_residuals(s, g, p, with_gradient)
    if with_gradient:
        for a in range(MOST * MOST):
            jtj[a] = 0.0
        for a in range(5):
            jtr[a] = 0.0
    for i in range(s.size):
        w = s.weights[i]
        r = s.excess[i]
        sse += w * r * r
        if with_gradient:
            row = s.gradient + 5 * i
            for a in range(5):
                jtr[a] += w * row[a] * r
                for b in range(a + 1):
                    jtj[a * MOST + b] += w * row[a] * row[b]
    if with_gradient:
        for a in range(5):
            for b in range(a):
                jtj[b * MOST + a] = jtj[a * MOST + b]
    return sse


def descend(double[::1] x, const double[::1] low, const double[::1] high, const double[::1] log_moneyness,
            const double[::1] expiry, const double[::1] vols, const double[::1] weights,
            const long long[::1] bounds, double[::1] model_vols, double[:, ::1] normal, int most_iterations,
            double tolerance, int threads):
    """Levenberg–Marquardt from x, in place; returns (sse, that of the start, iterations, converged), leaves JᵀJ in `normal`."""
    cdef Surface s
    cdef Minimum m
    cdef double[MOST * MOST] jtj
    cdef double[MOST] jtr
    cdef Py_ssize_t g
    cdef double total = 0.0
    cdef int a, b
    s.size = log_moneyness.shape[0]
    s.groups = bounds.shape[0] - 1
    s.log_moneyness = &log_moneyness[0]
    s.expiry = &expiry[0]
    s.vols = &vols[0]
    s.weights = &weights[0]
    s.model_vols = &model_vols[0]
    s.threads = threads
    s.group = <Group*> malloc(s.groups * sizeof(Group))
    s.excess = <double*> malloc(s.size * sizeof(double))
    s.gradient = <double*> malloc(5 * s.size * sizeof(double))
    try:
        if s.group == NULL or s.excess == NULL or s.gradient == NULL:
            raise MemoryError
        with nogil:
            for g in range(s.groups):
                s.group[g] = as_group(log_moneyness, expiry, bounds, g)
            for g in range(s.size):
                total += weights[g]
            m = minimise(5, &x[0], &low[0], &high[0], equations, &s, most_iterations, tolerance, 1e-14 * total)
            equations(&s, &x[0], jtj, jtr)
        for a in range(5):
            for b in range(5):
                normal[a, b] = jtj[a * MOST + b]
    finally:
        free(s.group)
        free(s.excess)
        free(s.gradient)
    return m.sse, m.first_sse, m.iterations, m.converged
