# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Raw SVI slices: fits of many, and Durrleman's g, whose negative values are butterflies."""
from libc.math cimport fabs, fmax, fmin, isfinite, log, asinh, sinh, sqrt, NAN
from skewline.cyext._levmar cimport MOST
from skewline.cyext._levmar_search cimport Minimum
from skewline.cyext._pool cimport parallel_for
from skewline.cyext._status cimport ARBITRAGE, EXPIRED, NON_FINITE, NOT_CONVERGED, OK, OUT_OF_DOMAIN, TOO_FEW
from skewline.cyext._svi cimport Points, Raw, fit_slice, raw_of

cdef enum:
    PARAMETERS = 5
    LOOKS = 384     # at g, before the neighbourhoods of its least values are searched
    SLICES = 2      # that one thread takes at a time


cdef double butterfly_at(const Raw* s, double k) noexcept nogil:
    """g(k) = (1 - k w'/2w)² - w'²/4 (1/w + 1/4) + w''/2."""
    cdef double x = k - s.m, root = sqrt(x * x + s.sigma * s.sigma)
    cdef double w = s.a + s.b * (s.rho * x + root), slope = s.b * (s.rho + x / root)
    cdef double bend = s.b * s.sigma * s.sigma / (root * root * root), one = 1.0 - 0.5 * k * slope / w
    return one * one - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend


cdef double place(const Raw* s, double reach, double i) noexcept nogil:
    return s.m + s.sigma * sinh(reach * (2.0 * i / LOOKS - 1.0))


cdef double least_butterfly(const Raw* s) noexcept nogil:
    """The least of g over all k, from a grid that is fine about m and wide in the wings; NaN unless w > 0 throughout."""
    cdef double low = s.b * (1.0 - s.rho), high = s.b * (1.0 + s.rho), reach, least, left, right, one, two, near
    cdef double[LOOKS + 1] g
    cdef int i, j
    if not (s.sigma > 0.0 and s.b >= 0.0 and fabs(s.rho) <= 1.0 and isfinite(s.m)):
        return NAN
    if not s.a + s.b * s.sigma * sqrt(1.0 - s.rho * s.rho) > 0.0:
        return NAN
    reach = asinh(1e3 * fmax(1.0, fmax(fabs(s.m), s.sigma)) / s.sigma)
    least = fmin(0.25 - low * low / 16.0, 0.25 - high * high / 16.0)
    for i in range(LOOKS + 1):
        g[i] = butterfly_at(s, place(s, reach, i))
        least = fmin(least, g[i])
    near = least + 0.1
    for i in range(1, LOOKS):
        if g[i] > near or g[i] > g[i - 1] or g[i] > g[i + 1]:
            continue
        left, right = i - 1.0, i + 1.0
        for j in range(40):  # golden sections
            one, two = right - 0.6180339887498949 * (right - left), left + 0.6180339887498949 * (right - left)
            if butterfly_at(s, place(s, reach, one)) < butterfly_at(s, place(s, reach, two)):
                right = two
            else:
                left = one
        least = fmin(least, butterfly_at(s, place(s, reach, 0.5 * (left + right))))
    return least


cdef struct Fits:
    const double* forward
    const double* expiry
    const double* strikes
    const double* vols
    const double* weights
    const long long* offsets
    double* room            # three columns of the points
    double* out
    int* codes
    Py_ssize_t slices
    Py_ssize_t points


cdef inline int distinct(const Points* q) noexcept nogil:
    """How many different k there are, up to PARAMETERS."""
    cdef double[PARAMETERS] seen
    cdef int n = 0, j
    cdef Py_ssize_t i
    for j in range(PARAMETERS):
        seen[j] = 0.0
    for i in range(q.count):
        j = 0
        while j < n and seen[j] != q.k[i]:
            j += 1
        if j == n:
            seen[n] = q.k[i]
            n += 1
            if n == PARAMETERS:
                break
    return n


cdef Points points_of(const Fits* call, Py_ssize_t slice) noexcept nogil:
    cdef Points q
    cdef Py_ssize_t i, n = 0, start = call.offsets[slice]
    cdef double* k = call.room + start
    cdef double* vol = k + call.points
    cdef double* weight = vol + call.points
    cdef double x, w, variance
    q.k, q.vol, q.weight = k, vol, weight
    q.years = call.expiry[slice]
    q.weight_sum = q.most = 0.0
    q.lowest, q.highest = 1e300, -1e300
    for i in range(start, call.offsets[slice + 1]):
        w = call.weights[i] if call.weights != NULL else 1.0
        if not (call.strikes[i] > 0.0 and call.vols[i] > 0.0 and w > 0.0):
            continue
        x = log(call.strikes[i] / call.forward[slice])
        variance = call.vols[i] * call.vols[i] * q.years
        if not (isfinite(x) and 1e-100 < variance < 1e100 and 1e-100 < w < 1e100):
            continue
        k[n], vol[n], weight[n] = x, call.vols[i], w
        q.lowest, q.highest = fmin(q.lowest, x), fmax(q.highest, x)
        q.most = fmax(q.most, variance)
        q.weight_sum += w
        n += 1
    q.count = n
    return q


cdef void fit_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef Fits* call = <Fits*> context
    cdef Py_ssize_t n = call.slices
    cdef double[MOST] p
    cdef Points q
    cdef Minimum found
    cdef Raw s
    cdef int j, status = OK
    for j in range(PARAMETERS + 2):
        call.out[j * n + i] = NAN
    call.codes[i] = 0
    if not (isfinite(call.forward[i]) and isfinite(call.expiry[i])):
        status = NON_FINITE
    elif not call.expiry[i] > 0.0:
        status = EXPIRED
    elif not call.forward[i] > 0.0:
        status = OUT_OF_DOMAIN
    if status == OK:
        q = points_of(call, i)
        if distinct(&q) < PARAMETERS:
            status = TOO_FEW
    call.codes[n + i] = status
    if status != OK:
        return
    found = fit_slice(&q, p)
    call.codes[i] = found.iterations
    call.codes[n + i] = NOT_CONVERGED
    if not found.sse < 1e300:
        return
    s = raw_of(p)
    call.out[i], call.out[n + i], call.out[2 * n + i] = s.a, s.b, s.rho
    call.out[3 * n + i], call.out[4 * n + i] = s.m, s.sigma
    call.out[5 * n + i] = sqrt(found.sse / q.weight_sum)
    call.out[6 * n + i] = least_butterfly(&s)
    if found.converged:
        call.codes[n + i] = OK if call.out[6 * n + i] >= 0.0 else ARBITRAGE


def calibrate_many(const double[::1] forward, const double[::1] expiry, const double[::1] strikes,
                   const double[::1] vols, const double[::1] weights, const long long[::1] offsets,
                   double[:, ::1] room, double[:, ::1] out, int[:, ::1] codes, int threads):
    """Rows of `out`: a, b, rho, m, sigma, rmse, least g; of `codes`: iterations, status. `room` is (3, points)."""
    cdef Fits call
    call.slices, call.points = forward.shape[0], strikes.shape[0]
    if call.slices == 0:
        return
    call.forward, call.expiry, call.offsets = &forward[0], &expiry[0], &offsets[0]
    call.strikes = &strikes[0] if call.points else NULL
    call.vols = &vols[0] if call.points else NULL
    call.weights = &weights[0] if weights.shape[0] else NULL
    call.room = &room[0, 0] if call.points else NULL
    call.out, call.codes = &out[0, 0], &codes[0, 0]
    with nogil:
        parallel_for(fit_body, &call, call.slices, SLICES, threads)


def butterfly(const double[:] k, const double[:] a, const double[:] b, const double[:] rho, const double[:] m,
              const double[:] sigma, double[::1] out):
    """g at each k."""
    cdef Py_ssize_t i
    cdef Raw s
    with nogil:
        for i in range(out.shape[0]):
            s.a, s.b, s.rho, s.m, s.sigma = a[i], b[i], rho[i], m[i], sigma[i]
            out[i] = butterfly_at(&s, k[i])


def least_butterflies(const double[:] a, const double[:] b, const double[:] rho, const double[:] m,
                      const double[:] sigma, double[::1] out):
    """The least of g over all k, a slice each."""
    cdef Py_ssize_t i
    cdef Raw s
    with nogil:
        for i in range(out.shape[0]):
            s.a, s.b, s.rho, s.m, s.sigma = a[i], b[i], rho[i], m[i], sigma[i]
            out[i] = least_butterfly(&s)
