# cython: cdivision=True
# Levenberg–Marquardt in a box, on the normal equations of a problem with a handful of parameters.
from libc.math cimport fabs, sqrt, isfinite

cdef enum:
    MOST = 5

# Fills JᵀJ (n × n, row-major, stride MOST) and Jᵀr unless they are NULL; returns the sum of squares.
ctypedef double (*normal_equations)(void* problem, const double* p, double* jtj, double* jtr) noexcept nogil

cdef struct Minimum:
    double sse
    int iterations
    bint converged


cdef inline bint solve(int n, double* a, double* b) noexcept nogil:
    """Cholesky solution of a x = b in place of b; False when a is not positive definite."""
    cdef int i, j, k
    cdef double total
    for j in range(n):
        total = a[j * MOST + j]
        for k in range(j):
            total -= a[j * MOST + k] * a[j * MOST + k]
        if not total > 0.0:
            return False
        a[j * MOST + j] = sqrt(total)
        for i in range(j + 1, n):
            total = a[i * MOST + j]
            for k in range(j):
                total -= a[i * MOST + k] * a[j * MOST + k]
            a[i * MOST + j] = total / a[j * MOST + j]
    for i in range(n):
        total = b[i]
        for k in range(i):
            total -= a[i * MOST + k] * b[k]
        b[i] = total / a[i * MOST + i]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for k in range(i + 1, n):
            total -= a[k * MOST + i] * b[k]
        b[i] = total / a[i * MOST + i]
    return True


cdef inline Minimum minimise(int n, double* p, const double* low, const double* high, normal_equations equations,
                             void* problem, int most_iterations, double tolerance) noexcept nogil:
    """Minimise from p, in place. Converged: a step or a gain below `tolerance` (relative) or no descent left."""
    cdef Minimum m
    cdef double[MOST * MOST] jtj
    cdef double[MOST * MOST] a
    cdef double[MOST] jtr
    cdef double[MOST] step
    cdef double[MOST] trial
    cdef bint[MOST] held
    cdef double damping = 1e-3, grow = 2.0, sse, gain, expected, moved, size
    cdef bint clipped
    cdef int i, j
    m.iterations = 0
    m.converged = False
    m.sse = equations(problem, p, jtj, jtr)
    if not isfinite(m.sse):
        return m
    while m.iterations < most_iterations:
        m.iterations += 1
        for i in range(n):
            held[i] = (p[i] <= low[i] and jtr[i] > 0.0) or (p[i] >= high[i] and jtr[i] < 0.0)
        for i in range(n):
            for j in range(n):
                a[i * MOST + j] = 0.0 if held[i] or held[j] else jtj[i * MOST + j]
            size = jtj[i * MOST + i]
            a[i * MOST + i] = 1.0 if held[i] else size * (1.0 + damping) + 1e-300
            step[i] = 0.0 if held[i] else -jtr[i]
        if not solve(n, a, step):
            damping = damping * 10.0 if damping > 1e-8 else 1e-8
            if damping > 1e16:
                break
            continue
        moved = 0.0
        expected = 0.0
        clipped = False
        for i in range(n):
            trial[i] = min(max(p[i] + step[i], low[i]), high[i])
            clipped = clipped or trial[i] != p[i] + step[i]
            step[i] = trial[i] - p[i]
            size = fabs(step[i]) / (fabs(p[i]) + 1e-3)
            moved = max(moved, size)
        for i in range(n):
            expected -= 2.0 * step[i] * jtr[i]
            for j in range(n):
                expected -= step[i] * jtj[i * MOST + j] * step[j]
        if moved <= 1e-14:
            m.converged = True
            break
        sse = equations(problem, trial, NULL, NULL)
        if isfinite(sse) and sse < m.sse:
            gain = (m.sse - sse) / expected if expected > 0.0 else 0.0
            damping *= 0.1 if gain > 0.75 else (1.0 if gain > 0.25 else 3.0)
            if damping < 1e-14:
                damping = 1e-14
            grow = 2.0
            for i in range(n):
                p[i] = trial[i]
            gain = m.sse - sse
            m.sse = equations(problem, p, jtj, jtr)
            if gain <= tolerance * m.sse and gain >= 0.0 and moved < 1e-3 or moved < tolerance or m.sse <= 1e-28:
                m.converged = True
                break
        else:
            damping *= grow
            grow *= 2.0
            if moved < tolerance or (expected <= 1e-13 * m.sse and not clipped):
                m.converged = True
                break
            if damping > 1e20:
                break
    return m
