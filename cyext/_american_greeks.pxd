# cython: cdivision=True
# Greeks of American options: delta and gamma from the boundary's integrals, theta and charm by the pricing equation, the
# others by differences, all of one scheme.
from libc.math cimport fmax, fmin, NAN
from skewline.cyext._american_lanes cimport (
    LAST, NOTHING, ON_GRID, QUEUES, WAITING, Call, Group, append, begin, end_of, next_queue, option_at, pad, queue_of,
    set_lane)
from skewline.cyext._american_loops cimport SKW_AMERICAN_LANES, skw_american_group, skw_american_puts
from skewline.cyext._american_price cimport price_without_boundary, priced
from skewline.cyext._american_put cimport (
    CERTAIN, EUROPEAN, ONE_BOUNDARY, PERPETUAL, Kind, Market, Option, Put, certain_put, domain, intrinsic, kind_of,
    market_of, of_option, perpetual_put)
from skewline.cyext._black cimport Greeks, nan_greeks
from skewline.cyext._status cimport OK

cdef enum:
    SHIFTS = 8


cdef struct Steps:
    double vol
    double rate
    double expiry


cdef inline Steps steps_of(const Option* o) noexcept nogil:
    cdef Steps h
    h.vol = 2e-3 * o.vol
    h.rate = 1e-5
    # a put's boundary ends at a zero rate
    if not o.is_call and o.rate > 0.0:
        h.rate = fmin(h.rate, 0.25 * o.rate)
    h.expiry = 1e-3 * o.expiry
    return h


cdef inline Option shifted(const Option* o, int shift, Steps h) noexcept nogil:
    """The option of central differences: vol ±1, ±2 steps, rate ±1, expiry ±1."""
    cdef Option s = o[0]
    if shift < 4:
        s.vol += h.vol * (2 - shift if shift < 2 else 1 - shift)
    elif shift < 6:
        s.rate += h.rate if shift == 4 else -h.rate
    else:
        s.expiry += h.expiry if shift == 6 else -h.expiry
    return s


cdef inline Greeks greeks_of(const Option* o, Put here, const Put* at, Steps h) noexcept nogil:
    """Theta by the pricing equation; vol by differences of fourth order."""
    cdef Greeks g
    cdef double days = 365.0
    g.price = fmax(here.price, intrinsic(o))
    g.delta = here.delta
    g.gamma = here.gamma
    if here.gamma == 0.0:
        # held by nobody, to be exercised at once (or worth nothing)
        g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
        return g
    g.theta = (o.rate * here.price - (o.rate - o.carry) * o.spot * here.delta
               - 0.5 * o.vol * o.vol * o.spot * o.spot * here.gamma) / days
    g.vega = (8.0 * (at[1].price - at[2].price) - (at[0].price - at[3].price)) / (12.0 * h.vol)
    g.vanna = (8.0 * (at[1].delta - at[2].delta) - (at[0].delta - at[3].delta)) / (12.0 * h.vol)
    g.volga = (16.0 * (at[1].price + at[2].price) - (at[0].price + at[3].price) - 30.0 * here.price) / (
        12.0 * h.vol * h.vol)
    g.rho = (at[4].price - at[5].price) / (2.0 * h.rate)
    g.charm = -(at[6].delta - at[7].delta) / (2.0 * h.expiry) / days
    return g


cdef inline void store(const Call* c, Py_ssize_t i, Greeks g) noexcept nogil:
    c.out[i] = g.price
    c.out[c.count + i] = g.delta
    c.out[2 * c.count + i] = g.gamma
    c.out[3 * c.count + i] = g.vega
    c.out[4 * c.count + i] = g.theta
    c.out[5 * c.count + i] = g.rho
    c.out[6 * c.count + i] = g.vanna
    c.out[7 * c.count + i] = g.volga
    c.out[8 * c.count + i] = g.charm


cdef inline Greeks flat_greeks(double price, double delta) noexcept nogil:
    cdef Greeks g
    g.price = price
    g.delta = delta
    g.gamma = g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
    return g


cdef inline Greeks expired_greeks(const Option* o) noexcept nogil:
    cdef double sign = 1.0 if o.is_call else -1.0
    return flat_greeks(intrinsic(o), 0.5 * sign if o.spot == o.strike else sign if intrinsic(o) > 0.0 else 0.0)


cdef inline Greeks certain_greeks(const Option* o, const Market* m) noexcept nogil:
    return flat_greeks(price_without_boundary(o, m, CERTAIN), of_option(o, certain_put(m)).delta)


cdef inline Greeks perpetual_greeks(const Option* o, const Market* m) noexcept nogil:
    cdef Put[SHIFTS] at
    cdef Option s
    cdef Market moved
    cdef Steps h = steps_of(o)
    cdef int shift
    for shift in range(SHIFTS):
        s = shifted(o, shift, h)
        moved = market_of(&s)
        at[shift] = of_option(&s, perpetual_put(&moved))
    return greeks_of(o, of_option(o, perpetual_put(m)), at, h)


cdef inline Put put_in_lane(const skw_american_puts* puts, int lane) noexcept nogil:
    cdef Put p
    p.price = puts.price[lane]
    p.delta = puts.delta[lane]
    p.gamma = puts.gamma[lane]
    return p


cdef inline void greeks_group(const Call* c, Group* groups, int queue) noexcept nogil:
    cdef skw_american_puts[SHIFTS + 1] puts
    cdef skw_american_group moved
    cdef int[SKW_AMERICAN_LANES] settled
    cdef int[SKW_AMERICAN_LANES] fine
    cdef Steps[SKW_AMERICAN_LANES] h
    cdef Put[SHIFTS] at
    cdef Group* g = &groups[queue]
    cdef Option* o
    cdef Option s
    cdef Market m
    cdef int lane, shift, following = next_queue(queue)
    if g.count == 0:
        return
    pad(&g.puts, g.count)
    c.loops.puts(&g.puts, &c.scheme[queue], &puts[SHIFTS], fine)
    for lane in range(g.count):
        h[lane] = steps_of(&g.option[lane])
    for shift in range(SHIFTS):
        for lane in range(g.count):
            s = shifted(&g.option[lane], shift, h[lane])
            m = market_of(&s)
            set_lane(&moved, lane, &m)
        pad(&moved, g.count)
        c.loops.puts(&moved, &c.scheme[queue], &puts[shift], settled)
        for lane in range(g.count):
            fine[lane] = fine[lane] and settled[lane]
    for lane in range(g.count):
        o = &g.option[lane]
        if fine[lane]:
            for shift in range(SHIFTS):
                s = shifted(o, shift, h[lane])
                at[shift] = of_option(&s, put_in_lane(&puts[shift], lane))
            store(c, g.element[lane], greeks_of(o, of_option(o, put_in_lane(&puts[SHIFTS], lane)), at, h[lane]))
        elif queue == LAST:
            c.left[g.element[lane]] = ON_GRID
        else:
            m = market_of(o)
            if append(&groups[following], g.element[lane], o, &m):
                greeks_group(c, groups, following)
    g.count = 0


cdef inline void greeks_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Call* c = <const Call*> context
    cdef Group[QUEUES] groups
    cdef Option o
    cdef Market m
    cdef Kind kind
    cdef int queue
    cdef Py_ssize_t i
    begin(groups)
    for i in range(chunk * c.chunk, end_of(c, chunk)):
        if c.left[i] != NOTHING:
            continue
        o = option_at(c, i)
        if domain(&o) != OK:
            store(c, i, nan_greeks())
            continue
        if o.expiry == 0.0:
            store(c, i, expired_greeks(&o))
            continue
        m = market_of(&o)
        kind = kind_of(&m)
        if kind == ONE_BOUNDARY:
            queue = queue_of(&m)
            if append(&groups[queue], i, &o, &m):
                greeks_group(c, groups, queue)
        elif kind == CERTAIN:
            store(c, i, certain_greeks(&o, &m))
        elif kind == PERPETUAL:
            store(c, i, perpetual_greeks(&o, &m))
        else:
            c.left[i] = WAITING if kind == EUROPEAN else ON_GRID
    for queue in range(QUEUES):
        greeks_group(c, groups, queue)
