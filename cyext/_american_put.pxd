# cython: cdivision=True
# The American put on strike 1 with delta and gamma, whatever the signs of rate and carry yield.
from libc.math cimport exp, log, sqrt, fmax
from skewline.cyext._normal cimport norm_pdf, norm_cdf
from skewline.cyext._american_boundary cimport Market, Scheme, Boundary, boundary_at, solve_boundary
from skewline.cyext._american_tree cimport european_put, tree_put

cdef struct Put:
    double price
    double delta
    double gamma


cdef inline Put exercised(double spot) noexcept nogil:
    cdef Put p
    p.price = 1.0 - spot
    p.delta = -1.0
    p.gamma = 0.0
    return p


cdef inline Put certain_put(double spot, Market m) noexcept nogil:
    """Without volatility: the best of stopping now, at expiry, or where the gain e^{-rt} - S e^{-qt} is stationary."""
    cdef Put p
    cdef double t = 0.0, best = 1.0 - spot, at_end, x
    at_end = exp(-m.rate * m.expiry) - spot * exp(-m.carry * m.expiry)
    if at_end > best:
        best = at_end
        t = m.expiry
    if m.rate != m.carry and m.rate * m.carry > 0.0:
        x = log(m.rate / (m.carry * spot)) / (m.rate - m.carry)
        if 0.0 < x < m.expiry and exp(-m.rate * x) - spot * exp(-m.carry * x) > best:
            t = x
            best = exp(-m.rate * x) - spot * exp(-m.carry * x)
    p.price = fmax(best, 0.0)
    p.delta = -exp(-m.carry * t) if best > 0.0 else 0.0
    p.gamma = 0.0
    return p


cdef inline Put put_with_premium(double spot, const Boundary* b, Scheme scheme) noexcept nogil:
    """European value and the integral of what exercise below the boundary earns."""
    cdef Put p
    cdef Market m = b.market
    cdef double root = sqrt(m.expiry), v = m.vol * root
    cdef double d_minus, d_plus, sine, lag, w, lv, money, stock, value = 0.0, delta = 0.0, gamma = 0.0
    cdef int j
    if spot <= boundary_at(b, 1.0):
        return exercised(spot)
    d_minus = (log(spot) + (m.rate - m.carry) * m.expiry) / v - 0.5 * v
    d_plus = d_minus + v
    stock = exp(-m.carry * m.expiry)
    p.price = exp(-m.rate * m.expiry) * norm_cdf(-d_minus) - spot * stock * norm_cdf(-d_plus)
    p.delta = -stock * norm_cdf(-d_plus)
    p.gamma = stock * norm_pdf(d_plus) / (spot * v)
    for j in range(scheme.price_rule):
        sine = scheme.price_sine[j]
        lag = m.expiry * sine * sine
        w = scheme.price_weight[j] * 2.0 * m.expiry * sine * scheme.price_cosine[j]
        lv = v * sine
        d_minus = (log(spot / boundary_at(b, scheme.price_cosine[j])) + (m.rate - m.carry) * lag) / lv - 0.5 * lv
        d_plus = d_minus + lv
        money = w * m.rate * exp(-m.rate * lag)
        stock = w * m.carry * exp(-m.carry * lag)
        value += money * norm_cdf(-d_minus) - spot * stock * norm_cdf(-d_plus)
        money *= norm_pdf(d_minus) / (spot * lv)
        delta += -money - stock * norm_cdf(-d_plus) + stock * norm_pdf(d_plus) / lv
        gamma += money * (1.0 + d_minus / lv) / spot + stock * norm_pdf(d_plus) * (1.0 - d_plus / lv) / (spot * lv)
    p.price += value
    p.delta += delta
    p.gamma += gamma
    if p.price < 1.0 - spot:
        return exercised(spot)
    return p


cdef inline Put american_put(double spot, Market m, Scheme scheme) noexcept nogil:
    """Needs spot > 0, expiry > 0, vol >= 0, finite rates."""
    cdef Boundary b
    cdef Put p
    cdef double v = m.vol * sqrt(m.expiry), h
    if v < 1e-6:
        return certain_put(spot, m)
    if m.rate <= 0.0 and m.carry >= m.rate:
        # waiting earns at least what exercise would: the option is European
        h = (log(spot) + (m.rate - m.carry) * m.expiry) / v + 0.5 * v
        p.price = european_put(spot, m.expiry, m.rate, m.carry, m.vol)
        p.delta = -exp(-m.carry * m.expiry) * norm_cdf(-h)
        p.gamma = exp(-m.carry * m.expiry) * norm_pdf(h) / (spot * v)
        return p
    if m.rate > 0.0:
        b = solve_boundary(m, scheme)
        if b.converged:
            return put_with_premium(spot, &b, scheme)
    h = 0.1 * v * spot
    p.price = tree_put(spot, m.expiry, m.rate, m.carry, m.vol)
    p.delta = (tree_put(spot + h, m.expiry, m.rate, m.carry, m.vol)
               - tree_put(spot - h, m.expiry, m.rate, m.carry, m.vol)) / (2.0 * h)
    p.gamma = (tree_put(spot + h, m.expiry, m.rate, m.carry, m.vol)
               + tree_put(spot - h, m.expiry, m.rate, m.carry, m.vol) - 2.0 * p.price) / (h * h)
    return p
