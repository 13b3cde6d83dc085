# cython: cdivision=True
# Options of one expiry and one side of the forward: they share contour, nodes and characteristic function.
from libc.math cimport exp, sin, cos, fabs, isfinite, INFINITY, NAN
from skewline.cyext._heston_cf cimport Parameters, LogCf, log_cf, cexp, creal, cimag, cabs, I
from skewline.cyext._heston_contour cimport Contour, Node, contour, contour_node

cdef struct Group:
    double expiry
    double widest
    bint upper
    Py_ssize_t begin
    Py_ssize_t end


cdef inline double price_group(Group g, Parameters p, const double* log_moneyness, double* excess,
                               double* gradient) noexcept nogil:
    """Price less the control variate's, in units of D√(FK), into excess[begin:end]; returns the control's σ²T.

    `gradient` is NULL or holds five derivatives an option, in the order of `Parameters`. Where the integrand overflows
    or has not died out by the last node the prices are NaN, never a truncated sum.
    """
    cdef Contour c = contour(p, g.expiry, g.widest, g.upper)
    cdef Node node
    cdef LogCf f
    cdef double complex m, phi, base, t
    cdef double complex d[5]
    cdef double size = INFINITY, cosine, sine, fade, x, y
    cdef Py_ssize_t i
    cdef int j, q, small = 0
    for i in range(g.begin, g.end):
        excess[i] = 0.0
    if gradient != NULL:
        for i in range(5 * g.begin, 5 * g.end):
            gradient[i] = 0.0
    for j in range(c.nodes):
        node = contour_node(c, j)
        m = node.u * node.u + 0.25
        f = log_cf(p, g.expiry, node.u, gradient != NULL)
        phi = cexp(f.value)
        node.weight = node.weight / m
        base = (cexp(-0.5 * c.variance * m) - phi) * node.weight
        size = fabs(creal(base)) + fabs(cimag(base))
        if not isfinite(size):
            size = INFINITY
            break
        if gradient != NULL:
            t = -phi * node.weight
            d[0] = t * f.d_v0
            d[1] = t * f.d_kappa
            d[2] = t * f.d_theta
            d[3] = t * f.d_sigma
            d[4] = t * f.d_rho
        x = creal(node.u)
        y = cimag(node.u)
        for i in range(g.begin, g.end):
            fade = exp(-y * log_moneyness[i])
            cosine = fade * cos(x * log_moneyness[i])
            sine = fade * sin(x * log_moneyness[i])
            excess[i] += cosine * creal(base) - sine * cimag(base)
            if gradient != NULL:
                for q in range(5):
                    gradient[5 * i + q] += cosine * creal(d[q]) - sine * cimag(d[q])
        # the integrand has died out once a few nodes in a row add nothing
        small = small + 1 if size < 1e-16 else 0
        if small == 4:
            break
    if size > 1e-9:
        for i in range(g.begin, g.end):
            excess[i] = NAN
    return c.variance
