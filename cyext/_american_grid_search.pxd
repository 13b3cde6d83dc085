# cython: cdivision=True
# The search for one option's volatility, a trial at a time, so that many go through the grid side by side.
from libc.math cimport exp, fabs, fmax, fmin, sqrt, NAN, INFINITY
from skewline.cyext._american_grid_plan cimport LEAST_DEVIATION, Schedule, Scheme, Terms, lost, most_deviation
from skewline.cyext._black cimport black_greeks, black_implied_vol
from skewline.cyext._status cimport OK, NOT_CONVERGED, OUT_OF_DOMAIN

cdef enum:
    MOST_TRIALS = 80

cdef struct Search:
    Py_ssize_t option
    int trial
    double price
    double tiny
    double low
    double high
    double vol
    double last_vol
    double last_error
    double first_slope
    double most
    bint guessed
    bint done
    int status


cdef inline void start(Search* s, Py_ssize_t option, Terms t, double price, const Schedule* dividends,
                       const Scheme* scheme) noexcept nogil:
    """From the European volatility for the forward less its dividends, which is near."""
    cdef double growth = exp((t.rate - t.carry) * t.expiry), discount = exp(-t.rate * t.expiry), root = sqrt(t.expiry)
    cdef double forward = fmax(t.spot - lost(t, dividends), 0.05 * t.spot) * growth
    cdef double guess = black_implied_vol(t.is_call, price, forward, t.strike, t.expiry, discount).vol
    s.option = option
    s.trial = 0
    s.price = price
    s.tiny = 1e-13 * t.strike
    s.low = 0.0
    s.high = INFINITY
    s.most = most_deviation(t, dividends, scheme) / root
    s.guessed = LEAST_DEVIATION / root < guess < s.most
    s.vol = guess if s.guessed else 0.5 / root
    s.last_vol = s.last_error = NAN
    s.first_slope = black_greeks(t.is_call, forward, t.strike, t.expiry, discount, s.vol).vega
    s.done = False
    s.status = NOT_CONVERGED


cdef inline void advance(Search* s, double error) noexcept nogil:
    """One step of the secant method inside a bracket; `error` is that of s.vol."""
    cdef double slope, next
    s.trial += 1
    if error != error or s.trial > MOST_TRIALS:
        s.done = True
        return
    if error >= 0.0:
        s.high = s.vol
    else:
        s.low = s.vol
    if fabs(error) < s.tiny or s.high - s.low < 1e-12 * s.high:
        s.status = OK
        s.done = True
        return
    slope = s.first_slope
    if s.last_vol == s.last_vol and error != s.last_error:
        slope = (error - s.last_error) / (s.vol - s.last_vol)
    s.last_vol = s.vol
    s.last_error = error
    next = s.vol - error / slope if slope > 0.0 and s.trial % 8 != 0 else NAN
    if not (s.low < next < s.high):
        if s.high < INFINITY:
            next = 0.5 * (s.low + s.high)
        elif s.low >= s.most:
            s.status = OUT_OF_DOMAIN
            s.done = True
            return
        else:
            next = fmin(2.0 * s.low if not s.guessed or s.trial > 4 else 1.0001 * s.low, s.most)
    s.vol = next
