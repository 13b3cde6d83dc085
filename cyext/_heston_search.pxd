# cython: cdivision=True
# The optimum out of several descents: exact enough to find the way first, to full accuracy at the end.
from libc.math cimport exp, fabs, isfinite, log, sqrt
from libc.string cimport memcpy
from skewline.cyext._heston_certainty cimport condition, covariance
from skewline.cyext._heston_chain cimport Chain
from skewline.cyext._heston_descent cimport Descent, descend
from skewline.cyext._heston_loops cimport SKW_HESTON_COARSE, SKW_HESTON_EXACT, skw_heston_accuracy
from skewline.cyext._heston_surface cimport Surface, equations, log_sigma_of_feller
from skewline.cyext._heston_thin cimport ENOUGH, Thinned, close_thinned, open_thinned
from skewline.cyext._levmar cimport MOST

cdef enum:
    COLD_STARTS = 5
    MOST_ITERATIONS = 100
    # no further start after so many iterations in all: a surface that no model makes must not hold others up
    MOST_IN_ALL = 150

cdef extern from *:
    """
    /* Where the search looks: ln v0, ln κ, ln θ, ln σ, ρ for v0, θ in [1e-6, 10], κ in [1e-3, 100], σ in [0.01, 20]. */
    static const double skw_low[5] = {-13.815510557964274, -6.907755278982137, -13.815510557964274, -4.605170185988091, -0.995};
    static const double skw_high[5] = {2.302585092994046, 4.605170185988092, 2.302585092994046, 2.995732273553991, 0.995};
    /* κ, σ and |ρ| of the cold starts; v0 and θ are read off the surface */
    static const double skw_starts[5][3] = {{2.0, 0.8, 0.6}, {10.0, 2.0, 0.6}, {0.5, 0.4, 0.4}, {25.0, 4.0, 0.5}, {4.0, 0.3, 0.8}};
    """
    const double[5] LOW "skw_low"
    const double[5] HIGH "skw_high"
    const double[5][3] STARTS "skw_starts"

cdef struct Search:
    Descent best
    int starts
    int iterations
    int agreed    # -1: no other start was asked


cdef inline void into_box(double* x) noexcept nogil:
    cdef int i
    for i in range(5):
        x[i] = min(max(x[i], LOW[i]), HIGH[i])


cdef inline bint at_bound(const Descent* d) noexcept nogil:
    cdef int i
    for i in range(5):
        if d.x[i] <= LOW[i] or d.x[i] >= HIGH[i]:
            return True
    return False


cdef inline void cold_start(const Surface* s, double* x) noexcept nogil:
    """v0 and θ from the options nearest the money at the near and the far end; the sign of ρ from the slope, into x[4]."""
    cdef const Chain* c = s.chain
    cdef double first = c.group[0].expiry, last = first, root, near, far, w, at_money, scaled
    cdef double near_sum = 0.0, near_weight = 0.0, far_sum = 0.0, far_weight = 0.0
    cdef double weight = 0.0, mean_scaled = 0.0, mean_vol = 0.0, both = 0.0
    cdef Py_ssize_t g, j
    for g in range(c.groups):
        first = min(first, c.group[g].expiry)
        last = max(last, c.group[g].expiry)
    for g in range(c.groups):
        root = sqrt(c.group[g].expiry)
        near = exp((first - c.group[g].expiry) / (0.05 + first))
        far = exp((c.group[g].expiry - last) / (0.2 * last))
        for j in range(c.group[g].begin, c.group[g].end):
            w = s.quotes.weights[j]
            scaled = (1.0 if c.group[g].upper else -1.0) * c.distance[j] / root
            at_money = w * (exp(-2.0 * (scaled / s.quotes.vols[j]) ** 2) + 1e-12)
            near_weight += at_money * near
            near_sum += at_money * near * s.quotes.vols[j] ** 2
            far_weight += at_money * far
            far_sum += at_money * far * s.quotes.vols[j] ** 2
            weight += w
            mean_scaled += w * scaled
            mean_vol += w * s.quotes.vols[j]
            both += w * scaled * s.quotes.vols[j]
    x[0] = log(near_sum / near_weight)
    x[2] = log(far_sum / far_weight)
    x[4] = -1.0 if both - mean_scaled * mean_vol / weight >= 0.0 else 1.0


cdef inline bint better(const Descent* a, const Descent* b) noexcept nogil:
    return isfinite(a.sse) and not a.sse >= b.sse


cdef inline Search search(Surface* s, const double* initial) noexcept nogil:
    """From `initial` unless it is NULL, and from cold starts unless that did well; `best` is where the way was found."""
    cdef Search r
    cdef Descent d
    cdef double[MOST] x
    cdef double[MOST] level
    cdef double near, perfect = 1e-14 * s.total_weight
    cdef int i
    cdef bint done = False
    s.accuracy = SKW_HESTON_COARSE
    r.starts = r.iterations = 0
    r.agreed = -1
    if initial != NULL:
        memcpy(x, initial, sizeof(x))
        into_box(x)
        r.best = descend(s, x, LOW, HIGH, MOST_ITERATIONS, 1e-6, NULL)
        r.starts = 1
        r.iterations = r.best.iterations
        # from far away a descent may end in a poor local optimum, so cold ones are asked as well
        near = max(4.0 * r.best.sse, 9e-4 * s.total_weight)
        if r.best.converged and r.best.first_sse <= near and not at_bound(&r.best):
            return r
    cold_start(s, level)
    for i in range(COLD_STARTS):
        x[0] = level[0]
        x[1] = log(STARTS[i][0])
        x[2] = level[2]
        x[3] = log(STARTS[i][1])
        x[4] = level[4] * STARTS[i][2]
        into_box(x)
        d = descend(s, x, LOW, HIGH, MOST_ITERATIONS, 1e-6, &r.best if r.starts else NULL)
        r.iterations += d.iterations
        r.starts += 1
        if r.starts > 1:
            r.agreed = d.met or fabs(d.sse - r.best.sse) <= 1e-4 * min(d.sse, r.best.sse)
        if r.starts == 1 or (better(&d, &r.best) and not d.met):
            r.best = d
        done = r.best.converged and (r.agreed == 1 or r.best.sse <= perfect)
        if done or r.iterations >= MOST_IN_ALL:
            break
    if r.best.converged and r.best.sse <= perfect:
        r.agreed = 1
    return r


cdef inline Search search_part(Surface* s, const double* initial) noexcept nogil:
    """As `search`, on a part of a large surface."""
    cdef Thinned part
    cdef Search r
    cdef bint found = False
    if s.chain.count > 2 * ENOUGH and open_thinned(&part, s):
        r = search(&part.surface, initial)
        found = isfinite(r.best.sse)
        close_thinned(&part)
        if found:
            return r
    return search(s, initial)


cdef inline void resume(Surface* s, Search* r, skw_heston_accuracy accuracy, double tolerance) noexcept nogil:
    """Descend on from where the search has ended."""
    cdef Descent d
    s.accuracy = accuracy
    d = descend(s, r.best.x, LOW, HIGH, 30, tolerance, NULL)
    r.iterations += d.iterations
    if not d.current:
        d.sse = equations(s, d.x, NULL, NULL)
    r.best = d


cdef inline Search optimum(Surface* s, const double* initial, bint enforce_feller) noexcept nogil:
    """The least sum of squares, to full accuracy; with `enforce_feller` among models with 2κθ >= σ²."""
    cdef Search r, on_edge
    s.on_feller = False
    r = search_part(s, initial)
    resume(s, &r, SKW_HESTON_EXACT, 1e-9)
    if not enforce_feller or not r.best.x[3] > log_sigma_of_feller(r.best.x):
        return r
    # then it lies where 2κθ = σ²: four parameters
    s.on_feller = True
    on_edge = search_part(s, r.best.x)
    resume(s, &on_edge, SKW_HESTON_EXACT, 1e-9)
    on_edge.best.x[3] = log_sigma_of_feller(on_edge.best.x)
    on_edge.starts += r.starts
    on_edge.iterations += r.iterations
    return on_edge


cdef inline void standard_errors(const Surface* s, const Search* r, double* errors) noexcept nogil:
    """Of v0, κ, θ, σ, ρ from the covariance of the moved ones; NaN for one at its bound."""
    cdef double[MOST * MOST] moved
    cdef bint[MOST] left_out
    cdef int i
    for i in range(5):
        left_out[i] = not LOW[i] < r.best.x[i] < HIGH[i]
    if s.on_feller:
        left_out[3] = True
    covariance(r.best.jtj, left_out, r.best.sse, <double> s.chain.count, moved)
    if s.on_feller:
        moved[18] = 0.25 * (moved[6] + moved[12] + 2.0 * moved[7])
    for i in range(5):
        errors[i] = sqrt(moved[i * MOST + i]) * (exp(r.best.x[i]) if i < 4 else 1.0)


cdef inline double condition_of(const Surface* s, const Search* r) noexcept nogil:
    cdef bint[MOST] left_out
    cdef int i
    for i in range(5):
        left_out[i] = i == 3 and s.on_feller
    return condition(r.best.jtj, left_out)
