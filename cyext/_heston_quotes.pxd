# cython: cdivision=True
# From the columns of a fit's arguments to quotes in the order of the chain's groups and back, in chunks by several threads.
from libc.math cimport exp, fabs, isfinite, sqrt, NAN
from skewline.cyext._black cimport log_ratio
from skewline.cyext._columns cimport double_at as at, skw_column
from skewline.cyext._heston_chain cimport CHUNK, Chain, count_chunk
from skewline.cyext._heston_loops cimport skw_heston_loops

cdef extern from *:
    """
    /* An out-of-the-money option worth less than this share of the forward says nothing in double precision. */
    static const double skw_heston_least_price = 1e-11;
    """
    const double LEAST_PRICE "skw_heston_least_price"

cdef struct Quotes:
    const skw_heston_loops* loops
    Chain* chain
    skw_column forward
    skw_column strike
    skw_column vols
    skw_column weights
    # room, in the order of the arguments
    double* worth
    double* deviation
    # the market's, in the order of the groups
    double* grouped_vols
    double* grouped_weights
    # what the model makes of them, by groups and in the order of the arguments
    double* grouped_model_vols
    double* model_vols


cdef inline void count_quotes(void* context, Py_ssize_t chunk) noexcept nogil:
    """Put in what a fit can use."""
    cdef const Quotes* q = <const Quotes*> context
    cdef Chain* c = q.chain
    cdef Py_ssize_t i, begin = chunk * CHUNK, end = min(begin + CHUNK, c.size)
    cdef double f, k, t, v, w
    for i in range(begin, end):
        f, k, t, v, w = at(q.forward, i), at(q.strike, i), at(c.expiry, i), at(q.vols, i), at(q.weights, i)
        c.x[i] = NAN
        if (f > 0.0 and k > 0.0 and t > 0.0 and v > 0.0 and w > 0.0
                and isfinite(f) and isfinite(k) and isfinite(t) and isfinite(v) and isfinite(w)):
            c.x[i] = log_ratio(f, k)
        # lanes must be ordinary numbers
        q.worth[i] = fabs(c.x[i]) if isfinite(c.x[i]) else 0.0
        q.deviation[i] = min(max(v * sqrt(t), 1e-8), 1e3) if isfinite(c.x[i]) else 1.0
    q.loops.controls(q.worth + begin, q.deviation + begin, end - begin, q.worth + begin)
    for i in range(begin, end):
        # where F/K underflows, ln is infinite and so would the worth be
        if not (isfinite(c.x[i]) and q.worth[i] * exp(-0.5 * c.x[i]) > LEAST_PRICE):
            c.x[i] = NAN
    count_chunk(c, chunk)


cdef inline void group_quotes(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Quotes* q = <const Quotes*> context
    cdef Py_ssize_t i, j
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, q.chain.size)):
        q.model_vols[i] = NAN
        j = q.chain.place[i]
        if j >= 0:
            q.grouped_vols[j] = at(q.vols, i)
            q.grouped_weights[j] = at(q.weights, i)


cdef inline void spread_model_vols(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Quotes* q = <const Quotes*> context
    cdef Py_ssize_t i
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, q.chain.size)):
        if q.chain.place[i] >= 0:
            q.model_vols[i] = q.grouped_model_vols[q.chain.place[i]]
