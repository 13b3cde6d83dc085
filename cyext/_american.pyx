# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""American options: array loops over the put on strike 1, calls by the put-call symmetry."""
from cython.parallel cimport prange
from libc.math cimport exp, sqrt, fabs, fmax, isfinite, NAN, INFINITY
from skewline.cyext._american_boundary cimport Market, Scheme
from skewline.cyext._american_put cimport Put, american_put
from skewline.cyext._black cimport Greeks, nan_greeks, black_greeks, black_implied_vol
from skewline.cyext._status cimport (
    OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, NOT_CONVERGED, OUT_OF_DOMAIN)


cdef class Rule:
    """One accuracy level: sizes, tolerance and the two quadrature rules on (0, π/2)."""

    cdef Scheme scheme
    cdef object arrays

    def __init__(self, int points, int most_iterations, double tolerance, const double[:, ::1] boundary,
                 const double[:, ::1] price):
        """`boundary` and `price` have rows of sines, cosines and weights."""
        self.arrays = (boundary, price)
        self.scheme.points = points
        self.scheme.most_iterations = most_iterations
        self.scheme.tolerance = tolerance
        self.scheme.boundary_rule = <int> boundary.shape[1]
        self.scheme.price_rule = <int> price.shape[1]
        self.scheme.boundary_sine = &boundary[0, 0]
        self.scheme.boundary_cosine = &boundary[1, 0]
        self.scheme.boundary_weight = &boundary[2, 0]
        self.scheme.price_sine = &price[0, 0]
        self.scheme.price_cosine = &price[1, 0]
        self.scheme.price_weight = &price[2, 0]


cdef Put option(bint is_call, double spot, double strike, double expiry, double rate, double carry, double vol,
                Scheme scheme) noexcept nogil:
    """Price, delta, gamma of the option itself; C(S, K, r, q) = P(K, S, q, r) = S g(K/S)."""
    cdef Market m
    cdef Put p
    cdef double y
    m.expiry = expiry
    m.vol = vol
    if not is_call:
        m.rate = rate
        m.carry = carry
        p = american_put(spot / strike, m, scheme)
        p.price *= strike
        p.gamma /= strike
        return p
    m.rate = carry
    m.carry = rate
    y = strike / spot
    p = american_put(y, m, scheme)
    p.gamma *= y * y / spot
    p.delta = p.price - y * p.delta
    p.price *= spot
    return p


cdef int domain(double spot, double strike, double expiry, double rate, double carry, double vol) noexcept nogil:
    if not (isfinite(spot) and isfinite(strike) and isfinite(expiry) and isfinite(rate) and isfinite(carry)
            and isfinite(vol)):
        return NON_FINITE
    if spot <= 0.0 or strike <= 0.0 or vol < 0.0:
        return OUT_OF_DOMAIN
    return EXPIRED if expiry < 0.0 else OK


cdef double price_one(bint is_call, double spot, double strike, double expiry, double rate, double carry, double vol,
                      Scheme scheme) noexcept nogil:
    cdef double intrinsic
    if domain(spot, strike, expiry, rate, carry, vol) != OK:
        return NAN
    intrinsic = fmax(spot - strike if is_call else strike - spot, 0.0)
    if expiry == 0.0:
        return intrinsic
    return fmax(option(is_call, spot, strike, expiry, rate, carry, vol, scheme).price, intrinsic)


def price(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
          const double[:] rate, const double[:] carry, const double[:] vol, Rule rule, double[::1] out, int threads):
    cdef Py_ssize_t i
    cdef Scheme scheme = rule.scheme
    for i in prange(out.shape[0], nogil=True, schedule="dynamic", chunksize=16, num_threads=threads):
        out[i] = price_one(is_call[i], spot[i], strike[i], expiry[i], rate[i], carry[i], vol[i], scheme)


cdef Greeks greeks_one(bint is_call, double spot, double strike, double expiry, double rate, double carry, double vol,
                       Scheme scheme) noexcept nogil:
    """Delta and gamma by the integral, theta by the pricing equation, the others by central differences."""
    cdef Greeks g = nan_greeks()
    cdef Put here, up, down
    cdef double h, sign = 1.0 if is_call else -1.0, days = 365.0
    if domain(spot, strike, expiry, rate, carry, vol) != OK:
        return g
    if expiry == 0.0 or vol == 0.0:
        g.price = price_one(is_call, spot, strike, expiry, rate, carry, vol, scheme)
        g.gamma = g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
        if expiry == 0.0:
            g.delta = 0.5 * sign if spot == strike else (sign if sign * (spot - strike) > 0.0 else 0.0)
        else:
            g.delta = option(is_call, spot, strike, expiry, rate, carry, vol, scheme).delta
        return g
    here = option(is_call, spot, strike, expiry, rate, carry, vol, scheme)
    g.price = price_one(is_call, spot, strike, expiry, rate, carry, vol, scheme)
    g.delta = here.delta
    g.gamma = here.gamma
    if here.gamma == 0.0:
        # held by nobody, to be exercised at once (or worth nothing)
        g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = 0.0
        return g
    g.theta = (rate * here.price - (rate - carry) * spot * here.delta
               - 0.5 * vol * vol * spot * spot * here.gamma) / days
    h = 1e-3 * vol
    up = option(is_call, spot, strike, expiry, rate, carry, vol + h, scheme)
    down = option(is_call, spot, strike, expiry, rate, carry, vol - h, scheme)
    g.vega = (up.price - down.price) / (2.0 * h)
    g.vanna = (up.delta - down.delta) / (2.0 * h)
    h = 2e-2 * vol
    up = option(is_call, spot, strike, expiry, rate, carry, vol + h, scheme)
    down = option(is_call, spot, strike, expiry, rate, carry, vol - h, scheme)
    g.volga = (up.price - 2.0 * here.price + down.price) / (h * h)
    h = 1e-5
    up = option(is_call, spot, strike, expiry, rate + h, carry, vol, scheme)
    down = option(is_call, spot, strike, expiry, rate - h, carry, vol, scheme)
    g.rho = (up.price - down.price) / (2.0 * h)
    h = 1e-3 * expiry
    up = option(is_call, spot, strike, expiry + h, rate, carry, vol, scheme)
    down = option(is_call, spot, strike, expiry - h, rate, carry, vol, scheme)
    g.charm = -(up.delta - down.delta) / (2.0 * h) / days
    return g


cdef void store(double[:, ::1] out, Py_ssize_t i, Greeks g) noexcept nogil:
    out[0, i] = g.price
    out[1, i] = g.delta
    out[2, i] = g.gamma
    out[3, i] = g.vega
    out[4, i] = g.theta
    out[5, i] = g.rho
    out[6, i] = g.vanna
    out[7, i] = g.volga
    out[8, i] = g.charm


def greeks(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
           const double[:] rate, const double[:] carry, const double[:] vol, Rule rule, double[:, ::1] out, int threads):
    cdef Py_ssize_t i
    cdef Scheme scheme = rule.scheme
    for i in prange(out.shape[1], nogil=True, schedule="dynamic", chunksize=16, num_threads=threads):
        store(out, i, greeks_one(is_call[i], spot[i], strike[i], expiry[i], rate[i], carry[i], vol[i], scheme))


cdef double implied_one(bint is_call, double price, double spot, double strike, double expiry, double rate,
                        double carry, Scheme scheme, int* status) noexcept nogil:
    """Secant from the European implied vol, which is never the lower one, kept inside a bracket."""
    cdef double forward, discount, low = 0.0, high, vol, f, bound, tiny, guess, slope, last_vol, last_f, root = sqrt(expiry)
    cdef int i
    status[0] = domain(spot, strike, expiry, rate, carry, 0.0)
    if not isfinite(price):
        status[0] = NON_FINITE
    if status[0] == OK and expiry == 0.0:
        status[0] = EXPIRED
    if status[0] != OK:
        return NAN
    bound = spot * fmax(1.0, exp(-carry * expiry)) if is_call else strike * fmax(1.0, exp(-rate * expiry))
    if price >= bound:
        status[0] = ABOVE_BOUND
        return NAN
    tiny = 1e-11 * strike
    if price <= price_one(is_call, spot, strike, expiry, rate, carry, 0.0, scheme) + tiny:
        status[0] = BELOW_INTRINSIC
        return NAN
    discount = exp(-rate * expiry)
    forward = spot * exp((rate - carry) * expiry)
    guess = black_implied_vol(is_call, price, forward, strike, expiry, discount).vol
    vol = guess if guess == guess else 0.5 / root
    high = INFINITY
    last_vol = last_f = NAN
    for i in range(100):
        f = price_one(is_call, spot, strike, expiry, rate, carry, vol, scheme) - price
        if fabs(f) < tiny:
            return vol
        if f >= 0.0:
            high = vol
        else:
            low = vol
        if high - low < 1e-11 * high:
            return vol
        if last_vol == last_vol and f != last_f:
            slope = (f - last_f) / (vol - last_vol)
        else:
            slope = black_greeks(is_call, forward, strike, expiry, discount, vol).vega
        last_vol = vol
        last_f = f
        if slope > 0.0 and i % 8 != 7:
            vol -= f / slope
        else:
            vol = NAN
        if not (low < vol < high):
            if high == INFINITY:
                if low > 100.0 / root:
                    status[0] = ABOVE_BOUND
                    return NAN
                vol = 2.0 * low if guess != guess or i > 3 else low * (1.0 + 1e-4)
            else:
                vol = 0.5 * (low + high)
    status[0] = NOT_CONVERGED
    return NAN


def implied_vol(const unsigned char[:] is_call, const double[:] price, const double[:] spot, const double[:] strike,
                const double[:] expiry, const double[:] rate, const double[:] carry, Rule rule, double[::1] out,
                int[::1] status, int threads):
    cdef Py_ssize_t i
    cdef Scheme scheme = rule.scheme
    for i in prange(out.shape[0], nogil=True, schedule="dynamic", chunksize=16, num_threads=threads):
        out[i] = implied_one(is_call[i], price[i], spot[i], strike[i], expiry[i], rate[i], carry[i], scheme, &status[i])
