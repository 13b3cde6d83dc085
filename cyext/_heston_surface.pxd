# cython: cdivision=True
# The surface to be fitted, and the normal equations of its vol differences in the moved parameters.
from libc.math cimport exp, log
from libc.stdlib cimport malloc, free
from skewline.cyext._heston_chain cimport Chain
from skewline.cyext._heston_loops cimport (
    skw_heston_accuracy, skw_heston_loops, skw_heston_model, skw_heston_quotes, skw_heston_sums)
from skewline.cyext._levmar cimport MOST
from skewline.cyext._pool cimport parallel_for

cdef struct Surface:
    const skw_heston_loops* loops
    const Chain* chain
    skw_heston_quotes quotes
    skw_heston_sums* sums    # one a group
    skw_heston_accuracy accuracy
    double total_weight
    bint on_feller           # σ² = 2κθ instead of a σ of its own
    int threads


cdef inline bint open_surface(Surface* s, const Chain* chain, double* vols, double* weights, double* model_vols,
                              double* terms) noexcept nogil:
    """Of the chain's quotes, in its order; False when there is no memory."""
    cdef Py_ssize_t j
    s.chain = chain
    s.quotes.distance = chain.distance
    s.quotes.vols = vols
    s.quotes.weights = weights
    s.quotes.model_vols = model_vols
    s.quotes.terms = terms
    s.on_feller = False
    s.total_weight = 0.0
    for j in range(chain.count):
        s.total_weight += weights[j]
    s.sums = <skw_heston_sums*> malloc((chain.groups + 1) * sizeof(skw_heston_sums))
    return s.sums != NULL


cdef inline void close_surface(Surface* s) noexcept nogil:
    free(s.sums)


cdef inline double log_sigma_of_feller(const double* x) noexcept nogil:
    return 0.5 * (log(2.0) + x[1] + x[2])


cdef inline skw_heston_model moved(const Surface* s, const double* x) noexcept nogil:
    """The fit moves the logarithms of v0, κ, θ and σ, and ρ itself."""
    cdef skw_heston_model m
    m.v0 = exp(x[0])
    m.kappa = exp(x[1])
    m.theta = exp(x[2])
    m.sigma = exp(log_sigma_of_feller(x)) if s.on_feller else exp(x[3])
    m.rho = x[4]
    return m


cdef struct Evaluation:
    const Surface* surface
    const skw_heston_model* model
    bint with_gradient


cdef inline void group_residuals(void* context, Py_ssize_t g) noexcept nogil:
    cdef const Evaluation* work = <const Evaluation*> context
    cdef const Surface* s = work.surface
    s.loops.residuals(work.model, &s.accuracy, &s.chain.group[g], &s.quotes, work.with_gradient, &s.sums[g])


cdef inline double equations(const Surface* s, const double* x, double* jtj, double* jtr) noexcept nogil:
    """The weighted sum of squares; fills JᵀJ and Jᵀr unless they are NULL. Leaves the model's vols in the quotes."""
    cdef skw_heston_model m = moved(s, x)
    cdef Evaluation work
    cdef double[5] chain_rule
    cdef double sse = 0.0
    cdef Py_ssize_t g
    cdef int a, b
    work.surface = s
    work.model = &m
    work.with_gradient = jtj != NULL
    parallel_for(group_residuals, &work, s.chain.groups, 1, s.threads)
    for g in range(s.chain.groups):
        sse += s.sums[g].sse
    if jtj == NULL:
        return sse
    chain_rule[0], chain_rule[1], chain_rule[2], chain_rule[3], chain_rule[4] = m.v0, m.kappa, m.theta, m.sigma, 1.0
    for a in range(5):
        jtr[a] = 0.0
        for g in range(s.chain.groups):
            jtr[a] += s.sums[g].right[a]
        jtr[a] *= chain_rule[a]
        for b in range(a + 1):
            jtj[a * MOST + b] = 0.0
            for g in range(s.chain.groups):
                jtj[a * MOST + b] += s.sums[g].normal[a * (a + 1) // 2 + b]
            jtj[a * MOST + b] *= chain_rule[a] * chain_rule[b]
            jtj[b * MOST + a] = jtj[a * MOST + b]
    if s.on_feller:
        spread(jtj, jtr)
    return sse


cdef inline void spread(double* jtj, double* jtr) noexcept nogil:
    """With ln σ = (ln 2 + ln κ + ln θ)/2 half of the derivative by ln σ goes to each of ln κ and ln θ."""
    cdef int a, q
    for q in range(1, 3):
        jtr[q] += 0.5 * jtr[3]
    for q in range(1, 3):
        for a in range(5):
            jtj[q * MOST + a] += 0.5 * jtj[3 * MOST + a]
    for q in range(1, 3):
        for a in range(5):
            jtj[a * MOST + q] += 0.5 * jtj[a * MOST + 3]
    for a in range(5):
        jtj[3 * MOST + a] = jtj[a * MOST + 3] = 0.0
    jtr[3] = 0.0
