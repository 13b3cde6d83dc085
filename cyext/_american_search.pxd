# cython: cdivision=True
# Implied volatilities of American options: groups of searches of one scheme, and single ones.
from libc.math cimport exp, fabs, fmax, isfinite, sqrt, NAN, INFINITY
from skewline.cyext._american_lanes cimport (
    LAST, NOTHING, ON_GRID, QUEUES, Call, Group, append, begin, end_of, option_at, pad, queue_of)
from skewline.cyext._american_loops cimport SKW_AMERICAN_LANES, skw_american_quotes
from skewline.cyext._american_price cimport price_alone, priced
from skewline.cyext._american_put cimport (
    EUROPEAN, ONE_BOUNDARY, TWO_BOUNDARIES, Kind, Market, Option, certain_put, domain, forward, intrinsic, kind_of,
    market_of)
from skewline.cyext._black cimport black_greeks, black_implied_vol
from skewline.cyext._status cimport OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, NOT_CONVERGED

cdef enum:
    MOST_TRIALS = 100


cdef struct Quote:
    double price
    double guess      # the European vol, which is never the lower one; NaN where there is none
    bint again        # found by another scheme than the one that serves what was found
    int status


cdef inline Quote quote_of(const Option* o, double price) noexcept nogil:
    """The bounds of `price`; `o` has no volatility."""
    cdef Quote q
    cdef Option certain = o[0]
    cdef Market m
    cdef double bound, least
    q.price = price
    q.guess = NAN
    q.again = False
    q.status = domain(o)
    if not isfinite(price):
        q.status = NON_FINITE
    if q.status == OK and o.expiry == 0.0:
        q.status = EXPIRED
    if q.status != OK:
        return q
    bound = o.spot * fmax(1.0, exp(-o.carry * o.expiry)) if o.is_call else o.strike * fmax(1.0, exp(-o.rate * o.expiry))
    certain.vol = 0.0
    m = market_of(&certain)
    least = priced(o, certain_put(&m).price)
    if price >= bound:
        q.status = ABOVE_BOUND
    elif price <= least + 1e-11 * o.strike:
        q.status = BELOW_INTRINSIC
    else:
        q.guess = black_implied_vol(o.is_call, price, forward(o), o.strike, o.expiry, exp(-o.rate * o.expiry)).vol
    return q


cdef inline void implied_alone(const Option* given, Quote q, const Call* c, Py_ssize_t i) noexcept nogil:
    """Secant from the European implied vol, kept inside a bracket; for what the groups do not do."""
    cdef Option o = given[0]
    cdef double low = 0.0, high = INFINITY, f, slope, last_vol = NAN, last_f = NAN, root = sqrt(o.expiry)
    cdef double tiny = 1e-11 * o.strike
    cdef int trial
    c.status[i] = OK
    o.vol = q.guess if isfinite(q.guess) else 0.5 / root
    for trial in range(MOST_TRIALS):
        f = price_alone(&o, c) - q.price
        if f != f:
            c.left[i] = ON_GRID
            return
        if f >= 0.0:
            high = o.vol
        else:
            low = o.vol
        if fabs(f) < tiny or high - low < 1e-11 * high:
            c.out[i] = o.vol
            return
        if last_vol == last_vol and f != last_f:
            slope = (f - last_f) / (o.vol - last_vol)
        else:
            slope = black_greeks(o.is_call, forward(&o), o.strike, o.expiry, exp(-o.rate * o.expiry), o.vol).vega
        last_vol = o.vol
        last_f = f
        o.vol = o.vol - f / slope if slope > 0.0 and trial % 8 != 7 else NAN
        if not (low < o.vol < high):
            if high == INFINITY:
                if low > 100.0 / root:
                    c.out[i] = NAN
                    c.status[i] = ABOVE_BOUND
                    return
                o.vol = 2.0 * low if q.guess != q.guess or trial > 3 else low * (1.0 + 1e-4)
            else:
                o.vol = 0.5 * (low + high)
    c.out[i] = NAN
    c.status[i] = NOT_CONVERGED


cdef inline void enqueue(const Call* c, Group* groups, Quote* quotes, int queue, Py_ssize_t i,
                         const Option* o, Quote q) noexcept nogil:
    cdef Group* g = &groups[queue]
    cdef Market m = market_of(o)
    quotes[queue * SKW_AMERICAN_LANES + g.count] = q
    if append(g, i, o, &m):
        implied_group(c, groups, quotes, queue)


cdef inline void implied_group(const Call* c, Group* groups, Quote* quotes, int queue) noexcept nogil:
    cdef skw_american_quotes q
    cdef Quote[SKW_AMERICAN_LANES] quote
    cdef Group g = groups[queue]     # which fills anew while its answers are read
    cdef int lane, last, serving
    cdef Option* o
    cdef Market m
    if g.count == 0:
        return
    groups[queue].count = 0
    pad(&g.puts, g.count)
    for lane in range(SKW_AMERICAN_LANES):
        last = lane if lane < g.count else g.count - 1
        o = &g.option[last]
        quote[lane] = quotes[queue * SKW_AMERICAN_LANES + last]
        q.price[lane] = quote[lane].price / (o.spot if o.is_call else o.strike)
        q.vol[lane] = o.vol
        q.least[lane] = 0.0
    c.loops.implied(&g.puts, &c.scheme[queue], &q)
    for lane in range(g.count):
        o = &g.option[lane]
        if not q.found[lane]:
            implied_alone(o, quote[lane], c, g.element[lane])
            continue
        o.vol = q.vol[lane]
        m = market_of(o)
        serving = queue_of(&m)
        if serving == queue or quote[lane].again:
            c.out[g.element[lane]] = o.vol
            c.status[g.element[lane]] = OK
        else:
            quote[lane].again = True
            enqueue(c, groups, quotes, serving, g.element[lane], o, quote[lane])


cdef inline void implied_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Call* c = <const Call*> context
    cdef Quote[QUEUES * SKW_AMERICAN_LANES] quotes
    cdef Quote q
    cdef Group[QUEUES] groups
    cdef Option o
    cdef Market m
    cdef Kind kind
    cdef double price
    cdef int queue, turn
    cdef Py_ssize_t i
    begin(groups)
    for i in range(chunk * c.chunk, end_of(c, chunk)):
        if c.left[i] != NOTHING:
            continue
        o = option_at(c, i)
        price = o.vol
        o.vol = 0.0
        q = quote_of(&o, price)
        c.status[i] = q.status
        if q.status != OK:
            c.out[i] = NAN
            continue
        o.vol = q.guess if isfinite(q.guess) else 0.5 / sqrt(o.expiry)
        m = market_of(&o)
        kind = kind_of(&m)
        if m.rate <= 0.0 and m.carry < m.rate:
            c.left[i] = ON_GRID
        elif kind == ONE_BOUNDARY:
            enqueue(c, groups, quotes, queue_of(&m), i, &o, q)
        elif kind == EUROPEAN and isfinite(q.guess):
            c.out[i] = q.guess
        else:
            implied_alone(&o, q, c, i)
    # what one group leaves for another may come back to it
    for turn in range(2):
        for queue in range(QUEUES):
            implied_group(c, groups, quotes, queue)
