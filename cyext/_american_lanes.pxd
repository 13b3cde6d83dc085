# cython: cdivision=True
# A call's elements one by one, and the groups in which their puts go through the vector code. There is a group for each
# scheme; an option that a scheme does not serve goes on to the next, so that its way does not depend on its neighbours.
from libc.math cimport sqrt
from skewline.cyext._american_loops cimport (
    SKW_AMERICAN_LANES, skw_american_group, skw_american_loops, skw_american_scheme)
from skewline.cyext._american_put cimport Market, Option
from skewline.cyext._columns cimport skw_column, double_at, flag_at

cdef enum:
    # an option's first scheme: its boundary starts from the strike, or from below it (yield above rate), or is hard
    FROM_STRIKE = 0
    FROM_BELOW = 1
    HARD = 2
    LAST = 3     # for those that do not settle
    QUEUES = 4

cdef enum:
    # what is left of an element for the caller
    NOTHING = 0
    ON_GRID = 1  # all: two boundaries, or one that no scheme finds, or a dividend
    WAITING = 2  # Greeks of an option that nobody exercises early


cdef struct Call:
    skw_column is_call
    skw_column spot
    skw_column strike
    skw_column expiry
    skw_column rate
    skw_column carry
    skw_column last          # volatility or price
    const skw_american_loops* loops
    skw_american_scheme[QUEUES] scheme
    double* out
    int* status
    unsigned char* left
    Py_ssize_t count
    Py_ssize_t chunk         # elements


cdef struct Group:
    skw_american_group puts
    Option[SKW_AMERICAN_LANES] option
    Py_ssize_t[SKW_AMERICAN_LANES] element
    int count


cdef inline Option option_at(const Call* c, Py_ssize_t i) noexcept nogil:
    cdef Option o
    o.is_call = flag_at(c.is_call, i)
    o.spot = double_at(c.spot, i)
    o.strike = double_at(c.strike, i)
    o.expiry = double_at(c.expiry, i)
    o.rate = double_at(c.rate, i)
    o.carry = double_at(c.carry, i)
    o.vol = double_at(c.last, i)
    return o


cdef inline Py_ssize_t end_of(const Call* c, Py_ssize_t chunk) noexcept nogil:
    return (chunk + 1) * c.chunk if (chunk + 1) * c.chunk < c.count else c.count


cdef inline int queue_of(const Market* m) noexcept nogil:
    """Hard is a boundary that drifts by more than two deviations towards the perpetual one, or spans many of them."""
    cdef double v = m.vol * sqrt(m.expiry), drift = (m.rate - m.carry) * m.expiry / v
    if v > 2.0 or drift > 2.0 or drift < -4.0:
        return HARD
    return FROM_BELOW if m.carry > m.rate else FROM_STRIKE


cdef inline int next_queue(int queue) noexcept nogil:
    return queue + 1 if queue >= HARD else HARD


cdef inline void begin(Group* groups) noexcept nogil:
    cdef int queue
    for queue in range(QUEUES):
        groups[queue].count = 0


cdef inline void set_lane(skw_american_group* g, int lane, const Market* m) noexcept nogil:
    g.spot[lane] = m.spot
    g.expiry[lane] = m.expiry
    g.rate[lane] = m.rate
    g.carry[lane] = m.carry
    g.vol[lane] = m.vol


cdef inline bint append(Group* g, Py_ssize_t element, const Option* o, const Market* m) noexcept nogil:
    """Whether the group is full now."""
    g.element[g.count] = element
    g.option[g.count] = o[0]
    set_lane(&g.puts, g.count, m)
    g.count += 1
    return g.count == SKW_AMERICAN_LANES


cdef inline void pad(skw_american_group* g, int count) noexcept nogil:
    """The lanes after the last repeat it."""
    cdef Market m
    cdef int lane
    m.spot = g.spot[count - 1]
    m.expiry = g.expiry[count - 1]
    m.rate = g.rate[count - 1]
    m.carry = g.carry[count - 1]
    m.vol = g.vol[count - 1]
    for lane in range(count, SKW_AMERICAN_LANES):
        set_lane(g, lane, &m)
