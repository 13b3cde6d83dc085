# cython: cdivision=True
# Black-76, one option at a time, on the out-of-the-money side where prices keep their relative accuracy.
#
# Normalised: x = ln(F/K) <= 0 for the out-of-the-money call, s = σ√T, price in units of D√(FK).
# With h = x/s, t = s/2:  b = e^{x/2} Φ(h+t) - e^{-x/2} Φ(h-t).
from libc.math cimport exp, log, fabs, sqrt, isfinite, NAN, log1p
from skewline.cyext._normal cimport norm_pdf, norm_cdf, erfcx, SQRT_HALF, INV_SQRT_2PI
from skewline.cyext._status cimport (
    OK, BELOW_INTRINSIC, ABOVE_BOUND, NON_FINITE, EXPIRED, NOT_CONVERGED, OUT_OF_DOMAIN)

cdef extern from *:
    """
    static const double skw_sqrt_half_pi = 1.25331413731550025121;
    """
    const double SQRT_HALF_PI "skw_sqrt_half_pi"


cdef struct Greeks:
    double price
    double delta
    double gamma
    double vega
    double theta
    double rho
    double vanna
    double volga
    double charm


cdef struct ImpliedVol:
    double vol
    int status


cdef inline double log_ratio(double a, double b) noexcept nogil:
    """ln(a/b), accurate also where a and b are close."""
    cdef double change = (a - b) / b
    return log1p(change) if fabs(change) < 0.25 else log(a / b)


cdef inline double mills_difference(double h, double t) noexcept nogil:
    """Y(h+t) - Y(h-t) of Y(z) = Φ(z)/φ(z), for h <= 0 <= t, without cancellation.

    Where t is small the difference is 2t (I₁ + t²/3! I₃ + t⁴/5! I₅ + ...), I_n = ∫₀^∞ uⁿ e^{hu-u²/2} du = Y⁽ⁿ⁾(h). The
    I_n obey I_{n+1} = n I_{n-1} + h I_n, run upwards near the centre, downwards (by ratios) in the tail, as is stable.
    """
    cdef double a = fabs(h)
    cdef double i0, i1, i2, i3, i4, i5, i6, i7, ratio, t2
    cdef double[8] r
    cdef int n
    if t > 0.0025 * (a if a > 1.0 else 1.0):
        return SQRT_HALF_PI * (erfcx(-SQRT_HALF * (h + t)) - erfcx(-SQRT_HALF * (h - t)))
    i0 = SQRT_HALF_PI * erfcx(SQRT_HALF * a)
    if a < 3.0:
        i1 = 1.0 - a * i0
        i2 = i0 - a * i1
        i3 = 2.0 * i1 - a * i2
        i4 = 3.0 * i2 - a * i3
        i5 = 4.0 * i3 - a * i4
        i6 = 5.0 * i4 - a * i5
        i7 = 6.0 * i5 - a * i6
    else:
        ratio = 0.0
        for n in range(72 if a < 8.0 else 24, 7, -1):
            ratio = n / (a + ratio)
        for n in range(7, 0, -1):
            ratio = n / (a + ratio)
            r[n] = ratio
        i1 = i0 * r[1]
        i3 = i1 * r[2] * r[3]
        i5 = i3 * r[4] * r[5]
        i7 = i5 * r[6] * r[7]
    t2 = t * t
    return 2.0 * t * (i1 + t2 / 6.0 * (i3 + t2 / 20.0 * (i5 + t2 / 42.0 * i7)))


cdef inline double normalised_price(double x, double s) noexcept nogil:
    """Out-of-the-money price in units of D√(FK); x = -|ln(F/K)|, s = σ√T."""
    cdef double h, t
    if s <= 0.0:
        return 0.0
    h = x / s
    t = 0.5 * s
    if h + t > 1.0:
        return exp(0.5 * x) * norm_cdf(h + t) - exp(-0.5 * x) * norm_cdf(h - t)
    return INV_SQRT_2PI * exp(-0.5 * (h * h + t * t)) * mills_difference(h, t)


cdef inline double normalised_complement(double x, double s) noexcept nogil:
    """e^{x/2} - b: how far the price is from its upper bound."""
    cdef double h = x / s
    cdef double t = 0.5 * s
    return 0.5 * exp(-0.5 * (h * h + t * t)) * (erfcx(SQRT_HALF * (t + h)) + erfcx(SQRT_HALF * (t - h)))


cdef inline double normalised_vega(double x, double s) noexcept nogil:
    cdef double h = x / s
    return INV_SQRT_2PI * exp(-0.5 * (h * h + 0.25 * s * s))


cdef inline double black_price(bint is_call, double forward, double strike, double expiry, double discount,
                               double vol) noexcept nogil:
    """NaN outside the domain; the discounted intrinsic value where vol or expiry is zero."""
    cdef double intrinsic
    if not (isfinite(forward) and isfinite(strike) and isfinite(discount) and isfinite(expiry) and isfinite(vol)):
        return NAN
    if forward <= 0.0 or strike <= 0.0 or discount <= 0.0 or expiry < 0.0 or vol < 0.0:
        return NAN
    intrinsic = forward - strike if is_call else strike - forward
    if intrinsic < 0.0:
        intrinsic = 0.0
    return discount * (intrinsic + sqrt(forward) * sqrt(strike)
                       * normalised_price(-fabs(log_ratio(forward, strike)), vol * sqrt(expiry)))


cdef inline Greeks nan_greeks() noexcept nogil:
    cdef Greeks g
    g.price = g.delta = g.gamma = g.vega = g.theta = g.rho = g.vanna = g.volga = g.charm = NAN
    return g


cdef inline Greeks black_greeks(bint is_call, double forward, double strike, double expiry, double discount,
                                double vol) noexcept nogil:
    """Greeks with respect to the forward, the rate being -ln(discount)/expiry."""
    cdef Greeks g
    cdef double root, s, d1, d2, density, rate, sign, cdf, days = 365.0
    g.price = black_price(is_call, forward, strike, expiry, discount, vol)
    if g.price != g.price:
        return nan_greeks()
    sign = 1.0 if is_call else -1.0
    rate = -log(discount) / expiry if expiry > 0.0 else 0.0
    root = sqrt(expiry)
    s = vol * root
    g.gamma = g.vega = g.vanna = g.volga = g.charm = 0.0
    if s > 0.0:
        d1 = log_ratio(forward, strike) / s + 0.5 * s
        d2 = d1 - s
        density = discount * norm_pdf(d1)
        cdf = norm_cdf(sign * d1)
        g.gamma = density / (forward * s)
        g.vega = forward * density * root
        g.vanna = -density * d2 / vol
        g.volga = g.vega * d1 * d2 / vol
        # d1 moves with time to expiry by (σ²/2 - ln(F/K)/T) / (2σ√T) = -d2/(2T)
        g.charm = (sign * rate * discount * cdf + density * d2 / (2.0 * expiry)) / days
        g.theta = (rate * g.price - forward * density * vol / (2.0 * root)) / days
    else:
        cdf = 0.5 if forward == strike else (1.0 if sign * (forward - strike) > 0.0 else 0.0)
        g.charm = sign * rate * discount * cdf / days
        g.theta = rate * g.price / days
    g.delta = sign * discount * cdf
    g.rho = -expiry * g.price
    return g


cdef inline double solve_lower(double x, double target, double s_mid, int* status) noexcept nogil:
    """σ√T below the inflection: Halley on (-ln b)^{-1/2}, which is almost linear in s."""
    cdef double s = s_mid, low = 0.0, high = s_mid, goal, b, vega, level, g, slope, curve, step, halley
    cdef int i
    goal = 1.0 / sqrt(-log(target))
    for i in range(60):
        b = normalised_price(x, s)
        if b > target:
            high = s
        else:
            low = s
        if b > 0.0 and b < 1.0:
            vega = normalised_vega(x, s)
            level = -log(b)
            g = 1.0 / sqrt(level)
            slope = 0.5 * g / level * vega / b
            curve = vega / b * (1.5 / level - 1.0) + x * x / (s * s * s) - 0.25 * s
            step = (goal - g) / slope
            halley = 1.0 + 0.5 * step * curve
            if halley > 0.3:
                step /= halley
        else:
            step = high
        if not (low < s + step < high):
            if fabs(step) <= 1e-15 * s:
                return s
            step = 0.5 * (low + high) - s
        s += step
        if fabs(step) <= 1e-6 * s and fabs(step) < 0.5 * (high - low) or high - low <= 4e-16 * high:
            return s
    status[0] = NOT_CONVERGED
    return NAN


cdef inline double solve_upper(double x, double complement, double s_mid, int* status) noexcept nogil:
    """σ√T above the inflection: Halley on ln(e^{x/2} - b), a smooth and concave function of s."""
    cdef double s = s_mid if s_mid > 1e-8 else 1e-8
    cdef double low = 0.0, high = 1e300, goal = log(complement), c, vega, slope, curve, step, halley
    cdef int i
    for i in range(100):
        c = normalised_complement(x, s)
        if c <= 0.0:
            high = s
            s = 0.5 * (low + high)
            continue
        if c < complement:
            high = s
        else:
            low = s
        vega = normalised_vega(x, s)
        slope = -vega / c
        curve = x * x / (s * s * s) - 0.25 * s + vega / c
        step = (goal - log(c)) / slope
        halley = 1.0 + 0.5 * step * curve
        if halley > 0.3:
            step /= halley
        if not (low < s + step < high):
            if fabs(step) <= 1e-15 * s:
                return s
            step = (0.5 * (low + high) if high < 1e300 else 2.0 * s + 1.0) - s
        s += step
        if fabs(step) <= 1e-6 * s and step != 0.5 * (high - low) or high - low <= 4e-16 * high:
            return s
    status[0] = NOT_CONVERGED
    return NAN


cdef inline double normalised_implied(double x, double value, int* status) noexcept nogil:
    """σ√T of the out-of-the-money price `value` in units of D√(FK); NaN with a status where there is none."""
    cdef double bound = exp(0.5 * x)
    cdef double s_mid
    if not value > 0.0:
        status[0] = BELOW_INTRINSIC
        return NAN
    if value >= bound:
        status[0] = ABOVE_BOUND
        return NAN
    status[0] = OK
    s_mid = sqrt(2.0 * fabs(x))
    if value < normalised_price(x, s_mid):
        return solve_lower(x, value, s_mid, status)
    return solve_upper(x, bound - value, s_mid, status)


cdef inline ImpliedVol black_implied_vol(bint is_call, double price, double forward, double strike, double expiry,
                                         double discount) noexcept nogil:
    cdef ImpliedVol result
    cdef double intrinsic, value
    result.vol = NAN
    if not (isfinite(price) and isfinite(forward) and isfinite(strike) and isfinite(expiry) and isfinite(discount)):
        result.status = NON_FINITE
        return result
    if expiry <= 0.0:
        result.status = EXPIRED
        return result
    if forward <= 0.0 or strike <= 0.0 or discount <= 0.0:
        result.status = OUT_OF_DOMAIN
        return result
    intrinsic = forward - strike if is_call else strike - forward
    if intrinsic < 0.0:
        intrinsic = 0.0
    value = (price / discount - intrinsic) / (sqrt(forward) * sqrt(strike))
    result.vol = normalised_implied(-fabs(log_ratio(forward, strike)), value, &result.status) / sqrt(expiry)
    return result
