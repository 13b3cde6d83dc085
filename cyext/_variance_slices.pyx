# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Parametric slices of total variance: eSSVI along a chain, fitted by Levenberg–Marquardt."""
from libc.math cimport exp, isfinite, log, sqrt, tanh
from skewline.cyext._essvi cimport Slice, admissible, essvi_variance
from skewline.cyext._levmar cimport MOST
from skewline.cyext._levmar_search cimport Minimum, minimise
from skewline.cyext._status cimport OK, NOT_CONVERGED

cdef enum:
    ITERATIONS = 60

cdef double MOST_RHO = 0.999

cdef struct Quotes:
    Py_ssize_t count
    const double* k
    const double* vol
    const double* width
    double root             # of the years to expiry
    const Slice* before     # eSSVI's slice of the expiry before


cdef inline Slice slice_of(const Quotes* q, const double* p) noexcept nogil:
    return admissible(exp(p[0]), MOST_RHO * tanh(p[1]), exp(p[2]), q.before)


cdef double essvi_equations(void* problem, const double* p, double* jtj, double* jtr) noexcept nogil:
    """Errors in vol over the quote's width, far ones counted by their size alone (2√(1 + r²) - 2 for r²)."""
    cdef Quotes* q = <Quotes*> problem
    cdef double step = 1e-6, r, soft, sse = 0.0
    cdef Slice at = slice_of(q, p)
    cdef Slice[3] moved
    cdef double[3] shifted
    cdef double[3] d
    cdef double[9] h
    cdef double[3] g
    cdef Py_ssize_t i
    cdef int a, b
    if jtj != NULL:
        for a in range(3):
            for b in range(3):
                shifted[b] = p[b] + (step if a == b else 0.0)
                h[3 * a + b] = 0.0
            moved[a] = slice_of(q, shifted)
            g[a] = 0.0
    for i in range(q.count):
        r = (sqrt(essvi_variance(at, q.k[i])) / q.root - q.vol[i]) / q.width[i]
        soft = sqrt(1.0 + r * r)
        sse += 2.0 * r * r / (soft + 1.0)
        if jtj == NULL:
            continue
        for a in range(3):
            d[a] = ((sqrt(essvi_variance(moved[a], q.k[i])) / q.root - q.vol[i]) / q.width[i] - r) / step
            g[a] += d[a] * r / soft
            for b in range(a + 1):
                h[3 * a + b] += d[a] * d[b] / soft
    if jtj != NULL:
        for a in range(3):
            jtr[a] = g[a]
            for b in range(a + 1):
                jtj[a * MOST + b] = jtj[b * MOST + a] = h[3 * a + b]
    return sse


cdef double at_the_money(const Quotes* q) noexcept nogil:
    """Total variance at k = 0, between the nearest quotes."""
    cdef Py_ssize_t i = 0
    cdef double share, vol
    while i < q.count - 1 and q.k[i + 1] < 0.0:
        i += 1
    vol = q.vol[i]
    if i < q.count - 1 and q.k[i] < 0.0:
        share = -q.k[i] / (q.k[i + 1] - q.k[i])
        vol += share * (q.vol[i + 1] - vol)
    return vol * vol * q.root * q.root


def essvi(const double[::1] k, const double[::1] vol, const double[::1] width, const double[::1] years,
          const long long[::1] offsets, double[:, ::1] slices, double[::1] rmse, int[:, ::1] codes):
    """Fit the expiries one after another, each free of calendar arbitrage against the last that went well.

    Expiries whose codes[1] is not OK are left out.
    """
    cdef Py_ssize_t i, j, start
    cdef Quotes q
    cdef Slice last, found
    cdef bint any = False
    cdef double[MOST] p
    cdef double[MOST] low
    cdef double[MOST] high
    cdef double level, error
    cdef Minimum m
    with nogil:
        for i in range(offsets.shape[0] - 1):
            if codes[1, i] != OK:
                continue
            start = offsets[i]
            q.count = offsets[i + 1] - start
            q.k = &k[start]
            q.vol = &vol[start]
            q.width = &width[start]
            q.root = sqrt(years[i])
            q.before = &last if any else NULL
            level = at_the_money(&q)
            p[0] = log(level)
            p[1] = -0.8
            p[2] = 0.5 * p[0]
            low[0] = p[0] - 2.0
            high[0] = p[0] + 2.0
            low[1] = -4.0
            high[1] = 4.0
            low[2] = p[2] - 8.0
            high[2] = 1.4
            p[2] = min(p[2], 1.0)
            m = minimise(3, p, low, high, essvi_equations, &q, ITERATIONS, 1e-7, 1e-9 * q.count)
            found = slice_of(&q, p)
            error = 0.0
            for j in range(q.count):
                error += (sqrt(essvi_variance(found, q.k[j])) / q.root - q.vol[j]) ** 2
            slices[0, i] = found.theta
            slices[1, i] = found.rho
            slices[2, i] = found.psi
            rmse[i] = sqrt(error / q.count)
            codes[0, i] = m.iterations
            if not isfinite(rmse[i]):
                codes[1, i] = NOT_CONVERGED
                continue
            last = found
            any = True
