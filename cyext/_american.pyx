# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""American options: array loops over the put on strike 1, calls by the put-call symmetry."""
from cython.parallel cimport prange
from libc.math cimport exp, sqrt, fabs, fmin, fmax, isfinite, NAN
from skewline.cyext._american_boundary cimport Market, Scheme
from skewline.cyext._american_put cimport Put, american_put
from skewline.cyext._black cimport Greeks, nan_greeks, black_implied_vol
from skewline.cyext._status cimport (
    OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, NOT_CONVERGED, OUT_OF_DOMAIN)


cdef class Rule:
    """One accuracy level: sizes, tolerance and the two quadrature rules on (0, π/2)."""

    cdef Scheme scheme
    cdef object arrays

    def __init__(self, int points, int most_iterations, double tolerance, const double[::1] boundary_angle,
                 const double[::1] boundary_weight, const double[::1] price_angle, const double[::1] price_weight):
        self.arrays = (boundary_angle, boundary_weight, price_angle, price_weight)
        self.scheme.points = points
        self.scheme.most_iterations = most_iterations
        self.scheme.tolerance = tolerance
        self.scheme.boundary_rule = <int> boundary_angle.shape[0]
        self.scheme.price_rule = <int> price_angle.shape[0]
        self.scheme.boundary_angle = &boundary_angle[0]
        self.scheme.boundary_weight = &boundary_weight[0]
        self.scheme.price_angle = &price_angle[0]
        self.scheme.price_weight = &price_weight[0]


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
    if domain(spot, strike, expiry, rate, carry, vol) != OK:
        return NAN
    if expiry == 0.0:
        return fmax(spot - strike if is_call else strike - spot, 0.0)
    return option(is_call, spot, strike, expiry, rate, carry, vol, scheme).price


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
    g.price = here.price
    g.delta = here.delta
    g.gamma = here.gamma
    if here.price <= sign * (spot - strike):
        # held by nobody: to be exercised at once
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
    """Regula falsi (Illinois) between brackets that start at the European implied vol."""
    cdef double forward, discount, low, high, f_low, f_high, vol, f, bound, tiny, guess, step
    cdef int i, side = 0
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
    if price <= fmax(spot - strike if is_call else strike - spot, 0.0):
        status[0] = BELOW_INTRINSIC
        return NAN
    tiny = 1e-10 * strike
    discount = exp(-rate * expiry)
    forward = spot * exp((rate - carry) * expiry)
    guess = black_implied_vol(is_call, price, forward, strike, expiry, discount).vol
    low = 1e-6 / sqrt(expiry)
    f_low = price_one(is_call, spot, strike, expiry, rate, carry, low, scheme) - price
    if f_low >= 0.0:
        status[0] = BELOW_INTRINSIC
        return NAN
    # an American option is worth no less than the European: its vol is no higher
    high = guess * (1.0 + 1e-9) + 1e-9 if guess == guess else 0.5 / sqrt(expiry)
    for i in range(60):
        f_high = price_one(is_call, spot, strike, expiry, rate, carry, high, scheme) - price
        if f_high >= 0.0:
            break
        low = high
        f_low = f_high
        high *= 1.0 + 1e-6 if i == 0 else 2.0
    if not f_high >= 0.0:
        status[0] = ABOVE_BOUND
        return NAN
    if fabs(f_high) < tiny:
        return high
    vol = high
    step = 0.1 * high
    for i in range(100):
        # the first steps look just below the upper end, where the root of an option with little premium lies
        if i == 0 and f_high < 0.02 * price and high - step > low:
            vol = high - step * fmin(1.0, 20.0 * f_high / price)
        else:
            vol = high - f_high * (high - low) / (f_high - f_low)
        if not (low < vol < high):
            vol = 0.5 * (low + high)
        f = price_one(is_call, spot, strike, expiry, rate, carry, vol, scheme) - price
        if fabs(f) < tiny or high - low < 1e-10 * high:
            return vol
        if f >= 0.0:
            high = vol
            f_high = f
            if side == 1:
                f_low *= 0.5
            side = 1
        else:
            low = vol
            f_low = f
            if side == -1:
                f_high *= 0.5
            side = -1
    status[0] = NOT_CONVERGED
    return NAN


def implied_vol(const unsigned char[:] is_call, const double[:] price, const double[:] spot, const double[:] strike,
                const double[:] expiry, const double[:] rate, const double[:] carry, Rule rule, double[::1] out,
                int[::1] status, int threads):
    cdef Py_ssize_t i
    cdef Scheme scheme = rule.scheme
    for i in prange(out.shape[0], nogil=True, schedule="dynamic", chunksize=16, num_threads=threads):
        out[i] = implied_one(is_call[i], price[i], spot[i], strike[i], expiry[i], rate[i], carry[i], scheme, &status[i])
