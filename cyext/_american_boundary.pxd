# cython: cdivision=True
# The early exercise boundary of an American put on strike 1, after Andersen, Lake & Offengenden (2016).
#
# With K = 1 the boundary depends on (expiry, rate, yield, vol) alone. ln²(B(τ)/X) is smooth in √τ and kept as a
# Chebyshev series in it; the fixed point is iterated at the Chebyshev nodes.
from libc.math cimport exp, log, sqrt, fabs, fmin, fmax, cos, isfinite, M_PI
from skewline.cyext._normal cimport norm_pdf, norm_cdf, INV_SQRT_2PI

cdef enum:
    MOST_POINTS = 33
    MOST_RULE = 128


cdef struct Scheme:
    # Lengths and tolerance of one accuracy level; rules are Gauss–Legendre on (0, π/2): sines, cosines, weights.
    int points
    int boundary_rule
    int price_rule
    int most_iterations
    double tolerance
    const double* boundary_sine
    const double* boundary_cosine
    const double* boundary_weight
    const double* price_sine
    const double* price_cosine
    const double* price_weight


cdef struct Market:
    double expiry
    double rate
    double carry
    double vol


cdef struct Boundary:
    Market market
    int points
    double ceiling                  # X = B(0+)
    double[MOST_POINTS] log_value   # ln B at the Chebyshev nodes, from τ = 0 on
    double[MOST_POINTS] series      # of ln²(B/X)
    bint converged


cdef inline double log_fall(const Boundary* b, double root_share) noexcept nogil:
    """ln(X/B(τ)) at √(τ/expiry) = root_share, by Clenshaw's recurrence."""
    cdef double z = 2.0 * root_share - 1.0
    cdef double b0 = 0.0, b1 = 0.0, b2 = 0.0
    cdef int k
    for k in range(b.points - 1, 0, -1):
        b2 = b1
        b1 = b0
        b0 = 2.0 * z * b1 - b2 + b.series[k]
    return sqrt(fmax(z * b0 - b1 + b.series[0], 0.0))


cdef inline double boundary_at(const Boundary* b, double root_share) noexcept nogil:
    """B(τ) at √(τ/expiry) = root_share."""
    return b.ceiling * exp(-log_fall(b, root_share))


cdef inline void fit_series(Boundary* b, const double* cosines) noexcept nogil:
    """Chebyshev coefficients through the nodes z_i = -cos(iπ/n); `cosines` holds cos(jπ/n) for j < 2n."""
    cdef int n = b.points - 1
    cdef double[MOST_POINTS] h
    cdef double total, sign
    cdef int i, k
    for i in range(n + 1):
        total = b.log_value[i] - b.log_value[0]
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


cdef inline double fixed_point(const Boundary* b, double tau, double log_value, Scheme scheme) noexcept nogil:
    """ln f(B) of the fixed point B = f(B) at one node: their system A, which contracts faster than B throughout."""
    cdef Market m = b.market
    cdef double share = sqrt(tau / m.expiry), v = m.vol * sqrt(tau)
    cdef double d = (log_value + (m.rate - m.carry) * tau) / v - 0.5 * v
    cdef double top, bottom, money, density, lag, w, lv, log_ratio
    cdef int j
    density = exp(-m.rate * tau) * norm_pdf(d) / v
    # B e^{-qτ} φ(d₊) = K e^{-rτ} φ(d₋), here and under the integral
    top = density
    bottom = density * exp(-log_value) + exp(-m.carry * tau) * norm_cdf(d + v)
    for j in range(scheme.boundary_rule):
        # time since: lag = τ sin², boundary then: τ - lag = τ cos²; both square roots are smooth in the angle
        lag = tau * scheme.boundary_sine[j] * scheme.boundary_sine[j]
        w = scheme.boundary_weight[j] * 2.0 * tau * scheme.boundary_sine[j] * scheme.boundary_cosine[j]
        lv = v * scheme.boundary_sine[j]
        log_ratio = log_value - b.log_value[0] + log_fall(b, share * scheme.boundary_cosine[j])
        d = (log_ratio + (m.rate - m.carry) * lag) / lv - 0.5 * lv
        money = w * exp(-m.rate * lag - 0.5 * d * d) * INV_SQRT_2PI / lv
        top += m.rate * money
        if m.carry != 0.0:
            bottom += m.carry * (money * exp(-log_ratio) + w * exp(-m.carry * lag) * norm_cdf(d + lv))
    return log(top / bottom)


cdef inline Boundary solve_boundary(Market m, Scheme scheme) noexcept nogil:
    """For rate > 0, vol > 0, expiry > 0. `converged` is False where the iteration did not settle."""
    cdef Boundary b
    cdef int n = scheme.points - 1
    cdef double[2 * MOST_POINTS] cosines
    cdef double[MOST_POINTS] fresh
    cdef double[MOST_POINTS] tau
    cdef double forever, h, share, ceiling, largest
    cdef int i, iteration
    b.market = m
    b.points = scheme.points
    b.converged = False
    b.ceiling = fmin(1.0, m.rate / m.carry) if m.carry > 0.0 else 1.0
    ceiling = log(b.ceiling)
    for i in range(2 * n):
        cosines[i] = cos(M_PI * i / n)
    forever = perpetual_boundary(m)
    for i in range(n + 1):
        share = 0.5 * (1.0 - cosines[i])
        tau[i] = m.expiry * share * share
        h = fmin((m.rate - m.carry) * tau[i] - 2.0 * m.vol * sqrt(tau[i]), 0.0) / fmax(1.0 - forever, 1e-12)
        b.log_value[i] = fmin(log(forever + (1.0 - forever) * exp(h)), ceiling)
    b.log_value[0] = ceiling
    fit_series(&b, cosines)
    for iteration in range(scheme.most_iterations):
        largest = 0.0
        for i in range(1, n + 1):
            fresh[i] = fixed_point(&b, tau[i], b.log_value[i], scheme)
            if not isfinite(fresh[i]):
                return b
            fresh[i] = fmin(fmax(fresh[i], b.log_value[i] - 0.7), ceiling)
            largest = fmax(largest, fabs(fresh[i] - b.log_value[i]))
        for i in range(1, n + 1):
            b.log_value[i] = fresh[i]
        fit_series(&b, cosines)
        if largest < scheme.tolerance:
            b.converged = True
            break
    return b
