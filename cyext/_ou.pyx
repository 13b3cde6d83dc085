# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Exact maximum likelihood of an Ornstein–Uhlenbeck process: at equal steps an AR(1) in closed form, else a search."""
from libc.math cimport exp, fabs, log, log1p, sqrt, isfinite, NAN, INFINITY
from libc.stdlib cimport malloc, free
from skewline.cyext._isa import level
from skewline.cyext._ou_loops cimport SKW_OU_ROOM, skw_ou, skw_ou_line, skw_ou_loops, skw_ou_path
from skewline.cyext._ou_search cimport Peak, curvature_of, highest
from skewline.cyext._pool cimport parallel_for
from skewline.cyext._status cimport OK, NON_FINITE, NOT_CONVERGED, OUT_OF_DOMAIN, TOO_FEW

cdef const skw_ou_loops* loops = skw_ou(level())

cdef enum:
    # Series that one thread takes at a time.
    CHUNK = 16

cdef struct Fit:
    double kappa
    double mean
    double sigma
    double half_life
    double kappa_error
    double mean_error
    double sigma_error
    double kappa_bias
    double log_likelihood
    int pairs
    int status


cdef struct Call:
    const double* rows
    const double* steps
    double* out
    int* codes
    double dt
    Py_ssize_t steps_stride
    Py_ssize_t series
    Py_ssize_t length
    int out_of_memory


cdef Fit nothing(int status, Py_ssize_t pairs) noexcept nogil:
    cdef Fit f
    f.kappa = f.mean = f.sigma = f.half_life = NAN
    f.kappa_error = f.mean_error = f.sigma_error = f.kappa_bias = f.log_likelihood = NAN
    f.pairs = <int> pairs
    f.status = status
    return f


cdef double bias_of(double b, Py_ssize_t steps, double dt) noexcept nogil:
    return (5.0 + 2.0 / b + 1.0 / (b * b)) / (2.0 * steps * dt)


cdef Fit fit_one(const double* x, Py_ssize_t n, double dt) noexcept nogil:
    """Steps with a missing end are left out: the likelihood of the rest is still exact."""
    cdef skw_ou_line line = loops.line(x, n)
    cdef Fit f = nothing(OK, line.steps)
    cdef double s = line.slope, b = 1.0 + s, variance, g, g_b, tail, slope_variance
    if line.steps < 3:
        f.status = NON_FINITE if n > 3 else TOO_FEW
        return f
    if not (line.sxx > 0.0 and isfinite(line.sxx) and b > 0.0):
        f.status = OUT_OF_DOMAIN
        return f
    variance = line.sse / line.steps
    slope_variance = variance / line.sxx
    f.kappa = -log1p(s) / dt
    f.half_life = log(2.0) / f.kappa if f.kappa > 0.0 else INFINITY
    # g(b) = 2κ/(1 - b²) = σ²/variance and its derivative, by their series about b = 1 where the closed forms cancel
    if fabs(s) < 1e-3:
        g = (1.0 - s * (1.0 - s * (5.0 / 6 - s * (2.0 / 3 - s * (8.0 / 15 - s * 13.0 / 30))))) / dt
        g_b = (-1.0 + s * (5.0 / 3 - s * (2.0 - s * (32.0 / 15 - s * 13.0 / 6)))) / dt
    else:
        g = 2.0 * f.kappa / (-s * (1.0 + b))
        g_b = (2.0 / (b * dt) - 2.0 * b * g) / (s * (1.0 + b))
    f.sigma = sqrt(variance * g)
    f.kappa_error = sqrt(slope_variance) / (b * dt)
    f.sigma_error = sqrt(g * variance / (2.0 * line.steps) + variance * g_b * g_b / (4.0 * g) * slope_variance)
    f.kappa_bias = bias_of(b, line.steps, dt)
    if variance > 0.0:
        f.log_likelihood = -0.5 * line.steps * (log(6.283185307179586477 * variance) + 1.0)
    if s != 0.0:
        tail = -line.rise / s
        f.mean = line.centre + tail
        f.mean_error = sqrt(variance / line.steps + slope_variance * tail * tail) / fabs(s)
    return f


cdef Fit fit_path(skw_ou_path* path, Py_ssize_t n) noexcept nogil:
    """Of the series that `path` was prepared from; standard errors from the information observed at the maximum."""
    cdef Py_ssize_t size = path.size
    cdef Fit f = nothing(OK, size)
    cdef double variance, kappa_variance, drift_variance, with_drift, tail, one = path.x_unit
    cdef Peak peak
    if size < 3:
        f.status = NON_FINITE if n > 3 else TOO_FEW
        return f
    if not (path.sxx > 0.0 and isfinite(path.sxx) and isfinite(path.total)):
        f.status = OUT_OF_DOMAIN
        return f
    peak = highest(loops, path)
    if not (peak.found and peak.converged):
        f.status = NOT_CONVERGED if peak.found else OUT_OF_DOMAIN
        return f
    variance = peak.at.s / size
    kappa_variance = 2.0 / curvature_of(path, &peak.at) if variance > 0.0 else 0.0
    drift_variance = 2.0 * variance / peak.at.saa
    with_drift = -peak.at.ska / peak.at.saa
    f.kappa = peak.kappa / path.t_unit
    f.half_life = log(2.0) / f.kappa if f.kappa > 0.0 else INFINITY
    f.sigma = one * sqrt(variance / path.t_unit)
    f.kappa_error = sqrt(kappa_variance) / path.t_unit
    f.sigma_error = 0.5 * f.sigma * sqrt((2.0 + peak.at.l1 * peak.at.l1 / size * kappa_variance) / size)
    f.kappa_bias = bias_of(exp(-peak.kappa * path.total / size), size, path.total / size * path.t_unit)
    if variance > 0.0:
        f.log_likelihood = -0.5 * (size * (log(6.283185307179586477 * variance) + 1.0 + 2.0 * log(one)) + peak.log_sum)
    if peak.kappa != 0.0:
        tail = peak.at.a / peak.kappa
        f.mean = path.centre + one * tail
        f.mean_error = one * sqrt(drift_variance + (with_drift - tail) ** 2 * kappa_variance) / fabs(peak.kappa)
    return f


cdef void store(const Fit* f, Py_ssize_t i, Py_ssize_t series, double* out, int* codes) noexcept nogil:
    out[i] = f.kappa
    out[series + i] = f.mean
    out[2 * series + i] = f.sigma
    out[3 * series + i] = f.half_life
    out[4 * series + i] = f.kappa_error
    out[5 * series + i] = f.mean_error
    out[6 * series + i] = f.sigma_error
    out[7 * series + i] = f.kappa_bias
    out[8 * series + i] = f.log_likelihood
    codes[i] = f.status
    codes[series + i] = f.pairs


cdef void row_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef Call* call = <Call*> context
    cdef Fit f = fit_one(call.rows + i * call.length, call.length, call.dt)
    store(&f, i, call.series, call.out, call.codes)


cdef void path_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef Call* call = <Call*> context
    cdef skw_ou_path path
    cdef Fit f
    cdef double* room = <double*> malloc(SKW_OU_ROOM * call.length * sizeof(double))
    if room == NULL:
        call.out_of_memory = 1
        return
    path.x, path.rise, path.step = room, room + call.length, room + 2 * call.length
    path.decay, path.w = room + 3 * call.length, room + 4 * call.length
    path.w1, path.w2, path.inverse_v = room + 5 * call.length, room + 6 * call.length, room + 7 * call.length
    loops.prepare(call.rows + i * call.length, call.steps + i * call.steps_stride, call.length, &path)
    f = fit_path(&path, call.length)
    free(room)
    store(&f, i, call.series, call.out, call.codes)


def fit_rows(const double[:, ::1] rows, double dt, double[:, ::1] out, int[:, ::1] codes, int threads):
    cdef Call call
    call.series, call.length, call.dt = rows.shape[0], rows.shape[1], dt
    if call.series == 0 or call.length == 0:
        return
    call.rows, call.out, call.codes = &rows[0, 0], &out[0, 0], &codes[0, 0]
    with nogil:
        parallel_for(row_body, &call, call.series, CHUNK, threads)


def fit_rows_at(const double[:, ::1] rows, const double[:, ::1] steps, double[:, ::1] out, int[:, ::1] codes, int threads):
    """As fit_rows; one row of steps for all series, or one for each."""
    cdef Call call
    call.series, call.length = rows.shape[0], rows.shape[1]
    if call.series == 0 or call.length < 2:
        return
    call.rows, call.steps, call.out, call.codes = &rows[0, 0], &steps[0, 0], &out[0, 0], &codes[0, 0]
    call.steps_stride = steps.shape[1] if steps.shape[0] > 1 else 0
    call.out_of_memory = 0
    with nogil:
        parallel_for(path_body, &call, call.series, 1, threads)
    if call.out_of_memory:
        raise MemoryError
