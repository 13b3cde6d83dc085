# cython: cdivision=True
# One raw SVI slice, w(k) = a + b (ρ(k - m) + √((k - m)² + σ²)), fitted to vols: J. Gatheral, A parsimonious arbitrage-free
# implied volatility parameterization (2004). Searched in (w_min, l, r, m, ln σ), where w_min = a + bσ√(1 - ρ²) is the least
# variance and l² = b(1 - ρ), r² = b(1 + ρ) are the slopes of the wings: then what is admissible is a box.
from libc.math cimport exp, fabs, fmax, fmin, isfinite, log, sqrt
from skewline.cyext._levmar cimport MOST
from skewline.cyext._levmar_search cimport Minimum, minimise

cdef enum:
    ITERATIONS = 100
    CENTRES = 7     # of the grid that the starts are from
    WIDTHS = 5
    STARTS = 3      # descents, from the best of the grid

cdef extern from *:
    """
    static const double skw_svi_steepest = 2.0;  /* slope of a wing (R. Lee, 2004) */
    static const double skw_svi_least = 1e-6;    /* variance at the bottom at least, over the largest */
    """
    const double STEEPEST "skw_svi_steepest"
    const double LEAST "skw_svi_least"

# Usable points of a slice by log-moneyness, and what they say of its scales.
cdef struct Points:
    Py_ssize_t count
    const double* k
    const double* vol
    const double* weight
    double years
    double weight_sum
    double lowest           # k
    double highest
    double most             # variance

cdef struct Raw:
    double a
    double b
    double rho
    double m
    double sigma


cdef inline Raw raw_of(const double* p) noexcept nogil:
    cdef Raw s
    cdef double left = p[1] * p[1], right = p[2] * p[2]
    s.m = p[3]
    s.sigma = exp(p[4])
    s.b = 0.5 * (left + right)
    s.rho = (right - left) / (right + left) if s.b > 0.0 else 0.0
    s.a = p[0] - s.sigma * p[1] * p[2]
    return s


cdef inline double vol_equations(void* problem, const double* p, double* jtj, double* jtr) noexcept nogil:
    """Weighted squares of vol differences."""
    cdef Points* q = <Points*> problem
    cdef double sigma = exp(p[4]), half = 0.5 / q.years, product = p[1] * p[2], centre = 0.5 * (p[2] * p[2] - p[1] * p[1])
    cdef double slope = 0.5 * (p[2] * p[2] + p[1] * p[1]), base = p[0] - sigma * product
    cdef double x, root, vol, r, scale, weight, sse = 0.0
    cdef double[5] d
    cdef double[25] h
    cdef double[5] g
    cdef Py_ssize_t i
    cdef int j, n
    for j in range(5):
        g[j] = 0.0
    for j in range(25):
        h[j] = 0.0
    for i in range(q.count):
        x = q.k[i] - p[3]
        root = sqrt(x * x + sigma * sigma)
        vol = sqrt(fmax(base + centre * x + slope * root, 1e-300) / q.years)
        r = vol - q.vol[i]
        weight = q.weight[i]
        sse += weight * r * r
        if jtj == NULL:
            continue
        scale = half / vol
        d[0] = scale
        d[1] = scale * (p[1] * (root - x) - sigma * p[2])
        d[2] = scale * (p[2] * (root + x) - sigma * p[1])
        d[3] = -scale * (centre + slope * x / root)
        d[4] = scale * sigma * (slope * sigma / root - product)
        for j in range(5):
            g[j] += weight * d[j] * r
            for n in range(j + 1):
                h[5 * j + n] += weight * d[j] * d[n]
    if jtj != NULL:
        for j in range(5):
            jtr[j] = g[j]
            for n in range(j + 1):
                jtj[j * MOST + n] = jtj[n * MOST + j] = h[5 * j + n]
    return sse


cdef inline double start_at(const Points* q, double m, double sigma, double* p) noexcept nogil:
    """The best slice of that centre and width, and its error: given them w is linear in three parameters.

    S. De Marco & C. Martini, Quasi-explicit calibration of Gatheral's SVI model (Zeliade, 2009); slopes outside the box are
    brought to its edge, and the level is then the best for them.
    """
    cdef double[9] h
    cdef double[3] g
    cdef double[3] v
    cdef double x, y, w, weight, variance, det, left, right, up = 0.0, sum = 0.0, sse = 0.0, level, r, c, d
    cdef Py_ssize_t i
    cdef int j, n
    for j in range(9):
        h[j] = 0.0
    for j in range(3):
        g[j] = 0.0
    for i in range(q.count):
        x = (q.k[i] - m) / sigma
        v[0] = 1.0
        v[1] = x
        v[2] = sqrt(x * x + 1.0)
        variance = q.vol[i] * q.vol[i] * q.years
        weight = q.weight[i] / variance
        for j in range(3):
            g[j] += weight * v[j] * variance
            for n in range(j + 1):
                h[3 * j + n] += weight * v[j] * v[n]
    # eliminate the constant, then two by two
    y = h[4] - h[3] * h[3] / h[0]
    x = h[7] - h[6] * h[3] / h[0]
    w = h[8] - h[6] * h[6] / h[0]
    g[1] -= g[0] * h[3] / h[0]
    g[2] -= g[0] * h[6] / h[0]
    det = y * w - x * x
    c = d = 0.0
    if det > 1e-14 * y * w:
        d = (g[1] * w - g[2] * x) / det
        c = (g[2] * y - g[1] * x) / det
    elif y > 0.0:
        d = g[1] / y
        c = fabs(d)
    left = fmin(fmax((c - d) / sigma, 1e-4), STEEPEST)
    right = fmin(fmax((c + d) / sigma, 1e-4), STEEPEST)
    for i in range(q.count):
        x = q.k[i] - m
        r = sqrt(x * x + sigma * sigma)
        variance = q.vol[i] * q.vol[i] * q.years
        weight = q.weight[i] / variance
        up += weight * (variance - 0.5 * (right - left) * x - 0.5 * (right + left) * r)
        sum += weight
    level = fmax(up / sum + sigma * sqrt(left * right), 2.0 * LEAST * q.most)
    p[0] = level
    p[1] = sqrt(left)
    p[2] = sqrt(right)
    p[3] = m
    p[4] = log(sigma)
    return vol_equations(<void*> q, p, NULL, NULL)


cdef inline Minimum fit_slice(const Points* q, double* best) noexcept nogil:
    """The best of a few descents; `iterations` are those of all."""
    cdef double span = fmax(q.highest - q.lowest, 1e-8), error
    cdef double[STARTS][MOST] start
    cdef double[STARTS] sse
    cdef double[MOST] low
    cdef double[MOST] high
    cdef double[MOST] p
    cdef Minimum m, found
    cdef int i, j, n, at, iterations = 0
    for i in range(STARTS):
        sse[i] = 1e300
    for j in range(5):
        best[j] = 0.0
    for i in range(CENTRES):
        for j in range(WIDTHS):
            error = start_at(q, q.lowest + span * i / (CENTRES - 1.0), 0.02 * span * exp(1.1 * j), p)
            at = STARTS
            while at > 0 and error < sse[at - 1]:
                at -= 1
            if at == STARTS:
                continue
            for n in range(STARTS - 1, at, -1):
                sse[n] = sse[n - 1]
                start[n] = start[n - 1]
            sse[at] = error
            start[at] = p
    low[0], high[0] = LEAST * q.most, 2.0 * q.most
    low[1] = low[2] = 0.0
    high[1] = high[2] = sqrt(STEEPEST)
    low[3], high[3] = q.lowest - 2.0 * span, q.highest + 2.0 * span
    low[4], high[4] = log(1e-3 * span), log(20.0 * span)
    m.sse = m.first_sse = 1e300
    m.converged = False
    for i in range(STARTS):
        if sse[i] >= 1e300:
            continue
        p = start[i]
        found = minimise(5, p, low, high, vol_equations, <void*> q, ITERATIONS, 1e-10, 1e-14 * q.weight_sum)
        iterations += found.iterations
        if isfinite(found.sse) and found.sse < m.sse * (1.0 - 1e-9):
            m = found
            for j in range(5):
                best[j] = p[j]
    m.iterations = iterations
    return m
