# cython: cdivision=True
# A part of a large surface that finds the way to its optimum as well as the whole, in a fraction of the time.
from libc.stdlib cimport malloc, free
from skewline.cyext._heston_chain cimport Chain
from skewline.cyext._heston_loops cimport skw_heston_group
from skewline.cyext._heston_surface cimport Surface, close_surface, open_surface

cdef enum:
    ENOUGH = 320

cdef struct Thinned:
    Surface surface
    Chain chain
    double* room


cdef inline bint open_thinned(Thinned* t, const Surface* s) noexcept nogil:
    """Evenly spread quotes of each group, at least one, each with the weight of those that it stands for."""
    cdef const skw_heston_group* whole
    cdef skw_heston_group* part
    cdef Py_ssize_t g, i, j, length, own, size = ENOUGH + s.chain.groups
    cdef double step
    t.surface.sums = NULL
    t.room = <double*> malloc(10 * size * sizeof(double))
    t.chain.group = <skw_heston_group*> malloc(s.chain.groups * sizeof(skw_heston_group))
    if t.room == NULL or t.chain.group == NULL:
        close_thinned(t)
        return False
    t.chain.groups = s.chain.groups
    t.chain.distance = t.room + 9 * size
    t.chain.count = 0
    for g in range(s.chain.groups):
        whole = &s.chain.group[g]
        part = &t.chain.group[g]
        part[0] = whole[0]
        length = whole.end - whole.begin
        own = length * ENOUGH // s.chain.count
        own = own if own > 0 else 1
        step = <double> length / own
        part.begin = t.chain.count
        for i in range(own):
            j = whole.begin + <Py_ssize_t> ((i + 0.5) * step)
            t.chain.distance[t.chain.count] = s.chain.distance[j]
            t.room[t.chain.count] = s.quotes.vols[j]
            t.room[size + t.chain.count] = s.quotes.weights[j] * step
            t.chain.count += 1
        part.end = t.chain.count
    if not open_surface(&t.surface, &t.chain, t.room, t.room + size, t.room + 2 * size, t.room + 3 * size):
        close_thinned(t)
        return False
    t.surface.loops = s.loops
    t.surface.threads = s.threads
    t.surface.on_feller = s.on_feller
    return True


cdef inline void close_thinned(Thinned* t) noexcept nogil:
    close_surface(&t.surface)
    free(t.chain.group)
    free(t.room)
