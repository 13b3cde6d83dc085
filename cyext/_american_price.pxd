# cython: cdivision=True
# American prices: groups of options that have an exercise boundary, and single ones.
from libc.math cimport fmax, NAN
from skewline.cyext._american_lanes cimport (
    HARD, LAST, NOTHING, ON_GRID, QUEUES, Call, Group, append, begin, end_of, next_queue, option_at, pad, queue_of,
    set_lane)
from skewline.cyext._american_loops cimport SKW_AMERICAN_LANES, skw_american_group
from skewline.cyext._american_put cimport (
    CERTAIN, EUROPEAN, ONE_BOUNDARY, PERPETUAL, Kind, Market, Option, Put, certain_put, domain, european, intrinsic,
    kind_of, market_of, of_option, perpetual_put)
from skewline.cyext._status cimport OK


cdef inline double priced(const Option* o, double put) noexcept nogil:
    return fmax(put * (o.spot if o.is_call else o.strike), intrinsic(o))


cdef inline double price_without_boundary(const Option* o, const Market* m, Kind kind) noexcept nogil:
    if kind == CERTAIN:
        return fmax(priced(o, certain_put(m).price), european(o))
    if kind == EUROPEAN:
        return fmax(european(o), intrinsic(o))
    return priced(o, perpetual_put(m).price)


cdef inline double price_alone(const Option* o, const Call* c) noexcept nogil:
    """As in a group; NaN where no scheme serves."""
    cdef skw_american_group g
    cdef double[SKW_AMERICAN_LANES] price
    cdef int[SKW_AMERICAN_LANES] settled
    cdef Market m = market_of(o)
    cdef Kind kind = kind_of(&m)
    cdef int queue = queue_of(&m)
    if kind == CERTAIN or kind == EUROPEAN or kind == PERPETUAL:
        return price_without_boundary(o, &m, kind)
    if kind != ONE_BOUNDARY:
        return NAN
    set_lane(&g, 0, &m)
    pad(&g, 1)
    while queue <= LAST:
        c.loops.price(&g, &c.scheme[queue], price, settled)
        if settled[0]:
            return priced(o, price[0])
        queue = next_queue(queue)
    return NAN


cdef inline void price_group(const Call* c, Group* groups, int queue) noexcept nogil:
    cdef double[SKW_AMERICAN_LANES] price
    cdef int[SKW_AMERICAN_LANES] settled
    cdef Group* g = &groups[queue]
    cdef Market m
    cdef int lane, following = next_queue(queue)
    if g.count == 0:
        return
    pad(&g.puts, g.count)
    c.loops.price(&g.puts, &c.scheme[queue], price, settled)
    for lane in range(g.count):
        if settled[lane]:
            c.out[g.element[lane]] = priced(&g.option[lane], price[lane])
        elif queue == LAST:
            c.left[g.element[lane]] = ON_GRID
        else:
            m = market_of(&g.option[lane])
            if append(&groups[following], g.element[lane], &g.option[lane], &m):
                price_group(c, groups, following)
    g.count = 0


cdef inline void price_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
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
            c.out[i] = NAN
            continue
        if o.expiry == 0.0:
            c.out[i] = intrinsic(&o)
            continue
        m = market_of(&o)
        kind = kind_of(&m)
        if kind == ONE_BOUNDARY:
            queue = queue_of(&m)
            if append(&groups[queue], i, &o, &m):
                price_group(c, groups, queue)
        elif kind == CERTAIN or kind == EUROPEAN or kind == PERPETUAL:
            c.out[i] = price_without_boundary(&o, &m, kind)
        else:
            c.left[i] = ON_GRID
    for queue in range(QUEUES):
        price_group(c, groups, queue)
