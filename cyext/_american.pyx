# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""American options: chunks of elements, whose puts on strike 1 go through the vector code in groups; what needs no
exercise boundary, or has two, is done one at a time.
"""
from libc.math cimport exp, sqrt, fabs, fmax, fmin, isfinite, NAN, INFINITY
from skewline.cyext._american_loops cimport (
    SKW_AMERICAN_LANES, SKW_AMERICAN_POINTS, SKW_AMERICAN_RULE, SKW_AMERICAN_STAGES, skw_american, skw_american_group,
    skw_american_loops, skw_american_puts, skw_american_quotes, skw_american_rule, skw_american_scheme,
    skw_american_stage)
from skewline.cyext._american_put cimport (
    CERTAIN, EUROPEAN, ONE_BOUNDARY, PERPETUAL, Kind, Market, Option, Put, certain_put, domain, intrinsic, kind_of,
    market_of, of_option, perpetual_put, put_by_tree, waiting_put)
from skewline.cyext._black cimport Greeks, nan_greeks, black_greeks, black_implied_vol
from skewline.cyext._columns cimport skw_column, double_at, doubles_column, flag_at, flags_column
from skewline.cyext._isa import level
from skewline.cyext._pool cimport Body, parallel_for
from skewline.cyext._status cimport (
    OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, NOT_CONVERGED)

cdef const skw_american_loops* loops = skw_american(level())

cdef enum:
    MOST_CHUNK = 16 * SKW_AMERICAN_LANES
    LEAST_CHUNK = 2 * SKW_AMERICAN_LANES
    SHIFTS = 8


cdef class Rule:
    """A quadrature rule and the rows that give the boundary at its points."""

    cdef skw_american_rule rule
    cdef object arrays

    def __init__(self, const double[:, ::1] turn, const double[:, ::1] rows):
        """`turn` has rows of sines, cosines and weights."""
        if turn.shape[1] > SKW_AMERICAN_RULE:
            raise ValueError(f"a rule has at most {SKW_AMERICAN_RULE} points")
        self.arrays = (turn, rows)
        self.rule.size = <int> turn.shape[1]
        self.rule.sine = &turn[0, 0]
        self.rule.cosine = &turn[1, 0]
        self.rule.weight = &turn[2, 0]
        self.rule.rows = &rows[0, 0]


cdef class Stage:
    """Sweeps on one mesh."""

    cdef skw_american_stage stage
    cdef object arrays

    def __init__(self, int points, int sweeps, const double[::1] share, const double[:, ::1] prolong, Rule rule):
        if points > SKW_AMERICAN_POINTS:
            raise ValueError(f"a mesh has at most {SKW_AMERICAN_POINTS} points")
        self.arrays = (share, prolong, rule)
        self.stage.points = points
        self.stage.sweeps = sweeps
        self.stage.share = &share[0]
        self.stage.prolong = &prolong[0, 0]
        self.stage.rule = rule.rule


cdef class Scheme:
    """One accuracy level: what is done to find the boundary, and the rule of the premium."""

    cdef skw_american_scheme scheme
    cdef object parts

    def __init__(self, stages, Rule premium, double tolerance):
        cdef Stage stage
        if not 0 < len(stages) <= SKW_AMERICAN_STAGES:
            raise ValueError(f"a scheme has 1 to {SKW_AMERICAN_STAGES} stages")
        self.parts = (tuple(stages), premium)
        self.scheme.stages = len(stages)
        for i, stage in enumerate(stages):
            self.scheme.stage[i] = stage.stage
        self.scheme.premium = premium.rule
        self.scheme.tolerance = tolerance


cdef struct Call:
    skw_column is_call
    skw_column spot
    skw_column strike
    skw_column expiry
    skw_column rate
    skw_column carry
    skw_column last          # volatility or price
    const skw_american_scheme* from_strike
    const skw_american_scheme* from_below
    const skw_american_scheme* finer
    double* out
    int* status
    Py_ssize_t count
    Py_ssize_t chunk         # elements


cdef struct Group:
    skw_american_group puts
    Option[SKW_AMERICAN_LANES] option
    Py_ssize_t[SKW_AMERICAN_LANES] element
    const skw_american_scheme* scheme
    int count


cdef Call call_of(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
                  const double[:] rate, const double[:] carry, const double[:] last, tuple schemes,
                  Py_ssize_t count):
    cdef Call c
    cdef Scheme from_strike, from_below, finer
    c.is_call = flags_column(is_call)
    c.spot = doubles_column(spot)
    c.strike = doubles_column(strike)
    c.expiry = doubles_column(expiry)
    c.rate = doubles_column(rate)
    c.carry = doubles_column(carry)
    c.last = doubles_column(last)
    from_strike, from_below, finer = schemes
    c.from_strike = &from_strike.scheme
    c.from_below = &from_below.scheme
    c.finer = &finer.scheme
    c.count = count
    return c


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


cdef inline int side_of(const Market* m) noexcept nogil:
    """Which of the schemes: 0 where the boundary starts from the strike, 1 where it starts below it."""
    return m.carry > m.rate


cdef inline void begin(const Call* c, Group* groups) noexcept nogil:
    groups[0].count = groups[1].count = 0
    groups[0].scheme = c.from_strike
    groups[1].scheme = c.from_below


cdef inline Py_ssize_t end_of(const Call* c, Py_ssize_t chunk) noexcept nogil:
    return (chunk + 1) * c.chunk if (chunk + 1) * c.chunk < c.count else c.count


cdef inline void set_lane(skw_american_group* g, int lane, const Market* m) noexcept nogil:
    g.spot[lane] = m.spot
    g.expiry[lane] = m.expiry
    g.rate[lane] = m.rate
    g.carry[lane] = m.carry
    g.vol[lane] = m.vol


cdef inline void append(Group* g, Py_ssize_t element, const Option* o, const Market* m) noexcept nogil:
    g.element[g.count] = element
    g.option[g.count] = o[0]
    set_lane(&g.puts, g.count, m)
    g.count += 1


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


cdef Put put_of(const Market* m, const Call* c) noexcept nogil:
    """One put by itself; where no scheme settles, a tree."""
    cdef skw_american_group g
    cdef skw_american_puts puts
    cdef int[SKW_AMERICAN_LANES] settled
    cdef Put p
    cdef Kind kind = kind_of(m)
    if kind == CERTAIN:
        return certain_put(m)
    if kind == EUROPEAN:
        return waiting_put(m)
    if kind == PERPETUAL:
        return perpetual_put(m)
    if kind == ONE_BOUNDARY:
        set_lane(&g, 0, m)
        pad(&g, 1)
        loops.puts(&g, c.from_below if side_of(m) else c.from_strike, &puts, settled)
        if not settled[0]:
            loops.puts(&g, c.finer, &puts, settled)
        if settled[0]:
            p.price = puts.price[0]
            p.delta = puts.delta[0]
            p.gamma = puts.gamma[0]
            return p
    return put_by_tree(m)


cdef Put one(const Option* o, const Call* c) noexcept nogil:
    cdef Market m = market_of(o)
    return of_option(o, put_of(&m, c))


cdef double price_one(const Option* o, const Call* c) noexcept nogil:
    if domain(o) != OK:
        return NAN
    if o.expiry == 0.0:
        return intrinsic(o)
    return fmax(one(o, c).price, intrinsic(o))


cdef void price_group(const Call* c, Group* g) noexcept nogil:
    cdef double[SKW_AMERICAN_LANES] price
    cdef int[SKW_AMERICAN_LANES] settled
    cdef int lane
    cdef Option* o
    if g.count == 0:
        return
    pad(&g.puts, g.count)
    loops.price(&g.puts, g.scheme, price, settled)
    for lane in range(g.count):
        o = &g.option[lane]
        if settled[lane]:
            c.out[g.element[lane]] = fmax(price[lane] * (o.spot if o.is_call else o.strike), intrinsic(o))
        else:
            c.out[g.element[lane]] = price_one(o, c)
    g.count = 0


cdef void price_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Call* c = <const Call*> context
    cdef Group[2] groups
    cdef Group* g
    cdef Option o
    cdef Market m
    cdef Py_ssize_t i
    begin(c, groups)
    for i in range(chunk * c.chunk, end_of(c, chunk)):
        o = option_at(c, i)
        m = market_of(&o)
        if domain(&o) == OK and o.expiry > 0.0 and kind_of(&m) == ONE_BOUNDARY:
            g = &groups[side_of(&m)]
            append(g, i, &o, &m)
            if g.count == SKW_AMERICAN_LANES:
                price_group(c, g)
        else:
            c.out[i] = price_one(&o, c)
    price_group(c, &groups[0])
    price_group(c, &groups[1])


cdef void over_chunks(Body body, Call* call, int threads) noexcept nogil:
    """Long chunks leave fewer lanes empty, short ones give every thread some."""
    cdef Py_ssize_t share = call.count // (4 * threads) // SKW_AMERICAN_LANES * SKW_AMERICAN_LANES
    call.chunk = MOST_CHUNK
    if threads > 1 and share < MOST_CHUNK:
        call.chunk = share if share > LEAST_CHUNK else LEAST_CHUNK
    parallel_for(body, call, (call.count + call.chunk - 1) // call.chunk, 1, threads)


def price(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
          const double[:] rate, const double[:] carry, const double[:] vol, tuple schemes,
          double[::1] out, int threads):
    cdef Call c
    if out.shape[0] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, vol, schemes, out.shape[0])
    c.out = &out[0]
    with nogil:
        over_chunks(price_chunk, &c, threads)


cdef Option shifted(const Option* o, int shift, double h_vol, double h_rate, double h_expiry) noexcept nogil:
    """The option of central differences: vol ±1, ±2 steps, rate ±1, expiry ±1."""
    cdef Option s = o[0]
    if shift < 4:
        s.vol += h_vol * (2 - shift if shift < 2 else 1 - shift)
    elif shift < 6:
        s.rate += h_rate if shift == 4 else -h_rate
    else:
        s.expiry += h_expiry if shift == 6 else -h_expiry
    return s


cdef Greeks greeks_of(const Option* o, Put here, const Put* at, double h_vol, double h_rate,
                      double h_expiry) noexcept nogil:
    """Theta by the pricing equation; vol by differences of fourth order."""
    cdef Greeks g
    cdef double days = 365.0
    g.price = here.price
    g.delta = here.delta
    g.gamma = here.gamma
    if here.gamma == 0.0:
        # held by nobody, to be exercised at once (or worth nothing)
        g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
        return g
    g.theta = (o.rate * here.price - (o.rate - o.carry) * o.spot * here.delta
               - 0.5 * o.vol * o.vol * o.spot * o.spot * here.gamma) / days
    g.vega = (8.0 * (at[1].price - at[2].price) - (at[0].price - at[3].price)) / (12.0 * h_vol)
    g.vanna = (8.0 * (at[1].delta - at[2].delta) - (at[0].delta - at[3].delta)) / (12.0 * h_vol)
    g.volga = (16.0 * (at[1].price + at[2].price) - (at[0].price + at[3].price) - 30.0 * here.price) / (
        12.0 * h_vol * h_vol)
    g.rho = (at[4].price - at[5].price) / (2.0 * h_rate)
    g.charm = -(at[6].delta - at[7].delta) / (2.0 * h_expiry) / days
    return g


cdef void steps_of(const Option* o, double* h_vol, double* h_rate, double* h_expiry) noexcept nogil:
    h_vol[0] = 2e-3 * o.vol
    h_rate[0] = 1e-5
    # a put's boundary ends at a zero rate
    if not o.is_call and o.rate > 0.0:
        h_rate[0] = fmin(h_rate[0], 0.25 * o.rate)
    h_expiry[0] = 1e-3 * o.expiry


cdef Greeks greeks_one(const Option* o, const Call* c) noexcept nogil:
    cdef Greeks g = nan_greeks()
    cdef Put[SHIFTS] at
    cdef Option s
    cdef double h_vol, h_rate, h_expiry, sign = 1.0 if o.is_call else -1.0
    cdef int shift
    if domain(o) != OK:
        return g
    if o.expiry == 0.0 or o.vol == 0.0:
        g.price = price_one(o, c)
        g.gamma = g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
        if o.expiry == 0.0:
            g.delta = 0.5 * sign if o.spot == o.strike else (sign if sign * (o.spot - o.strike) > 0.0 else 0.0)
        else:
            g.delta = one(o, c).delta
        return g
    steps_of(o, &h_vol, &h_rate, &h_expiry)
    for shift in range(SHIFTS):
        s = shifted(o, shift, h_vol, h_rate, h_expiry)
        at[shift] = one(&s, c)
    g = greeks_of(o, one(o, c), at, h_vol, h_rate, h_expiry)
    g.price = fmax(g.price, intrinsic(o))
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


cdef inline Put put_in_lane(const skw_american_puts* puts, int lane) noexcept nogil:
    cdef Put p
    p.price = puts.price[lane]
    p.delta = puts.delta[lane]
    p.gamma = puts.gamma[lane]
    return p


cdef void greeks_group(const Call* c, Group* g) noexcept nogil:
    cdef skw_american_puts[SHIFTS + 1] puts
    cdef skw_american_group moved
    cdef int[SKW_AMERICAN_LANES] settled
    cdef int[SKW_AMERICAN_LANES] fine
    cdef double[SKW_AMERICAN_LANES] h_vol
    cdef double[SKW_AMERICAN_LANES] h_rate
    cdef double[SKW_AMERICAN_LANES] h_expiry
    cdef Put[SHIFTS] at
    cdef Option s
    cdef Market m
    cdef Greeks greeks
    cdef int lane, shift
    if g.count == 0:
        return
    pad(&g.puts, g.count)
    loops.puts(&g.puts, g.scheme, &puts[SHIFTS], fine)
    for lane in range(g.count):
        steps_of(&g.option[lane], &h_vol[lane], &h_rate[lane], &h_expiry[lane])
    for shift in range(SHIFTS):
        for lane in range(g.count):
            s = shifted(&g.option[lane], shift, h_vol[lane], h_rate[lane], h_expiry[lane])
            m = market_of(&s)
            set_lane(&moved, lane, &m)
            fine[lane] = fine[lane] and kind_of(&m) == ONE_BOUNDARY
        pad(&moved, g.count)
        loops.puts(&moved, g.scheme, &puts[shift], settled)
        for lane in range(g.count):
            fine[lane] = fine[lane] and settled[lane]
    for lane in range(g.count):
        if fine[lane]:
            for shift in range(SHIFTS):
                s = shifted(&g.option[lane], shift, h_vol[lane], h_rate[lane], h_expiry[lane])
                at[shift] = of_option(&s, put_in_lane(&puts[shift], lane))
            greeks = greeks_of(&g.option[lane], of_option(&g.option[lane], put_in_lane(&puts[SHIFTS], lane)), at,
                               h_vol[lane], h_rate[lane], h_expiry[lane])
            greeks.price = fmax(greeks.price, intrinsic(&g.option[lane]))
        else:
            greeks = greeks_one(&g.option[lane], c)
        store(c, g.element[lane], greeks)
    g.count = 0


cdef void greeks_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Call* c = <const Call*> context
    cdef Group[2] groups
    cdef Group* g
    cdef Option o
    cdef Market m
    cdef Py_ssize_t i
    begin(c, groups)
    for i in range(chunk * c.chunk, end_of(c, chunk)):
        o = option_at(c, i)
        m = market_of(&o)
        if domain(&o) == OK and o.expiry > 0.0 and kind_of(&m) == ONE_BOUNDARY:
            g = &groups[side_of(&m)]
            append(g, i, &o, &m)
            if g.count == SKW_AMERICAN_LANES:
                greeks_group(c, g)
        else:
            store(c, i, greeks_one(&o, c))
    greeks_group(c, &groups[0])
    greeks_group(c, &groups[1])


def greeks(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
           const double[:] rate, const double[:] carry, const double[:] vol, tuple schemes,
           double[:, ::1] out, int threads):
    cdef Call c
    if out.shape[1] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, vol, schemes, out.shape[1])
    c.out = &out[0, 0]
    with nogil:
        over_chunks(greeks_chunk, &c, threads)


cdef struct Quote:
    double price
    double guess      # the European vol, which is never the lower one; NaN where there is none
    int status


cdef Quote quote_of(const Option* o, double price) noexcept nogil:
    """The bounds of `price`; `o` has no volatility."""
    cdef Quote q
    cdef Option certain = o[0]
    cdef Market m
    cdef double bound, least
    q.price = price
    q.guess = NAN
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
    least = fmax(of_option(&certain, certain_put(&m)).price, intrinsic(o))
    if price >= bound:
        q.status = ABOVE_BOUND
    elif price <= least + 1e-11 * o.strike:
        q.status = BELOW_INTRINSIC
    else:
        q.guess = black_implied_vol(o.is_call, price, o.spot * exp((o.rate - o.carry) * o.expiry), o.strike, o.expiry,
                                    exp(-o.rate * o.expiry)).vol
    return q


cdef double implied_one(const Option* given, Quote q, const Call* c, int* status) noexcept nogil:
    """Secant from the European implied vol, kept inside a bracket; for what the groups do not do."""
    cdef Option o = given[0]
    cdef double low = 0.0, high = INFINITY, f, slope, last_vol = NAN, last_f = NAN, root = sqrt(o.expiry)
    cdef double tiny = 1e-11 * o.strike
    cdef int i
    status[0] = OK
    o.vol = q.guess if q.guess == q.guess else 0.5 / root
    for i in range(100):
        f = price_one(&o, c) - q.price
        if fabs(f) < tiny:
            return o.vol
        if f >= 0.0:
            high = o.vol
        else:
            low = o.vol
        if high - low < 1e-11 * high:
            return o.vol
        if last_vol == last_vol and f != last_f:
            slope = (f - last_f) / (o.vol - last_vol)
        else:
            slope = black_greeks(o.is_call, o.spot * exp((o.rate - o.carry) * o.expiry), o.strike, o.expiry,
                                 exp(-o.rate * o.expiry), o.vol).vega
        last_vol = o.vol
        last_f = f
        o.vol = o.vol - f / slope if slope > 0.0 and i % 8 != 7 else NAN
        if not (low < o.vol < high):
            if high == INFINITY:
                if low > 100.0 / root:
                    status[0] = ABOVE_BOUND
                    return NAN
                o.vol = 2.0 * low if q.guess != q.guess or i > 3 else low * (1.0 + 1e-4)
            else:
                o.vol = 0.5 * (low + high)
    status[0] = NOT_CONVERGED
    return NAN


cdef void implied_group(const Call* c, Group* g, const Quote* quotes) noexcept nogil:
    cdef skw_american_quotes q
    cdef int lane, last
    cdef Option* o
    if g.count == 0:
        return
    pad(&g.puts, g.count)
    for lane in range(SKW_AMERICAN_LANES):
        last = lane if lane < g.count else g.count - 1
        o = &g.option[last]
        q.price[lane] = quotes[last].price / (o.spot if o.is_call else o.strike)
        q.vol[lane] = quotes[last].guess if isfinite(quotes[last].guess) else 0.5 / sqrt(o.expiry)
        q.least[lane] = 0.0
    loops.implied(&g.puts, g.scheme, &q)
    for lane in range(g.count):
        if q.found[lane]:
            c.out[g.element[lane]] = q.vol[lane]
            c.status[g.element[lane]] = OK
        else:
            c.out[g.element[lane]] = implied_one(&g.option[lane], quotes[lane], c, &c.status[g.element[lane]])
    g.count = 0


cdef void implied_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef const Call* c = <const Call*> context
    cdef Quote[2][SKW_AMERICAN_LANES] quotes
    cdef Quote q
    cdef Group[2] groups
    cdef Group* g
    cdef Option o
    cdef Market m
    cdef double price
    cdef int side
    cdef Py_ssize_t i
    begin(c, groups)
    for i in range(chunk * c.chunk, end_of(c, chunk)):
        o = option_at(c, i)
        price = o.vol
        o.vol = 0.0
        q = quote_of(&o, price)
        c.status[i] = q.status
        if q.status != OK:
            c.out[i] = NAN
            continue
        o.vol = 1.0 / sqrt(o.expiry)
        m = market_of(&o)
        if kind_of(&m) == ONE_BOUNDARY:
            side = side_of(&m)
            g = &groups[side]
            quotes[side][g.count] = q
            append(g, i, &o, &m)
            if g.count == SKW_AMERICAN_LANES:
                implied_group(c, g, quotes[side])
        elif kind_of(&m) == EUROPEAN and isfinite(q.guess):
            c.out[i] = q.guess
        else:
            c.out[i] = implied_one(&o, q, c, &c.status[i])
    for side in range(2):
        implied_group(c, &groups[side], quotes[side])


def implied_vol(const unsigned char[:] is_call, const double[:] price, const double[:] spot, const double[:] strike,
                const double[:] expiry, const double[:] rate, const double[:] carry, tuple schemes,
                double[::1] out, int[::1] status, int threads):
    cdef Call c
    if out.shape[0] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, price, schemes, out.shape[0])
    c.out = &out[0]
    c.status = &status[0]
    with nogil:
        over_chunks(implied_chunk, &c, threads)
