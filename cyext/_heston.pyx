# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Heston: whole chains priced expiry by expiry, and the fit of the five parameters in implied-volatility space."""
from libc.math cimport exp, fabs, isfinite, log, nextafter, sqrt, NAN
from libc.stdlib cimport malloc, free
from skewline.cyext._black cimport log_ratio
from skewline.cyext._heston_chain cimport Chain, arrange, close_chain, leave_out, open_chain, put_in
from skewline.cyext._heston_loops cimport skw_heston, skw_heston_loops, skw_heston_model
from skewline.cyext._heston_search cimport HIGH, LOW, Search, condition_of, optimum, standard_errors
from skewline.cyext._heston_surface cimport Surface, close_surface, open_surface
from skewline.cyext._isa import level
from skewline.cyext._levmar cimport MOST
from skewline.cyext._pool cimport parallel_for

# Where the search looks for ln v0, ln κ, ln θ, ln σ and ρ: lowest, highest.
BOX = tuple(LOW[i] for i in range(5)), tuple(HIGH[i] for i in range(5))

# An out-of-the-money option worth less than this share of the forward says nothing in double precision.
cdef double LEAST_PRICE = 1e-11

# Far below what a price can tell from none; the square of a smaller one would be zero.
cdef double LEAST_SIGMA = 1e-100

cdef const skw_heston_loops* loops = skw_heston(level())


cdef skw_heston_model as_model(const double* x) noexcept nogil:
    cdef skw_heston_model m
    m.v0 = x[0]
    m.kappa = x[1]
    m.theta = x[2]
    m.sigma = max(x[3], LEAST_SIGMA)
    m.rho = x[4]
    return m


cdef struct Pricing:
    const skw_heston_model* model
    const Chain* chain
    double* out


cdef void group_prices(void* context, Py_ssize_t g) noexcept nogil:
    cdef const Pricing* work = <const Pricing*> context
    loops.prices(work.model, &work.chain.group[g], work.chain.distance, work.out)


def prices(const double[::1] parameters, const unsigned char[:] is_call, const double[:] forward,
           const double[:] strike, const double[:] expiry, const double[:] discount, double[::1] out, int threads):
    """Discounted prices; NaN for a bad element."""
    cdef skw_heston_model model = as_model(&parameters[0])
    cdef Py_ssize_t size = out.shape[0], i, j
    cdef Pricing work
    cdef double f, k, t, d, value, bound
    cdef double* normalised = NULL
    cdef Chain c
    if not open_chain(&c, size):
        raise MemoryError
    try:
        normalised = <double*> malloc((size + 1) * sizeof(double))
        if normalised == NULL:
            raise MemoryError
        with nogil:
            for i in range(size):
                f, k, t, d = forward[i], strike[i], expiry[i], discount[i]
                leave_out(&c, i)
                if not (f > 0.0 and k > 0.0 and t >= 0.0 and d > 0.0
                        and isfinite(f) and isfinite(k) and isfinite(t) and isfinite(d)):
                    out[i] = NAN
                    continue
                out[i] = d * max(f - k if is_call[i] else k - f, 0.0)
                if t > 0.0:
                    put_in(&c, i, log_ratio(f, k), t)
            arrange(&c, size)
            work.model = &model
            work.chain = &c
            work.out = normalised
            parallel_for(group_prices, &work, c.groups, 1, threads)
            for j in range(c.count):
                i = c.source[j]
                bound = discount[i] * (forward[i] if is_call[i] else strike[i])
                value = out[i] + discount[i] * sqrt(forward[i]) * sqrt(strike[i]) * normalised[j]
                # the integral's rounding is one of √(FK); a NaN passes both comparisons
                if value > bound:
                    out[i] = bound
                elif not value < out[i]:
                    out[i] = value
    finally:
        free(normalised)
        close_chain(&c)


cdef void choose(Chain* c, const double[:] forward, const double[:] strike, const double[:] expiry, const double[:] vols,
                 const double[:] weights, double* x, double* worth, double* deviation) noexcept nogil:
    """Put in what a fit can use; `x`, `worth` and `deviation` are room for a number an option."""
    cdef Py_ssize_t i, size = expiry.shape[0]
    cdef double f, k, t, v, w
    for i in range(size):
        f, k, t, v, w = forward[i], strike[i], expiry[i], vols[i], weights[i]
        x[i] = NAN
        if (f > 0.0 and k > 0.0 and t > 0.0 and v > 0.0 and w > 0.0
                and isfinite(f) and isfinite(k) and isfinite(t) and isfinite(v) and isfinite(w)):
            x[i] = log_ratio(f, k)
        # lanes must be ordinary numbers
        worth[i] = fabs(x[i]) if isfinite(x[i]) else 0.0
        deviation[i] = min(max(v * sqrt(t), 1e-8), 1e3) if isfinite(x[i]) else 1.0
    loops.controls(worth, deviation, size, worth)
    for i in range(size):
        leave_out(c, i)
        if isfinite(x[i]) and worth[i] * exp(-0.5 * x[i]) > LEAST_PRICE:
            put_in(c, i, x[i], expiry[i])
    arrange(c, size)


def fit(const double[:] forward, const double[:] strike, const double[:] expiry, const double[:] vols,
        const double[:] weights, initial, bint enforce_feller, double[::1] model_vols, int threads):
    """Fills the model's vols; returns (v0, κ, θ, σ, ρ), their standard errors, the parameters in the units of BOX, and
    (sse, total weight, condition, quotes used, iterations, converged, starts, agreed: -1 where nothing was compared)."""
    cdef Py_ssize_t size = model_vols.shape[0], j
    cdef Chain c
    cdef Surface s
    cdef Search r
    cdef double[MOST] start
    cdef double[MOST] errors
    cdef double[MOST] found
    cdef double* room = NULL
    cdef double certainty = NAN
    cdef bint warm = initial is not None, fitted = False
    cdef int a
    if warm:
        for a in range(5):
            start[a] = log(max(initial[a], 1e-300)) if a < 4 else initial[a]
    if not open_chain(&c, size):
        raise MemoryError
    s.sums = NULL
    try:
        room = <double*> malloc((9 * size + 1) * sizeof(double))
        if room == NULL:
            raise MemoryError
        with nogil:
            choose(&c, forward, strike, expiry, vols, weights, room, room + size, room + 2 * size)
            for j in range(size):
                model_vols[j] = NAN
            for j in range(c.count):
                room[j] = vols[c.source[j]]
                room[size + j] = weights[c.source[j]]
            fitted = open_surface(&s, &c, room, room + size, room + 2 * size, room + 3 * size)
            if fitted and c.count > 0:
                s.loops = loops
                s.threads = threads
                r = optimum(&s, start if warm else NULL, enforce_feller)
                for j in range(c.count):
                    model_vols[c.source[j]] = s.quotes.model_vols[j]
                standard_errors(&s, &r, errors)
                certainty = condition_of(&s, &r)
                for a in range(5):
                    found[a] = exp(r.best.x[a]) if a < 4 else r.best.x[a]
                # by rounding alone it may have missed the edge
                while s.on_feller and found[3] * found[3] > 2.0 * found[1] * found[2]:
                    found[3] = nextafter(found[3], 0.0)
        if not fitted:
            raise MemoryError
        if c.count == 0 or not isfinite(r.best.sse):
            return None
        return (
            tuple(found[a] for a in range(5)), tuple(errors[a] for a in range(5)), tuple(r.best.x[a] for a in range(5)),
            (r.best.sse, s.total_weight, certainty, c.count, r.iterations, bool(r.best.converged), r.starts, r.agreed))
    finally:
        close_surface(&s)
        free(room)
        close_chain(&c)
