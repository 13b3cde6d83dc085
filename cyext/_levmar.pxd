# cython: cdivision=True
# Linear algebra of Levenberg–Marquardt in a box, on the normal equations of a problem with a handful of parameters.
from libc.math cimport sqrt

cdef enum:
    MOST = 5


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


cdef inline double decrement(int n, const double* jtj, const double* jtr, const bint* held) noexcept nogil:
    """What the undamped Gauss–Newton step promises to take off the sum of squares, held parameters apart."""
    cdef double[MOST * MOST] a
    cdef double[MOST] step
    cdef double promised = 0.0
    cdef int i, j
    for i in range(n):
        for j in range(n):
            a[i * MOST + j] = 0.0 if held[i] or held[j] else jtj[i * MOST + j]
        a[i * MOST + i] = 1.0 if held[i] else jtj[i * MOST + i] * (1.0 + 1e-10) + 1e-300
        step[i] = 0.0 if held[i] else jtr[i]
    if not solve(n, a, step):
        return 1e300
    for i in range(n):
        if not held[i]:
            promised += step[i] * jtr[i]
    return promised
