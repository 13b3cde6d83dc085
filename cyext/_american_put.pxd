# cython: cdivision=True
# An American option as a put on strike 1, C(S, K, r, q) = P(K, S, q, r), and the puts that need no exercise boundary.
from libc.math cimport exp, log, sqrt, fmax, isfinite
from skewline.cyext._black cimport black_price
from skewline.cyext._status cimport OK, NON_FINITE, OUT_OF_DOMAIN, EXPIRED

cdef extern from "american_loops.h":
    const double MOST_DEVIATION "SKW_AMERICAN_MOST_DEVIATION"


cdef enum Kind:
    CERTAIN      # hardly any volatility
    EUROPEAN     # waiting earns at least what exercise would
    ONE_BOUNDARY
    TWO_BOUNDARIES
    PERPETUAL    # as good as: more volatility than a mesh follows


cdef struct Option:
    bint is_call
    double spot
    double strike
    double expiry
    double rate
    double carry
    double vol


cdef struct Market:
    double spot
    double expiry
    double rate
    double carry
    double vol


cdef struct Put:
    double price
    double delta
    double gamma


cdef inline int domain(const Option* o) noexcept nogil:
    if not (isfinite(o.spot) and isfinite(o.strike) and isfinite(o.expiry) and isfinite(o.rate) and isfinite(o.carry)
            and isfinite(o.vol)):
        return NON_FINITE
    if o.spot <= 0.0 or o.strike <= 0.0 or o.vol < 0.0:
        return OUT_OF_DOMAIN
    return EXPIRED if o.expiry < 0.0 else OK


cdef inline double intrinsic(const Option* o) noexcept nogil:
    return fmax(o.spot - o.strike if o.is_call else o.strike - o.spot, 0.0)


cdef inline double forward(const Option* o) noexcept nogil:
    return o.spot * exp((o.rate - o.carry) * o.expiry)


cdef inline double european(const Option* o) noexcept nogil:
    return black_price(o.is_call, forward(o), o.strike, o.expiry, exp(-o.rate * o.expiry), o.vol)


cdef inline Market market_of(const Option* o) noexcept nogil:
    cdef Market m
    m.expiry = o.expiry
    m.vol = o.vol
    if o.is_call:
        m.spot = o.strike / o.spot
        m.rate = o.carry
        m.carry = o.rate
    else:
        m.spot = o.spot / o.strike
        m.rate = o.rate
        m.carry = o.carry
    return m


cdef inline Put of_option(const Option* o, Put p) noexcept nogil:
    """Price, delta and gamma of the option from those of its put."""
    cdef double y
    if not o.is_call:
        p.price *= o.strike
        p.gamma /= o.strike
        return p
    y = o.strike / o.spot
    p.gamma *= y * y / o.spot
    p.delta = p.price - y * p.delta
    p.price *= o.spot
    return p


cdef inline Kind kind_of(const Market* m) noexcept nogil:
    cdef double v = m.vol * sqrt(m.expiry)
    if v < 1e-6:
        return CERTAIN
    if m.rate <= 0.0:
        return EUROPEAN if m.carry >= m.rate else TWO_BOUNDARIES
    return ONE_BOUNDARY if v < MOST_DEVIATION else PERPETUAL


cdef inline Put certain_put(const Market* m) noexcept nogil:
    """Without volatility: the best of stopping now, at expiry, or where the gain e^{-rt} - S e^{-qt} is stationary."""
    cdef Put p
    cdef double t = 0.0, best = 1.0 - m.spot, at_end, x
    at_end = exp(-m.rate * m.expiry) - m.spot * exp(-m.carry * m.expiry)
    if at_end > best:
        best = at_end
        t = m.expiry
    if m.rate != m.carry and m.rate * m.carry > 0.0:
        x = log(m.rate / (m.carry * m.spot)) / (m.rate - m.carry)
        if 0.0 < x < m.expiry and exp(-m.rate * x) - m.spot * exp(-m.carry * x) > best:
            t = x
            best = exp(-m.rate * x) - m.spot * exp(-m.carry * x)
    p.price = fmax(best, 0.0)
    p.delta = -exp(-m.carry * t) if best > 0.0 else 0.0
    p.gamma = 0.0
    return p


cdef inline Put perpetual_put(const Market* m) noexcept nogil:
    """Without expiry, λ the negative root of σ²λ²/2 + (r - q - σ²/2)λ - r: (1 - B)(S/B)^λ with B = λ/(λ - 1).

    An expiry at σ√T >= MOST_DEVIATION takes less than e^{-σ²T/8}, 4e-9, off it.
    """
    cdef Put p
    cdef double a = (m.rate - m.carry) / (m.vol * m.vol) - 0.5, c = 2.0 * m.rate / (m.vol * m.vol), root, lam, b
    root = sqrt(a * a + c)
    lam = -a - root if a >= 0.0 else -c / (root - a)
    b = lam / (lam - 1.0)
    if m.spot <= b or lam == 0.0:
        p.price = 1.0 - m.spot if m.spot <= b else 1.0
        p.delta = -1.0 if m.spot <= b else 0.0
        p.gamma = 0.0
        return p
    p.price = (1.0 - b) * exp(lam * log(m.spot / b))
    p.delta = lam * p.price / m.spot
    p.gamma = (lam - 1.0) * p.delta / m.spot
    return p
