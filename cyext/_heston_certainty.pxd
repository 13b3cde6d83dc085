# cython: cdivision=True
# How well a fit's data tells its parameters apart: condition number and standard errors from JᵀJ.
from libc.math cimport fabs, sqrt, INFINITY, NAN
from skewline.cyext._levmar cimport MOST


cdef inline void eigen(int n, double* a, double* vectors) noexcept nogil:
    """Jacobi's rotations: the eigenvalues of a symmetric matrix onto its diagonal, the eigenvectors into columns."""
    cdef double t, c, s, ratio, p, q, off, size
    cdef int i, j, k, sweep
    for i in range(n):
        for j in range(n):
            vectors[i * MOST + j] = 1.0 if i == j else 0.0
    for sweep in range(30):
        off = size = 0.0
        for i in range(n):
            size += fabs(a[i * MOST + i])
            for j in range(i):
                off += fabs(a[i * MOST + j])
        if not off > 1e-18 * size:
            return
        for i in range(n):
            for j in range(i):
                if a[i * MOST + j] == 0.0:
                    continue
                ratio = (a[j * MOST + j] - a[i * MOST + i]) / (2.0 * a[i * MOST + j])
                t = (1.0 if ratio >= 0.0 else -1.0) / (fabs(ratio) + sqrt(ratio * ratio + 1.0))
                c = 1.0 / sqrt(t * t + 1.0)
                s = t * c
                for k in range(n):
                    p, q = a[k * MOST + i], a[k * MOST + j]
                    a[k * MOST + i] = c * p - s * q
                    a[k * MOST + j] = s * p + c * q
                for k in range(n):
                    p, q = a[i * MOST + k], a[j * MOST + k]
                    a[i * MOST + k] = c * p - s * q
                    a[j * MOST + k] = s * p + c * q
                for k in range(n):
                    p, q = vectors[k * MOST + i], vectors[k * MOST + j]
                    vectors[k * MOST + i] = c * p - s * q
                    vectors[k * MOST + j] = s * p + c * q


cdef inline int without(const double* jtj, const bint* left_out, double* a, int* kept) noexcept nogil:
    """The rows and columns of the others; their number."""
    cdef int i, j, n = 0
    for i in range(5):
        if not left_out[i]:
            kept[n] = i
            n += 1
    for i in range(n):
        for j in range(n):
            a[i * MOST + j] = jtj[kept[i] * MOST + kept[j]]
    return n


cdef inline double condition(const double* jtj, const bint* left_out) noexcept nogil:
    """Of the Jacobian: the root of the ratio of JᵀJ's largest and smallest eigenvalue."""
    cdef double[MOST * MOST] a
    cdef double[MOST * MOST] vectors
    cdef int[MOST] kept
    cdef double least = INFINITY, most = 0.0
    cdef int i, n = without(jtj, left_out, a, kept)
    eigen(n, a, vectors)
    for i in range(n):
        least = min(least, a[i * MOST + i])
        most = max(most, a[i * MOST + i])
    return sqrt(most / least) if least > 0.0 else INFINITY


cdef inline void covariance(const double* jtj, const bint* left_out, double sse, double observations,
                            double* result) noexcept nogil:
    """sse/(observations - free parameters) (JᵀJ)⁻¹; NaN for what is left out and where nothing is left over."""
    cdef double[MOST * MOST] a
    cdef double[MOST * MOST] vectors
    cdef int[MOST] kept
    cdef double scale, total
    cdef int i, j, k, n = without(jtj, left_out, a, kept)
    for i in range(MOST * MOST):
        result[i] = NAN
    if observations <= n:
        return
    scale = sse / (observations - n)
    eigen(n, a, vectors)
    for i in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                if a[k * MOST + k] > 0.0:
                    total += vectors[i * MOST + k] * vectors[j * MOST + k] / a[k * MOST + k]
                else:
                    total = INFINITY
            result[kept[i] * MOST + kept[j]] = scale * total
