# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""American options on a finite-difference grid: batches are cut into groups that share their steps in time."""
from libc.math cimport exp, fmax, isfinite, sqrt, NAN
from skewline.cyext._american_grid_loops cimport (
    SKW_GRID_LANES, skw_grid, skw_grid_loops, skw_grid_option, skw_grid_plan, skw_grid_value)
from skewline.cyext._american_grid_plan cimport (
    LEAST_DEVIATION, MOST_DEVIATION, MOST_DIVIDENDS, Certain, Schedule, Scheme, Terms, certain, connected, fill_steps,
    kind, laid_out, most_deviation, paid, turned, turned_back)
from skewline.cyext._american_grid_search cimport Search, advance, start
from skewline.cyext._black cimport black_price
from skewline.cyext._isa import level
from skewline.cyext._pool cimport Body, parallel_for, skw_raise
from skewline.cyext._status cimport (
    OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, OUT_OF_DOMAIN)

cdef const skw_grid_loops* loops = skw_grid(level())

cdef enum:
    SCENARIOS = 7

most_dividends = MOST_DIVIDENDS
greeks_group = SKW_GRID_LANES // SCENARIOS
group = SKW_GRID_LANES
vol_group_size = 8 * SKW_GRID_LANES


cdef struct Batch:
    const unsigned char* is_call
    const double* spot
    const double* strike
    const double* expiry
    const double* rate
    const double* carry
    const double* fifth
    Schedule dividends
    Scheme scheme
    const Py_ssize_t* order
    const Py_ssize_t* starts
    double* out
    int* status
    int* no_memory
    Py_ssize_t size


cdef class Chain:
    """The options of a call, contiguous arrays of one length; `fifth` is the volatility, or the price where that is sought."""

    cdef Batch batch
    cdef object arrays

    def __init__(self, const unsigned char[::1] is_call, const double[::1] spot, const double[::1] strike,
                 const double[::1] expiry, const double[::1] rate, const double[::1] carry, const double[::1] fifth,
                 const double[::1] times, const double[::1] amounts, int points, int steps, double width,
                 double most_call, double most_put):
        """`times` and `amounts` end with an entry that does not count, so that they have an address."""
        self.arrays = (is_call, spot, strike, expiry, rate, carry, fifth, times, amounts)
        self.batch.size = spot.shape[0]
        self.batch.dividends.times = &times[0]
        self.batch.dividends.amounts = &amounts[0]
        self.batch.dividends.count = <int> times.shape[0] - 1
        self.batch.scheme.points = points
        self.batch.scheme.steps = steps
        self.batch.scheme.width = width
        self.batch.scheme.most_call = most_call
        self.batch.scheme.most_put = most_put
        if self.batch.size > 0:
            self.batch.is_call = &is_call[0]
            self.batch.spot = &spot[0]
            self.batch.strike = &strike[0]
            self.batch.expiry = &expiry[0]
            self.batch.rate = &rate[0]
            self.batch.carry = &carry[0]
            self.batch.fifth = &fifth[0]


cdef Terms terms(const Batch* b, Py_ssize_t i, double vol) noexcept nogil:
    cdef Terms t
    t.is_call = b.is_call[i]
    t.spot = b.spot[i]
    t.strike = b.strike[i]
    t.expiry = b.expiry[i]
    t.rate = b.rate[i]
    t.carry = b.carry[i]
    t.vol = vol
    if t.expiry > 0.0 and vol * sqrt(t.expiry) > MOST_DEVIATION:
        t.vol = MOST_DEVIATION / sqrt(t.expiry)
    return t


cdef int domain(Terms t) noexcept nogil:
    if not (isfinite(t.spot) and isfinite(t.strike) and isfinite(t.expiry) and isfinite(t.rate) and isfinite(t.carry)
            and isfinite(t.vol)):
        return NON_FINITE
    if t.spot <= 0.0 or t.strike <= 0.0 or t.vol < 0.0:
        return OUT_OF_DOMAIN
    return EXPIRED if t.expiry < 0.0 else OK


cdef double intrinsic(Terms t) noexcept nogil:
    return fmax(t.spot - t.strike if t.is_call else t.strike - t.spot, 0.0)


cdef skw_grid_plan plan_of(const Batch* b, Terms t, int* steps) noexcept nogil:
    cdef skw_grid_plan p
    p.dividends = paid(&b.dividends, t.expiry)
    p.connected = connected(t, p.dividends)
    p.points = b.scheme.points
    p.times = b.dividends.times
    p.amounts = b.dividends.amounts
    p.steps = steps
    fill_steps(&b.dividends, t.expiry, b.scheme.steps, steps)
    return p


cdef unsigned long long kind_of(const Batch* b, Py_ssize_t i, double[:, ::1] out) noexcept nogil:
    cdef int r, rows = out.shape[0]
    cdef Terms t = terms(b, i, b.fifth[i])
    cdef Certain c
    cdef double deviation = t.vol * sqrt(t.expiry)
    cdef bint meant = domain(t) == OK and deviation <= most_deviation(t, &b.dividends, &b.scheme)
    if meant and deviation >= LEAST_DEVIATION:
        return kind(t, &b.dividends, b.scheme.steps)
    for r in range(rows):
        out[r, i] = 0.0 if meant else NAN
    if not meant:
        return 0
    if t.expiry > 0.0:
        c = certain(t, &b.dividends)
    else:
        c.price = intrinsic(t)
        c.delta = (1.0 if t.is_call else -1.0) * (0.5 if t.spot == t.strike else 1.0 if c.price > 0.0 else 0.0)
    out[0, i] = c.price
    if rows > 1:
        out[1, i] = c.delta
    return 0


def kinds(Chain chain, double[:, ::1] out, unsigned long long[::1] keys):
    """The kind of every option; 0 for those that need no grid: their results are stored."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(chain.batch.size):
            keys[i] = kind_of(&chain.batch, i, out)


cdef void price_group(void* context, Py_ssize_t index) noexcept nogil:
    cdef const Batch* b = <const Batch*> context
    cdef skw_grid_option[SKW_GRID_LANES] options
    cdef skw_grid_value[SKW_GRID_LANES] values
    cdef int[MOST_DIVIDENDS + 1] steps
    cdef const Py_ssize_t* members = b.order + b.starts[index]
    cdef int j, count = <int> (b.starts[index + 1] - b.starts[index])
    cdef Terms t
    cdef skw_grid_plan plan
    for j in range(count):
        t = terms(b, members[j], b.fifth[members[j]])
        options[j] = laid_out(t, &b.dividends, b.scheme)
    plan = plan_of(b, t, steps)
    if not loops.solve(&plan, options, count, values):
        skw_raise(b.no_memory)
        return
    for j in range(count):
        t = terms(b, members[j], b.fifth[members[j]])
        b.out[members[j]] = bounded(values[j].price, t, &b.dividends)


cdef inline double bounded(double price, Terms t, const Schedule* dividends) noexcept nogil:
    """No less than exercise nor, where no dividend is seen, than the European option; NaN stays."""
    cdef double least = intrinsic(t), european
    if paid(dividends, t.expiry) == 0:
        european = black_price(
            t.is_call, t.spot * exp((t.rate - t.carry) * t.expiry), t.strike, t.expiry, exp(-t.rate * t.expiry), t.vol)
        if european > least:
            least = european
    return least if price < least else price


def price(Chain chain, const Py_ssize_t[::1] order, const Py_ssize_t[::1] starts, double[:, ::1] out, int threads):
    """`order` lists the options of a kind together, group i of them from starts[i] to starts[i + 1]."""
    run(price_group, chain, order, starts, &out[0, 0], NULL, threads)


cdef run(Body body, Chain chain, const Py_ssize_t[::1] order,
         const Py_ssize_t[::1] starts, double* out, int* status, int threads):
    cdef Batch b = chain.batch
    cdef Py_ssize_t count = starts.shape[0] - 1
    cdef int no_memory = 0
    if count == 0:
        return
    b.order = &order[0]
    b.starts = &starts[0]
    b.out = out
    b.status = status
    b.no_memory = &no_memory
    with nogil:
        parallel_for(body, &b, count, 1, threads)
    if no_memory:
        raise MemoryError


cdef void greeks_of(Terms t, const skw_grid_value* v, double vol_step, double rate_step, double* out,
                    Py_ssize_t rows) noexcept nogil:
    """Delta and gamma from the grid, theta and charm by the pricing equation, the rest by differences on the same nodes.

    Scenarios: as it is; vol -2, -1, 1, 2 steps; rate -1, 1 steps.
    """
    cdef double variance = t.vol * t.vol, drift = t.rate - t.carry, days = 365.0, s = t.spot
    cdef int r
    out[0] = v[0].price
    out[rows] = v[0].delta
    for r in range(2, 9):
        out[r * rows] = 0.0
    if v[0].exercised:
        return
    out[2 * rows] = v[0].gamma
    out[3 * rows] = (8.0 * (v[3].price - v[2].price) - (v[4].price - v[1].price)) / (12.0 * vol_step)
    out[4 * rows] = (t.rate * v[0].price - drift * s * v[0].delta - 0.5 * variance * s * s * v[0].gamma) / days
    out[5 * rows] = (v[6].price - v[5].price) / (2.0 * rate_step)
    out[6 * rows] = (8.0 * (v[3].delta - v[2].delta) - (v[4].delta - v[1].delta)) / (12.0 * vol_step)
    out[7 * rows] = (16.0 * (v[3].price + v[2].price) - (v[4].price + v[1].price) - 30.0 * v[0].price) / (
        12.0 * vol_step * vol_step)
    out[8 * rows] = (t.carry * v[0].delta - (drift + variance) * s * v[0].gamma - 0.5 * variance * s * s * v[0].speed) / days


cdef void greeks_group_body(void* context, Py_ssize_t index) noexcept nogil:
    cdef const Batch* b = <const Batch*> context
    cdef skw_grid_option[SKW_GRID_LANES] options
    cdef skw_grid_value[SKW_GRID_LANES] values
    cdef int[MOST_DIVIDENDS + 1] steps
    cdef const Py_ssize_t* members = b.order + b.starts[index]
    cdef int j, k, count = <int> (b.starts[index + 1] - b.starts[index])
    cdef double rate_step = 1e-3, vol_share = 0.02
    cdef Terms t
    cdef skw_grid_plan plan
    for j in range(count):
        t = terms(b, members[j], b.fifth[members[j]])
        for k in range(SCENARIOS):
            options[SCENARIOS * j + k] = laid_out(t, &b.dividends, b.scheme)
        for k in range(1, 5):
            options[SCENARIOS * j + k].vol *= 1.0 + vol_share * (k - 3 if k < 3 else k - 2)
        if turned(t, &b.dividends):
            options[SCENARIOS * j + 5].carry -= rate_step
            options[SCENARIOS * j + 6].carry += rate_step
        else:
            options[SCENARIOS * j + 5].rate -= rate_step
            options[SCENARIOS * j + 6].rate += rate_step
    plan = plan_of(b, t, steps)
    if not loops.solve(&plan, options, SCENARIOS * count, values):
        skw_raise(b.no_memory)
        return
    for j in range(count):
        t = terms(b, members[j], b.fifth[members[j]])
        if turned(t, &b.dividends):
            for k in range(SCENARIOS * j, SCENARIOS * (j + 1)):
                values[k] = turned_back(t, values[k])
        greeks_of(t, values + SCENARIOS * j, vol_share * t.vol, rate_step, b.out + members[j], b.size)
        b.out[members[j]] = bounded(values[SCENARIOS * j].price, t, &b.dividends)


def greeks(Chain chain, const Py_ssize_t[::1] order, const Py_ssize_t[::1] starts, double[:, ::1] out, int threads):
    run(greeks_group_body, chain, order, starts, &out[0, 0], NULL, threads)


cdef void vol_group(void* context, Py_ssize_t index) noexcept nogil:
    """Lanes whose search has ended take the next option of the group."""
    cdef const Batch* b = <const Batch*> context
    cdef skw_grid_option[SKW_GRID_LANES] options
    cdef skw_grid_value[SKW_GRID_LANES] values
    cdef Search[SKW_GRID_LANES] searches
    cdef int[MOST_DIVIDENDS + 1] steps
    cdef Py_ssize_t following = b.starts[index], end = b.starts[index + 1]
    cdef int j, lanes = 0
    cdef Terms t
    cdef skw_grid_plan plan = plan_of(b, terms(b, b.order[following], 0.0), steps)
    while True:
        while lanes < SKW_GRID_LANES and following < end:
            start(&searches[lanes], b.order[following], terms(b, b.order[following], 0.0),
                  b.fifth[b.order[following]], &b.dividends, &b.scheme)
            following += 1
            lanes += 1
        if lanes == 0:
            break
        for j in range(lanes):
            options[j] = laid_out(terms(b, searches[j].option, searches[j].vol), &b.dividends, b.scheme)
        if not loops.solve(&plan, options, lanes, values):
            skw_raise(b.no_memory)
            return
        for j in range(lanes - 1, -1, -1):
            t = terms(b, searches[j].option, searches[j].vol)
            advance(&searches[j], bounded(values[j].price, t, &b.dividends) - searches[j].price)
            if searches[j].done:
                b.status[searches[j].option] = searches[j].status
                b.out[searches[j].option] = searches[j].vol if searches[j].status == OK else NAN
                lanes -= 1
                searches[j] = searches[lanes]


cdef unsigned long long vol_kind_of(const Batch* b, Py_ssize_t i, int* status) noexcept nogil:
    cdef Terms t = terms(b, i, 0.0)
    cdef double p = b.fifth[i], most
    status[0] = domain(t)
    if not isfinite(p):
        status[0] = NON_FINITE
    if status[0] != OK:
        return 0
    if t.expiry == 0.0:
        status[0] = EXPIRED
        return 0
    most = t.spot * fmax(1.0, exp(-t.carry * t.expiry)) if t.is_call else t.strike * fmax(1.0, exp(-t.rate * t.expiry))
    if p >= most:
        status[0] = ABOVE_BOUND
        return 0
    if p <= certain(t, &b.dividends).price + 1e-11 * t.strike:
        status[0] = BELOW_INTRINSIC
        return 0
    return kind(t, &b.dividends, b.scheme.steps)


def vol_kinds(Chain chain, double[::1] out, int[::1] status, unsigned long long[::1] keys):
    """The kind of every option; 0 for those that have no volatility: their status is stored."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(chain.batch.size):
            out[i] = NAN
            keys[i] = vol_kind_of(&chain.batch, i, &status[i])


def implied_vol(Chain chain, const Py_ssize_t[::1] order, const Py_ssize_t[::1] starts, double[::1] out,
                int[::1] status, int threads):
    run(vol_group, chain, order, starts, &out[0], &status[0], threads)
