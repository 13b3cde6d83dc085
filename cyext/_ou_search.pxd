# cython: cdivision=True
# The highest maximum over κ of the likelihood at unequal steps, of which κ alone is left (mean and σ profiled out).
#
# -2 ln L of one series may have several minima where its steps are of very different lengths. Its slope is taken at
# zero and at 4/T, 16/T, … on either side, from where nothing mean-reverts within the whole time T to where nothing is left of
# a deviation after the shortest step; between two points where it turns from falling to rising lies a minimum, that
# Newton's method finds and bisection guards. The lowest is the answer, unless independent observations (κ = ∞) are as
# likely.
from libc.math cimport fabs, log, sqrt, INFINITY, NAN
from skewline.cyext._ou_loops cimport skw_ou_loops, skw_ou_path, skw_ou_point

cdef enum:
    MOST_STEPS = 100

cdef struct Peak:
    double kappa
    double height  # -2 ln L + constant
    double log_sum
    skw_ou_point at
    int found
    int converged


cdef inline double slope_of(const skw_ou_path* path, const skw_ou_point* p) noexcept nogil:
    """Of n ln S + Σ ln v."""
    return path.size * p.sk / p.s + p.l1


cdef inline double curvature_of(const skw_ou_path* path, const skw_ou_point* p) noexcept nogil:
    cdef double share = p.sk / p.s
    return path.size * ((p.skk - p.ska * p.ska / p.saa) / p.s - share * share) + p.l2


cdef inline void take(const skw_ou_loops* loops, const skw_ou_path* path, double kappa, int converged,
                      Peak* best) noexcept nogil:
    """Makes κ the answer if it is more likely than what `best` has."""
    cdef Peak peak
    peak.kappa, peak.at, peak.found, peak.converged = kappa, loops.at(path, kappa), 1, converged
    peak.log_sum = loops.log_sum(path)
    peak.height = path.size * log(peak.at.s) + peak.log_sum if peak.at.s > 0.0 else -INFINITY
    if peak.height < best.height:
        best[0] = peak


cdef inline void refine(const skw_ou_loops* loops, const skw_ou_path* path, double low, double high,
                        Peak* best) noexcept nogil:
    """The minimum between `low`, where the slope is negative, and `high`, where it is not."""
    cdef double kappa = 0.5 * (low + high), before = high - low, step, slope, curvature
    cdef skw_ou_point p
    cdef int i
    for i in range(MOST_STEPS):
        p = loops.at(path, kappa)
        if not p.s > 0.0:
            break
        slope, curvature = slope_of(path, &p), curvature_of(path, &p)
        if slope < 0.0:
            low = kappa
        else:
            high = kappa
        step = -slope / curvature
        # bisection where Newton's step leaves the bracket or does not halve the one before it
        if not (curvature > 0.0 and low <= kappa + step <= high and fabs(step) <= 0.5 * before):
            step = 0.5 * (low + high) - kappa
        before = fabs(step)
        kappa += step
        # Newton squares errors: one that is 1e-8 standard errors long leads to within rounding. A bracket may
        # also shrink to neighbouring numbers.
        if before <= 1e-8 * sqrt(2.0 / curvature) or before <= 2e-16 * fabs(kappa):
            break
    else:
        take(loops, path, kappa, 0, best)
        return
    take(loops, path, kappa, 1, best)


cdef inline Peak highest(const skw_ou_loops* loops, const skw_ou_path* path) noexcept nogil:
    cdef double least = 4.0 / path.total, magnitude, kappa, slope, before = NAN, low = NAN
    cdef skw_ou_point p
    cdef Peak best
    cdef int end = 0
    best.found = 0
    best.height = path.size * log(path.syy)
    magnitude = least
    while magnitude * path.most < 60.0:
        magnitude *= 4.0
    kappa = -magnitude
    while True:
        p = loops.at(path, kappa)
        if not p.s > 0.0:
            take(loops, path, kappa, 1, &best)  # a line or an exponential, without any noise
        slope = slope_of(path, &p)
        if before < 0.0 and slope >= 0.0:
            refine(loops, path, low, kappa, &best)
        low, before = kappa, slope
        if end:
            return best
        if kappa < -1.5 * least:
            kappa *= 0.25
        elif kappa < 0.0:
            kappa = 0.0
        elif kappa == 0.0:
            kappa = least
        else:
            kappa *= 4.0
        end = kappa * path.least > 16.0
