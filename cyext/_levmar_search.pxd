# cython: cdivision=True
# Levenberg–Marquardt in a box, on the normal equations of a problem with a handful of parameters.
from libc.math cimport fabs, isfinite
from skewline.cyext._levmar cimport MOST, decrement, solve

# Fills JᵀJ (n × n, row-major, stride MOST) and Jᵀr unless they are NULL; returns the sum of squares.
ctypedef double (*normal_equations)(void* problem, const double* p, double* jtj, double* jtr) noexcept nogil

cdef struct Minimum:
    double sse
    double first_sse
    int iterations
    bint converged


cdef inline Minimum minimise(int n, double* p, const double* low, const double* high, normal_equations equations,
                             void* problem, int most_iterations, double tolerance, double floor) noexcept nogil:
    """Minimise from p, in place.

    Converged: an undamped step would take off no more than `tolerance` of the sum of squares plus `floor`. That a
    damped step achieves little proves nothing: far from a minimum heavy damping stalls as well.
    """
    cdef Minimum m
    cdef double[MOST * MOST] jtj
    cdef double[MOST * MOST] a
    cdef double[MOST] jtr
    cdef double[MOST] step
    cdef double[MOST] trial
    cdef bint[MOST] held
    cdef double damping = 1e-3, grow = 2.0, sse, gain, expected, moved
    cdef int i, j
    m.iterations = 0
    m.converged = False
    m.sse = m.first_sse = equations(problem, p, jtj, jtr)
    if not isfinite(m.sse):
        return m
    while True:
        for i in range(n):
            held[i] = (p[i] <= low[i] and jtr[i] > 0.0) or (p[i] >= high[i] and jtr[i] < 0.0)
        if decrement(n, jtj, jtr, held) <= tolerance * (m.sse + floor):
            m.converged = True
            return m
        # damped steps from the same point until one goes down
        while True:
            if m.iterations >= most_iterations or damping > 1e20:
                return m
            m.iterations += 1
            for i in range(n):
                for j in range(n):
                    a[i * MOST + j] = 0.0 if held[i] or held[j] else jtj[i * MOST + j]
                a[i * MOST + i] = 1.0 if held[i] else jtj[i * MOST + i] * (1.0 + damping) + 1e-300
                step[i] = 0.0 if held[i] else -jtr[i]
            if solve(n, a, step):
                moved = 0.0
                expected = 0.0
                for i in range(n):
                    trial[i] = min(max(p[i] + step[i], low[i]), high[i])
                    step[i] = trial[i] - p[i]
                    moved = max(moved, fabs(step[i]) / (fabs(p[i]) + 1e-3))
                for i in range(n):
                    expected -= 2.0 * step[i] * jtr[i]
                    for j in range(n):
                        expected -= step[i] * jtj[i * MOST + j] * step[j]
                if moved <= 1e-15:
                    return m
                sse = equations(problem, trial, NULL, NULL)
                if isfinite(sse) and sse < m.sse:
                    break
            damping *= grow
            grow *= 2.0
        gain = (m.sse - sse) / expected if expected > 0.0 else 0.0
        damping *= 0.1 if gain > 0.75 else (1.0 if gain > 0.25 else 3.0)
        damping = max(damping, 1e-14)
        grow = 2.0
        for i in range(n):
            p[i] = trial[i]
        m.sse = equations(problem, p, jtj, jtr)
