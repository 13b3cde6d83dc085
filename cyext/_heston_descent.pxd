# cython: cdivision=True
# One descent: Levenberg–Marquardt whose every trial brings its gradient along, since most trials are accepted.
from libc.math cimport fabs, isfinite
from libc.string cimport memcpy
from skewline.cyext._heston_surface cimport Surface, equations
from skewline.cyext._levmar cimport MOST, decrement, solve

cdef struct Descent:
    double[MOST] x
    double sse
    double first_sse
    int iterations
    bint converged
    bint met               # ended early: on the way to the optimum that is known already
    bint current           # the quotes' model vols are those at x
    bint[MOST] held        # at a bound, and pushed against it
    double[MOST * MOST] jtj


cdef inline bint meets(const Descent* d, const Descent* known, double promised) noexcept nogil:
    """So near to `known`, and promising to end at its sum of squares, that it will end there."""
    cdef int i
    if known == NULL or not fabs(d.sse - promised - known.sse) <= 1e-3 * known.sse or promised > 0.05 * known.sse:
        return False
    for i in range(5):
        if fabs(d.x[i] - known.x[i]) > (0.05 if i == 4 else 0.3):
            return False
    return True


cdef inline Descent descend(const Surface* s, const double* start, const double* low, const double* high,
                            int most_iterations, double tolerance, const Descent* known) noexcept nogil:
    """From `start`, until an undamped step would take off no more than `tolerance` of the sum of squares.

    That a damped step achieves little proves nothing: far from a minimum heavy damping stalls as well.
    """
    cdef Descent d
    cdef double[MOST * MOST] a
    cdef double[MOST * MOST] jtj
    cdef double[MOST] jtr
    cdef double[MOST] fresh_jtr
    cdef double[MOST] step
    cdef double[MOST] trial
    cdef double damping = 1e-3, grow = 2.0, sse, gain, expected, promised, moved
    cdef int i, j, rejected
    memcpy(d.x, start, sizeof(d.x))
    d.iterations = 0
    d.converged = d.met = False
    d.current = True
    d.sse = d.first_sse = equations(s, d.x, d.jtj, jtr)
    for i in range(5):
        d.held[i] = False
    if not isfinite(d.sse):
        return d
    while True:
        for i in range(5):
            d.held[i] = (d.x[i] <= low[i] and jtr[i] > 0.0) or (d.x[i] >= high[i] and jtr[i] < 0.0)
            if s.on_feller and i == 3:
                d.held[i] = True
        promised = decrement(5, d.jtj, jtr, d.held)
        if promised <= tolerance * (d.sse + 1e-14 * s.total_weight):
            d.converged = True
            return d
        if meets(&d, known, promised):
            d.met = True
            return d
        rejected = 0
        # damped steps from the same point until one goes down
        while True:
            if d.iterations >= most_iterations or damping > 1e20:
                return d
            d.iterations += 1
            for i in range(5):
                for j in range(5):
                    a[i * MOST + j] = 0.0 if d.held[i] or d.held[j] else d.jtj[i * MOST + j]
                a[i * MOST + i] = 1.0 if d.held[i] else d.jtj[i * MOST + i] * (1.0 + damping) + 1e-300
                step[i] = 0.0 if d.held[i] else -jtr[i]
            if solve(5, a, step):
                moved = 0.0
                expected = 0.0
                for i in range(5):
                    trial[i] = min(max(d.x[i] + step[i], low[i]), high[i])
                    step[i] = trial[i] - d.x[i]
                    moved = max(moved, fabs(step[i]) / (fabs(d.x[i]) + 1e-3))
                for i in range(5):
                    expected -= 2.0 * step[i] * jtr[i]
                    for j in range(5):
                        expected -= step[i] * d.jtj[i * MOST + j] * step[j]
                if moved <= 1e-15:
                    return d
                d.current = False
                sse = equations(s, trial, jtj, fresh_jtr)
                if isfinite(sse) and sse < d.sse:
                    break
            rejected += 1
            if rejected == 2 and promised <= s.accuracy.noise * d.sse:
                d.converged = True
                return d
            damping *= grow
            grow *= 2.0
        gain = (d.sse - sse) / expected if expected > 0.0 else 0.0
        damping *= 0.1 if gain > 0.75 else (1.0 if gain > 0.25 else 3.0)
        damping = max(damping, 1e-14)
        grow = 2.0
        memcpy(d.x, trial, sizeof(d.x))
        memcpy(d.jtj, jtj, sizeof(d.jtj))
        memcpy(jtr, fresh_jtr, sizeof(jtr))
        d.sse = sse
        d.current = True
