# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Heston: whole chains priced expiry by expiry, and the fit of the five parameters in implied-volatility space."""
from libc.math cimport exp, isfinite, log, nextafter, sqrt, NAN
from libc.stdlib cimport malloc, free
from skewline.cyext._black cimport log_ratio
from skewline.cyext._columns cimport double_at as at, doubles_column, flag_at, flags_column, skw_column
from skewline.cyext._heston_chain cimport CHUNK, Chain, arrange, chunks_of, close_chain, count_chunk, open_chain
from skewline.cyext._heston_loops cimport skw_heston, skw_heston_group, skw_heston_loops, skw_heston_model
from skewline.cyext._heston_parts cimport Parts, cut
from skewline.cyext._heston_quotes cimport Quotes, count_quotes, group_quotes, spread_model_vols
from skewline.cyext._heston_search cimport HIGH, LOW, Search, condition_of, optimum, standard_errors
from skewline.cyext._heston_surface cimport Surface, close_surface, open_surface
from skewline.cyext._isa import level
from skewline.cyext._levmar cimport MOST
from skewline.cyext._pool cimport parallel_for

# Where the search looks for ln v0, ln κ, ln θ, ln σ and ρ: lowest, highest.
BOX = tuple(LOW[i] for i in range(5)), tuple(HIGH[i] for i in range(5))

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
    skw_column is_call
    skw_column forward
    skw_column strike
    skw_column discount
    Chain* chain
    const skw_heston_group* part
    double* normalised
    double* out


cdef inline bint is_option(double f, double k, double t, double d) noexcept nogil:
    return (f > 0.0 and k > 0.0 and t >= 0.0 and d > 0.0
            and isfinite(f) and isfinite(k) and isfinite(t) and isfinite(d))


cdef void count_options(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Pricing* work = <const Pricing*> context
    cdef Chain* c = work.chain
    cdef double f, k, t
    cdef Py_ssize_t i
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)):
        f, k, t = at(work.forward, i), at(work.strike, i), at(c.expiry, i)
        c.x[i] = log_ratio(f, k) if is_option(f, k, t, at(work.discount, i)) and t > 0.0 else NAN
    count_chunk(c, chunk)


cdef void price_part(void* context, Py_ssize_t g) noexcept nogil:
    cdef const Pricing* work = <const Pricing*> context
    loops.prices(work.model, &work.part[g], work.chain.distance, work.normalised)


cdef void store_prices(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Pricing* work = <const Pricing*> context
    cdef const Chain* c = work.chain
    cdef double f, k, d, least, most, value
    cdef bint is_call
    cdef Py_ssize_t i
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)):
        f, k, d, is_call = at(work.forward, i), at(work.strike, i), at(work.discount, i), flag_at(work.is_call, i)
        if not is_option(f, k, at(c.expiry, i), d):
            work.out[i] = NAN
            continue
        least = d * max(f - k if is_call else k - f, 0.0)
        work.out[i] = least
        if c.place[i] < 0:
            continue
        most = d * (f if is_call else k)
        value = least + d * sqrt(f) * sqrt(k) * work.normalised[c.place[i]]
        # the integral's rounding is one of √(FK); a NaN passes both comparisons
        if value > most:
            work.out[i] = most
        elif not value < least:
            work.out[i] = value


def prices(const double[::1] parameters, const unsigned char[:] is_call, const double[:] forward,
           const double[:] strike, const double[:] expiry, const double[:] discount, double[::1] out, int threads):
    """Discounted prices; NaN for a bad element."""
    cdef skw_heston_model model = as_model(&parameters[0])
    cdef Pricing work
    cdef Chain c
    cdef Parts parts
    cdef bint done = False
    if out.shape[0] == 0:
        return
    if not open_chain(&c, out.shape[0]):
        raise MemoryError
    c.expiry = doubles_column(expiry)
    work.model, work.chain, work.out = &model, &c, &out[0]
    work.is_call, work.forward, work.strike = flags_column(is_call), doubles_column(forward), doubles_column(strike)
    work.discount = doubles_column(discount)
    with nogil:
        work.normalised = <double*> malloc((c.size + 1) * sizeof(double))
        parts.part = NULL
        if work.normalised != NULL:
            parallel_for(count_options, &work, chunks_of(&c), 1, threads)
            done = arrange(&c, threads) and cut(&parts, &c, threads)
        if done:
            work.part = parts.part
            parallel_for(price_part, &work, parts.count, 1, threads)
            parallel_for(store_prices, &work, chunks_of(&c), 1, threads)
        free(parts.part)
        free(work.normalised)
        close_chain(&c)
    if not done:
        raise MemoryError


def fit(const double[:] forward, const double[:] strike, const double[:] expiry, const double[:] vols,
        const double[:] weights, initial, bint enforce_feller, double[::1] model_vols, int threads):
    """Fills the model's vols; returns (v0, κ, θ, σ, ρ), their standard errors, the parameters in the units of BOX, and
    (sse, total weight, condition, quotes used, iterations, converged, starts, agreed: -1 where nothing was compared)."""
    cdef Py_ssize_t size = model_vols.shape[0]
    cdef Chain c
    cdef Quotes quotes
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
    c.expiry = doubles_column(expiry)
    quotes.forward, quotes.strike = doubles_column(forward), doubles_column(strike)
    quotes.vols, quotes.weights = doubles_column(vols), doubles_column(weights)
    quotes.loops, quotes.chain = loops, &c
    s.sums = NULL
    try:
        room = <double*> malloc((9 * size + 1) * sizeof(double))
        if room == NULL:
            raise MemoryError
        # the first two are room no more once the quotes are in groups
        quotes.worth = quotes.grouped_vols = room
        quotes.deviation = quotes.grouped_weights = room + size
        quotes.grouped_model_vols = room + 2 * size
        quotes.model_vols = &model_vols[0]
        with nogil:
            parallel_for(count_quotes, &quotes, chunks_of(&c), 1, threads)
            if arrange(&c, threads):
                parallel_for(group_quotes, &quotes, chunks_of(&c), 1, threads)
                fitted = open_surface(&s, &c, room, room + size, room + 2 * size, room + 3 * size)
            if fitted and c.count > 0:
                s.loops = loops
                s.threads = threads
                r = optimum(&s, start if warm else NULL, enforce_feller)
                parallel_for(spread_model_vols, &quotes, chunks_of(&c), 1, threads)
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
