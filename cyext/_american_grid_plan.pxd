# cython: cdivision=True
# How an option with cash dividends is laid out on a grid: its steps in time, its nodes; and its value without volatility.
from libc.math cimport ceil, exp, fmax, fmin, log, rint, sqrt
from skewline.cyext._american_grid_loops cimport skw_grid_option, skw_grid_value

cdef extern from *:
    """
    /* below, an option is priced without volatility; above, volatility changes nothing any more */
    static const double skw_least_deviation = 1e-6, skw_most_deviation = 20.0;
    /* with two boundaries; beyond, the nodes span more than doubles hold */
    static const double skw_most_two_boundaries = 12.0;
    """
    const double LEAST_DEVIATION "skw_least_deviation"
    const double MOST_DEVIATION "skw_most_deviation"
    const double MOST_TWO_BOUNDARIES "skw_most_two_boundaries"

cdef enum:
    MOST_DIVIDENDS = 255

# Beyond `most_call` and `most_put` deviations the grid is too coarse: for calls over dividends, and for all others.
cdef struct Scheme:
    int points
    int steps
    double width
    double most_call
    double most_put

# Times ascend, none before now.
cdef struct Schedule:
    const double* times
    const double* amounts
    int count

cdef struct Terms:
    bint is_call
    double spot
    double strike
    double expiry
    double rate
    double carry
    double vol

cdef struct Certain:
    double price
    double delta


cdef inline int paid(const Schedule* dividends, double expiry) noexcept nogil:
    """How many dividends the option sees."""
    cdef int n = dividends.count
    while n > 0 and dividends.times[n - 1] > expiry:
        n -= 1
    return n


cdef inline int steps_of(double length, double expiry, int most) noexcept nogil:
    """In multiples of four, so that options of nearly the same expiry go through the grid together."""
    cdef double n = ceil(0.25 * most * sqrt(length / expiry)) * 4.0
    return 0 if length <= 0.0 else <int> fmin(fmax(n, 8.0), most)


cdef inline void fill_steps(const Schedule* dividends, double expiry, int most, int* steps) noexcept nogil:
    """From expiry back to the last dividend, ..., from the first to now."""
    cdef int k, n = paid(dividends, expiry)
    cdef double end = expiry, start
    for k in range(n + 1):
        start = dividends.times[n - 1 - k] if k < n else 0.0
        steps[k] = steps_of(end - start, expiry, most)
        end = start


cdef inline bint connected(Terms t, int dividends) noexcept nogil:
    """Whether exercise, where it is optimal, is so for every price beyond (below for puts, above for calls).

    Holding costs rate K - carry S a year for a put (the negative for a call) and at a dividend gains, or costs, min(S, D):
    with carry >= 0 the balance has one sign beyond one price.
    """
    cdef double own = t.carry if t.is_call else t.rate, other = t.rate if t.is_call else t.carry
    if dividends > 0:
        return t.carry >= 0.0
    return not (own < 0.0 and other < own)


cdef inline double most_deviation(Terms t, const Schedule* dividends, const Scheme* scheme) noexcept nogil:
    cdef int n = paid(dividends, t.expiry)
    if n == 0 and not connected(t, 0):
        return MOST_TWO_BOUNDARIES
    return scheme.most_call if t.is_call and n > 0 else scheme.most_put


cdef inline bint turned(Terms t, const Schedule* dividends) noexcept nogil:
    """Whether the grid holds P(K, S, q, r) = C(S, K, r, q): a call's own value grows too steeply where vol is large."""
    return t.is_call and paid(dividends, t.expiry) == 0


cdef inline Terms turn(Terms t) noexcept nogil:
    cdef Terms p = t
    p.is_call = False
    p.spot = t.strike
    p.strike = t.spot
    p.rate = t.carry
    p.carry = t.rate
    return p


cdef inline skw_grid_value turned_back(Terms t, skw_grid_value put) noexcept nogil:
    """The call's value and derivatives from its put's: C = S f(K/S)."""
    cdef skw_grid_value c = put
    cdef double y = t.strike / t.spot
    c.delta = 1.0 if put.exercised else put.price / t.spot - y * put.delta
    c.gamma = y * y * put.gamma
    c.speed = -y * y * (3.0 * put.gamma / t.spot + y * put.speed)
    return c


cdef inline unsigned long long kind(Terms t, const Schedule* dividends, int most) noexcept nogil:
    """Not zero, and the same for options that share a plan (FNV-1a of it)."""
    cdef int[MOST_DIVIDENDS + 1] steps
    cdef int k, n = paid(dividends, t.expiry)
    cdef unsigned long long h = 1469598103934665603ULL
    fill_steps(dividends, t.expiry, most, steps)
    h = (h ^ <unsigned long long> (2 * n + connected(t, n))) * 1099511628211ULL
    for k in range(n + 1):
        h = (h ^ <unsigned long long> steps[k]) * 1099511628211ULL
    return h | 1ULL


cdef inline double lost(Terms t, const Schedule* dividends) noexcept nogil:
    """What today's asset stands for of the dividends: each divided by the growth until it is paid."""
    cdef double total = 0.0
    cdef int k
    for k in range(paid(dividends, t.expiry)):
        total += dividends.amounts[k] * exp(-(t.rate - t.carry) * dividends.times[k])
    return total


cdef inline skw_grid_option laid_out(Terms t, const Schedule* dividends, Scheme scheme) noexcept nogil:
    """Nodes `width` deviations either way, further down by the dividends; the payoff's kink 0.211 of a step from a node.

    There the values at nodes have the mass of the kinked function to fourth order (th(1 - th) = 1/6).
    """
    cdef skw_grid_option o
    cdef double deviation = scheme.width * t.vol * sqrt(t.expiry), kink, place, room
    cdef int n = dividends.count
    if turned(t, dividends):
        t = turn(t)
    kink = t.strike
    room = -log(fmax(1.0 - lost(t, dividends) / t.spot, 0.05))
    o.sign = 1.0 if t.is_call else -1.0
    o.spot = t.spot
    o.strike = t.strike
    o.expiry = t.expiry
    o.rate = t.rate
    o.carry = t.carry
    o.vol = t.vol
    o.low = log(t.spot) + (t.rate - t.carry - 0.5 * t.vol * t.vol) * t.expiry - deviation - room
    o.step = (2.0 * deviation + room) / (scheme.points - 1)
    while not t.is_call and n > 0 and dividends.times[n - 1] >= t.expiry:
        n -= 1
        kink += dividends.amounts[n] if dividends.times[n] == t.expiry else 0.0
    place = (log(kink) - o.low) / o.step
    if 0.0 < place < scheme.points - 1:
        place -= 0.21132486540518711775
        o.low += (place - rint(place)) * o.step
    return o


cdef inline double gain(Terms t, double time, double asset, double sign) noexcept nogil:
    return sign * (asset * exp(-t.carry * time) - t.strike * exp(-t.rate * time))


cdef inline Certain certain(Terms t, const Schedule* dividends) noexcept nogil:
    """Without volatility: exercise now, before or after a dividend, at expiry, or where the gain is stationary between."""
    cdef Certain c
    cdef double sign = 1.0 if t.is_call else -1.0, asset = t.spot, start = 0.0, end, now, time
    cdef int k, j, n = paid(dividends, t.expiry)
    c.price = c.delta = 0.0
    for k in range(n + 1):
        end = dividends.times[k] if k < n else t.expiry
        for j in range(3):
            time = start if j == 0 else end
            if j == 2:
                # rate K e^{-rate t} = carry A e^{-carry t}
                if asset <= 0.0 or t.rate * t.carry <= 0.0 or t.rate == t.carry:
                    continue
                time = log(t.rate * t.strike / (t.carry * asset)) / (t.rate - t.carry)
                if not start < time < end:
                    continue
            now = gain(t, time, asset, sign)
            if now > c.price:
                c.price = now
                c.delta = sign * exp(-t.carry * time) if asset > 0.0 else 0.0
        if k < n:
            # asset e^{(rate - carry) t} is the price; a dividend takes no more than that
            asset = fmax(asset - dividends.amounts[k] * exp(-(t.rate - t.carry) * end), 0.0)
            start = end
    return c
