# cython: cdivision=True
# The early exercise boundary of an American put on strike 1, after Andersen, Lake & Offengenden (2016).
#
# With K = 1 the boundary depends on (expiry, rate, yield, vol) alone. ln²(B(τ)/X) is smooth in √τ and kept as a
# Chebyshev series in it; the fixed point is iterated with Jacobi–Newton steps at the Chebyshev nodes.
from libc.math cimport exp, log, sqrt, fabs, fmin, fmax, cos, sin, isfinite, M_PI, NAN
from skewline.cyext._normal cimport norm_pdf, norm_cdf

cdef enum:
    MOST_POINTS = 33
    MOST_RULE = 128


cdef struct Scheme:
    # Lengths and tolerance of one accuracy level; rules are Gauss–Legendre on (0, π/2): angles and weights.
    int points
    int boundary_rule
    int price_rule
    int most_iterations
    double tolerance
    const double* boundary_angle
    const double* boundary_weight
    const double* price_angle
    const double* price_weight


cdef struct Market:
    double expiry
    double rate
    double carry
    double vol


cdef struct Boundary:
    Market market
    int points
    double ceiling              # X = B(0+)
    double[MOST_POINTS] value   # B at the Chebyshev nodes, from τ = 0 on
    double[MOST_POINTS] series  # of ln²(B/X)
    bint converged


cdef inline double boundary_at(const Boundary* b, double root_share) noexcept nogil:
    """B(τ) at √(τ/expiry) = root_share, by Clenshaw's recurrence."""
    cdef double z = 2.0 * root_share - 1.0
    cdef double b0 = 0.0, b1 = 0.0, b2 = 0.0
    cdef int k
    for k in range(b.points - 1, 0, -1):
        b2 = b1
        b1 = b0
        b0 = 2.0 * z * b1 - b2 + b.series[k]
    b0 = z * b0 - b1 + b.series[0]
    return b.ceiling * exp(-sqrt(fmax(b0, 0.0)))


cdef inline void fit_series(Boundary* b, const double* cosines) noexcept nogil:
    """Chebyshev coefficients through the nodes z_i = -cos(iπ/n); `cosines` holds cos(jπ/n) for j < 2n."""
    cdef int n = b.points - 1
    cdef double[MOST_POINTS] h
    cdef double total, sign
    cdef int i, k
    for i in range(n + 1):
        total = log(b.value[i] / b.ceiling)
        h[i] = total * total
    for k in range(n + 1):
        sign = 1.0 if k % 2 == 0 else -1.0
        total = 0.5 * (h[0] * sign + h[n])
        for i in range(1, n):
            # T_k(-cos(iπ/n)) = (-1)^k cos(kiπ/n)
            total += h[i] * sign * cosines[(k * i) % (2 * n)]
        b.series[k] = total * (2.0 / n)
    b.series[0] *= 0.5
    b.series[n] *= 0.5


cdef inline double perpetual_boundary(Market m) noexcept nogil:
    cdef double s2 = m.vol * m.vol
    cdef double drift = m.rate - m.carry - 0.5 * s2
    cdef double root = sqrt(drift * drift + 2.0 * m.rate * s2)
    # the negative root of σ²λ²/2 + (r - q - σ²/2)λ - r, written without cancellation
    cdef double lam = (-drift - root) / s2 if drift >= 0.0 else -2.0 * m.rate / (root - drift)
    return lam / (lam - 1.0)


cdef inline double fixed_point(const Boundary* b, double tau, double value, Scheme scheme, double* slope) noexcept nogil:
    """The right side of B = f(B) at one node, and its slope; system A near rate = carry, B elsewhere."""
    cdef Market m = b.market
    cdef double root = sqrt(tau), share = sqrt(tau / m.expiry)
    cdef double v = m.vol * root
    cdef double d_minus = log(value) / v + (m.rate - m.carry) * root / m.vol - 0.5 * v
    cdef double d_plus = d_minus + v
    cdef double over = 0.0, under = 0.0, angle, lag, w, lv, dm, dp, ratio, top, bottom, top_slope, bottom_slope, alpha
    cdef bint a = fabs(m.rate - m.carry) < 0.001
    cdef int j
    for j in range(scheme.boundary_rule):
        angle = scheme.boundary_angle[j]
        # time since: lag = τ sin², boundary then: τ - lag = τ cos²; both square roots are smooth in the angle
        lag = tau * sin(angle) * sin(angle)
        w = scheme.boundary_weight[j] * 2.0 * tau * sin(angle) * cos(angle)
        lv = m.vol * root * sin(angle)
        ratio = log(value / boundary_at(b, share * cos(angle)))
        dm = (ratio + (m.rate - m.carry) * lag) / lv - 0.5 * lv
        dp = dm + lv
        # e^{ru} with u = τ - lag; the common e^{rτ}, e^{qτ} go into the quotient below
        if a:
            over += w * exp(-m.rate * lag) * norm_pdf(dm) / lv
            under += w * exp(-m.carry * lag) * (norm_cdf(dp) + norm_pdf(dp) / lv)
        else:
            over += w * exp(-m.rate * lag) * norm_cdf(dm)
            under += w * exp(-m.carry * lag) * norm_cdf(dp)
    # N = e^{-rτ} φ or Φ(d-) + r ∫ e^{-r lag} ..., D likewise with q; f = N/D
    if a:
        top = exp(-m.rate * tau) * norm_pdf(d_minus) / v + m.rate * over
        bottom = exp(-m.carry * tau) * (norm_pdf(d_plus) / v + norm_cdf(d_plus)) + m.carry * under
        top_slope = -exp(-m.rate * tau) * norm_pdf(d_minus) * d_minus / (v * v * value)
        bottom_slope = exp(-m.carry * tau) * norm_pdf(d_plus) * (1.0 - d_plus / v) / (v * value)
    else:
        top = exp(-m.rate * tau) * norm_cdf(d_minus) + m.rate * over
        bottom = exp(-m.carry * tau) * norm_cdf(d_plus) + m.carry * under
        top_slope = exp(-m.rate * tau) * norm_pdf(d_minus) / (v * value)
        bottom_slope = exp(-m.carry * tau) * norm_pdf(d_plus) / (v * value)
    alpha = top / bottom
    slope[0] = (top_slope - alpha * bottom_slope) / bottom
    return alpha


cdef inline Boundary solve_boundary(Market m, Scheme scheme) noexcept nogil:
    """For rate > 0, vol > 0, expiry > 0. `converged` is False where the iteration did not settle."""
    cdef Boundary b
    cdef int n = scheme.points - 1
    cdef double[2 * MOST_POINTS] cosines
    cdef double[MOST_POINTS] fresh
    cdef double[MOST_POINTS] tau
    cdef double forever, h, f, slope, change, share, largest
    cdef int i, iteration
    b.market = m
    b.points = scheme.points
    b.converged = False
    b.ceiling = fmin(1.0, m.rate / m.carry) if m.carry > 0.0 else 1.0
    for i in range(2 * n):
        cosines[i] = cos(M_PI * i / n)
    forever = perpetual_boundary(m)
    for i in range(n + 1):
        share = 0.5 * (1.0 - cosines[i])
        tau[i] = m.expiry * share * share
        h = fmin((m.rate - m.carry) * tau[i] - 2.0 * m.vol * sqrt(tau[i]), 0.0) / fmax(1.0 - forever, 1e-12)
        b.value[i] = fmin(forever + (1.0 - forever) * exp(h), b.ceiling)
    b.value[0] = b.ceiling
    fit_series(&b, cosines)
    for iteration in range(scheme.most_iterations):
        largest = 0.0
        for i in range(1, n + 1):
            slope = 0.0
            f = fixed_point(&b, tau[i], b.value[i], scheme, &slope)
            change = (f - b.value[i]) / (1.0 - slope) if slope < 0.5 else f - b.value[i]
            fresh[i] = b.value[i] + change
            if not isfinite(fresh[i]):
                return b
            fresh[i] = fmin(fmax(fresh[i], 0.5 * b.value[i]), b.ceiling)
            largest = fmax(largest, fabs(fresh[i] / b.value[i] - 1.0))
        for i in range(1, n + 1):
            b.value[i] = fresh[i]
        fit_series(&b, cosines)
        if largest < scheme.tolerance:
            b.converged = True
            break
    return b
