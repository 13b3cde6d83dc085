# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Smiles of total variance within the quotes' bands and free of arbitrage, along a chain; their values."""
from libc.math cimport isfinite, NAN
from libc.stdlib cimport malloc, free
from skewline.cyext._isa import level
from skewline.cyext._status cimport OK, ARBITRAGE, NOT_CONVERGED
from skewline.cyext._variance_smile_loops cimport (
    SKW_MORE_KNOTS, skw_essvi_slice, skw_smile, skw_smile_problem, skw_smile_result, skw_variance_smile, skw_variance_smile_loops)

cdef const skw_variance_smile_loops* loops = skw_variance_smile(level())

# Below the expiry before by no more than this share of the variance at the money is rounding.
cdef double ROUNDING = 1e-9

MORE_KNOTS = SKW_MORE_KNOTS  # that a smile may have beyond one a quote


cdef int verdict(const skw_smile_result* r) noexcept nogil:
    if not (isfinite(r.least_g) and isfinite(r.calendar)):
        return NOT_CONVERGED
    if r.least_g < 0.0 or r.calendar < -ROUNDING:
        return ARBITRAGE
    return OK if r.converged else NOT_CONVERGED


def calibrate(const double[::1] k, const double[::1] lower, const double[::1] upper, const double[::1] middle,
              const long long[::1] offsets, const double[:, ::1] slices, double roughness, double spacing,
              double[:, ::1] curve, double[:, ::1] out, int[:, ::1] codes):
    """Fit the expiries one after another, each above the last that went well.

    `slices` has the rows theta, rho, psi of the eSSVI slices to start from. Expiries whose codes[1] is not OK are left
    out. `curve` has the rows knot, variance, curvature; expiry i's begin at offsets[i] + MORE_KNOTS i and are codes[2, i] in
    number. `out` has the rows inside, violation, least g, calendar.
    """
    cdef Py_ssize_t i, j, start, at, most = 0, need, count = offsets.shape[0] - 1, last = -1
    cdef double* memory = NULL
    cdef skw_smile before
    cdef skw_smile_problem problem
    cdef skw_smile_result result
    if k.shape[0] == 0:
        return
    for i in range(count):
        most = max(most, offsets[i + 1] - offsets[i])
    need = loops.workspace(most, most + SKW_MORE_KNOTS)
    memory = <double*> malloc(need * sizeof(double))
    if memory == NULL:
        raise MemoryError
    try:
        with nogil:
            for i in range(count):
                if codes[1, i] != OK:
                    continue
                start = offsets[i]
                at = start + SKW_MORE_KNOTS * i
                problem.count = offsets[i + 1] - start
                problem.k = &k[start]
                problem.lower = &lower[start]
                problem.upper = &upper[start]
                problem.middle = &middle[start]
                problem.slice = skw_essvi_slice(slices[0, i], slices[1, i], slices[2, i])
                problem.roughness = roughness
                problem.spacing = spacing
                problem.before = NULL
                if last >= 0:
                    problem.before = &before
                    problem.slice_before = skw_essvi_slice(slices[0, last], slices[1, last], slices[2, last])
                loops.fit(&problem, memory, &curve[0, at], &curve[1, at], &curve[2, at], &result)
                out[0, i] = result.inside
                out[1, i] = result.violation
                out[2, i] = result.least_g
                out[3, i] = result.calendar if last >= 0 else NAN
                codes[0, i] = result.iterations
                codes[1, i] = verdict(&result)
                codes[2, i] = <int> result.count
                if codes[1, i] == OK:
                    last = i
                    before.count = result.count
                    before.knot = &curve[0, at]
                    before.variance = &curve[1, at]
                    before.curvature = &curve[2, at]
    finally:
        free(memory)


def evaluate(const double[::1] knot, const double[::1] variance, const double[::1] curvature, const double[::1] k,
             double[:, ::1] out):
    """Rows w, w' and w'' at each k; NaN where k is not finite."""
    cdef skw_smile smile
    cdef Py_ssize_t i, j
    if k.shape[0] == 0:
        return
    smile.count = knot.shape[0]
    smile.knot = &knot[0]
    smile.variance = &variance[0]
    smile.curvature = &curvature[0]
    with nogil:
        loops.evaluate(&smile, &k[0], k.shape[0], &out[0, 0], &out[1, 0], &out[2, 0])
        for i in range(k.shape[0]):
            if not isfinite(k[i]):
                for j in range(3):
                    out[j, i] = NAN
