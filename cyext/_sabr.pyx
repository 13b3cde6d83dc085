# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""SABR: smiles by Hagan's formula, and its fit by Levenberg–Marquardt with the analytic Jacobian."""
from cython.parallel cimport prange
from libc.math cimport fabs, sqrt, pow, log, isfinite, NAN
from libc.stdlib cimport malloc, free
from skewline.cyext._levmar cimport Minimum, minimise, MOST
from skewline.cyext._sabr cimport Strike, Vol, sabr_strike, sabr_vol
from skewline.cyext._status cimport OK, NON_FINITE, EXPIRED, NOT_CONVERGED, OUT_OF_DOMAIN, TOO_FEW

cdef struct Smile:
    int size
    double expiry
    double beta
    Strike* strikes
    double* vols
    double* weights


cdef struct Fit:
    double alpha
    double rho
    double nu
    double rmse
    int iterations
    int status


cdef double RHO_BOUND = 0.9999
cdef double NU_BOUND = 50.0


def implied_vol(const double[:] forward, const double[:] strike, const double[:] expiry, const double[:] alpha,
                const double[:] beta, const double[:] rho, const double[:] nu, const double[:] shift,
                double[::1] out, int threads):
    cdef Py_ssize_t i
    for i in prange(out.shape[0], nogil=True, schedule="static", num_threads=threads):
        out[i] = checked_vol(forward[i] + shift[i], strike[i] + shift[i], expiry[i], alpha[i], beta[i], rho[i], nu[i])


cdef double checked_vol(double forward, double strike, double expiry, double alpha, double beta, double rho,
                        double nu) noexcept nogil:
    cdef double value
    if not (forward > 0.0 and strike > 0.0 and expiry >= 0.0 and alpha > 0.0 and 0.0 <= beta <= 1.0
            and fabs(rho) < 1.0 and nu >= 0.0):
        return NAN
    value = sabr_vol(sabr_strike(forward, strike, beta), expiry, alpha, beta, rho, nu).value
    return value if isfinite(value) else NAN


cdef double equations(void* problem, const double* p, double* jtj, double* jtr) noexcept nogil:
    cdef Smile* smile = <Smile*> problem
    cdef Vol v
    cdef double r, w, sse = 0.0
    cdef double h00 = 0, h01 = 0, h02 = 0, h11 = 0, h12 = 0, h22 = 0, g0 = 0, g1 = 0, g2 = 0
    cdef int i
    for i in range(smile.size):
        v = sabr_vol(smile.strikes[i], smile.expiry, p[0], smile.beta, p[1], p[2])
        r = v.value - smile.vols[i]
        w = smile.weights[i]
        sse += w * r * r
        h00 += w * v.d_alpha * v.d_alpha
        h01 += w * v.d_alpha * v.d_rho
        h02 += w * v.d_alpha * v.d_nu
        h11 += w * v.d_rho * v.d_rho
        h12 += w * v.d_rho * v.d_nu
        h22 += w * v.d_nu * v.d_nu
        g0 += w * v.d_alpha * r
        g1 += w * v.d_rho * r
        g2 += w * v.d_nu * r
    if jtj != NULL:
        jtj[0] = h00
        jtj[1] = jtj[MOST] = h01
        jtj[2] = jtj[2 * MOST] = h02
        jtj[MOST + 1] = h11
        jtj[MOST + 2] = jtj[2 * MOST + 1] = h12
        jtj[2 * MOST + 2] = h22
        jtr[0] = g0
        jtr[1] = g1
        jtr[2] = g2
    return sse


cdef void starting_point(Smile* smile, double forward, double* p) noexcept nogil:
    """From the weighted parabola of vol against log-moneyness: level, slope and curvature give α, ρ and ν."""
    cdef double m[5]
    cdef double y[3]
    cdef double w, l, power, det, level, slope, curve, c, variance
    cdef int i, j
    for j in range(5):
        m[j] = 0.0
    for j in range(3):
        y[j] = 0.0
    for i in range(smile.size):
        l = -smile.strikes[i].log_moneyness
        # near the money counts most: the expansion holds there
        w = smile.weights[i] / (1.0 + 25.0 * l * l / (smile.vols[i] * smile.vols[i] * (smile.expiry + 0.02)) * 0.04)
        power = w
        for j in range(5):
            m[j] += power
            if j < 3:
                y[j] += power * smile.vols[i]
            power *= l
    level = y[0] / m[0]
    slope = 0.0
    curve = 0.0
    det = m[0] * (m[2] * m[4] - m[3] * m[3]) - m[1] * (m[1] * m[4] - m[2] * m[3]) + m[2] * (m[1] * m[3] - m[2] * m[2])
    if smile.size > 2 and det > 1e-12 * m[0] * m[2] * m[4] and det > 0.0:
        level = (y[0] * (m[2] * m[4] - m[3] * m[3]) - m[1] * (y[1] * m[4] - m[3] * y[2])
                 + m[2] * (y[1] * m[3] - m[2] * y[2])) / det
        slope = (m[0] * (y[1] * m[4] - y[2] * m[3]) - y[0] * (m[1] * m[4] - m[2] * m[3])
                 + m[2] * (m[1] * y[2] - y[1] * m[2])) / det
        curve = (m[0] * (m[2] * y[2] - m[3] * y[1]) - m[1] * (m[1] * y[2] - m[2] * y[1])
                 + y[0] * (m[1] * m[3] - m[2] * m[2])) / det
    elif smile.size > 1 and m[0] * m[2] - m[1] * m[1] > 1e-12 * m[0] * m[2]:
        slope = (m[0] * y[1] - m[1] * y[0]) / (m[0] * m[2] - m[1] * m[1])
        level = (y[0] - slope * m[1]) / m[0]
    if level < 0.01:
        level = y[0] / m[0]
    c = 2.0 * slope + (1.0 - smile.beta) * level
    variance = 6.0 * level * curve + 1.5 * c * c
    p[2] = sqrt(variance) if variance > 0.01 else 0.1
    if p[2] < 1.05 * fabs(c):
        p[2] = 1.05 * fabs(c)
    if p[2] > 0.5 * NU_BOUND:
        p[2] = 0.5 * NU_BOUND
    p[1] = c / p[2]
    if fabs(p[1]) > 0.95:
        p[1] = 0.95 if p[1] > 0.0 else -0.95
    p[0] = level * pow(forward, 1.0 - smile.beta)


cdef void search(Smile* smile, double forward, Fit* fit) noexcept nogil:
    """The best of a few descents; the later starts are tried only where the first did not end well."""
    cdef double[MOST] p
    cdef double[MOST] first
    cdef double[MOST] low
    cdef double[MOST] high
    cdef double best = -1.0, total = 0.0, level = 0.0
    cdef Minimum m
    cdef int attempt, i
    cdef bint good
    starting_point(smile, forward, first)
    low[0] = 1e-6 * first[0]
    high[0] = 1e3 * first[0]
    low[1] = -RHO_BOUND
    high[1] = RHO_BOUND
    low[2] = 1e-6
    high[2] = NU_BOUND
    fit.iterations = 0
    fit.status = NOT_CONVERGED
    for i in range(smile.size):
        total += smile.weights[i]
        level += smile.weights[i] * smile.vols[i]
    level /= total
    for attempt in range(4):
        p[0] = first[0]
        p[1] = first[1] if attempt == 0 else (-0.5 if attempt == 1 else (0.5 if attempt == 2 else 0.0))
        p[2] = first[2] if attempt == 0 else (1.0 if attempt < 3 else 0.2)
        m = minimise(3, p, low, high, equations, smile, 100, 1e-10, 1e-14 * total)
        fit.iterations += m.iterations
        good = (m.converged and fabs(p[1]) < 0.999 * RHO_BOUND and p[2] < 0.999 * NU_BOUND
                and m.sse <= 4e-4 * level * level * total)
        if isfinite(m.sse) and (best < 0.0 or m.sse < best * (1.0 - 1e-9)):
            best = m.sse
            fit.alpha = p[0]
            fit.rho = p[1]
            fit.nu = p[2]
            fit.status = OK if m.converged else NOT_CONVERGED
        if good:
            break
    fit.rmse = sqrt(best / total) if best >= 0.0 else NAN


cdef Fit fit_smile(double forward, double expiry, const double* strikes, const double* vols, const double* weights,
                   int count, double beta, double shift, Strike* own_strikes, double* own_vols,
                   double* own_weights) noexcept nogil:
    cdef Fit fit
    cdef Smile smile
    cdef double w, k, previous = NAN, slope = 0.0
    cdef int i, j, distinct = 0
    cdef bint seen
    fit.alpha = fit.rho = fit.nu = fit.rmse = NAN
    fit.iterations = 0
    forward += shift
    if not (isfinite(forward) and isfinite(expiry)):
        fit.status = NON_FINITE
        return fit
    if expiry <= 0.0:
        fit.status = EXPIRED
        return fit
    if forward <= 0.0:
        fit.status = OUT_OF_DOMAIN
        return fit
    smile.size = 0
    smile.expiry = expiry
    smile.beta = beta
    smile.strikes = own_strikes
    smile.vols = own_vols
    smile.weights = own_weights
    for i in range(count):
        k = strikes[i] + shift
        w = weights[i] if weights != NULL else 1.0
        if not (isfinite(k) and isfinite(vols[i]) and isfinite(w) and k > 0.0 and vols[i] > 0.0 and w > 0.0):
            continue
        smile.strikes[smile.size] = sabr_strike(forward, k, beta)
        smile.vols[smile.size] = vols[i]
        smile.weights[smile.size] = w
        seen = False
        if distinct < 3:
            for j in range(smile.size):
                if smile.strikes[j].log_moneyness == smile.strikes[smile.size].log_moneyness:
                    seen = True
            if not seen:
                distinct += 1
        smile.size += 1
    if smile.size == 0:
        fit.status = TOO_FEW
        return fit
    search(&smile, forward, &fit)
    if distinct < 3:
        fit.status = TOO_FEW
    return fit


def calibrate_many(const double[::1] forward, const double[::1] expiry, const double[::1] strikes,
                   const double[::1] vols, const double[::1] weights, const long long[::1] offsets, double beta,
                   const double[::1] shift, double[:, ::1] out, int[:, ::1] codes, int threads):
    """Fit the smiles that lie one after another in `strikes`, from offsets[i] to offsets[i+1]."""
    cdef Py_ssize_t i, start, total = strikes.shape[0]
    cdef bint weighted = weights.shape[0] > 0
    cdef Strike* own_strikes = <Strike*> malloc((total + 1) * sizeof(Strike))
    cdef double* own_vols = <double*> malloc((total + 1) * sizeof(double))
    cdef double* own_weights = <double*> malloc((total + 1) * sizeof(double))
    cdef const double* k = &strikes[0] if total else NULL
    cdef const double* v = &vols[0] if total else NULL
    cdef const double* w = &weights[0] if weighted else NULL
    cdef Fit fit
    try:
        if own_strikes == NULL or own_vols == NULL or own_weights == NULL:
            raise MemoryError
        for i in prange(forward.shape[0], nogil=True, schedule="dynamic", num_threads=threads):
            start = offsets[i]
            fit = fit_smile(forward[i], expiry[i], k + start, v + start, w + start if weighted else NULL,
                            <int> (offsets[i + 1] - start), beta, shift[i], own_strikes + start, own_vols + start,
                            own_weights + start)
            out[0, i] = fit.alpha
            out[1, i] = fit.rho
            out[2, i] = fit.nu
            out[3, i] = fit.rmse
            codes[0, i] = fit.iterations
            codes[1, i] = fit.status
    finally:
        free(own_strikes)
        free(own_vols)
        free(own_weights)
