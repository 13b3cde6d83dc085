# A chain sorted into groups of one expiry and one side of the forward, in one pass and a counting sort.
from libc.math cimport fabs, sqrt, ldexp, frexp, INFINITY
from libc.stdlib cimport malloc, calloc, free
from libc.string cimport memcpy
from skewline.cyext._heston_loops cimport skw_heston_group

cdef enum:
    # Strikes a power of two farther out (in √T) make a group of their own: what contour a strike gets depends on itself alone.
    MOST_RINGS = 32

cdef struct Chain:
    Py_ssize_t count
    Py_ssize_t groups
    Py_ssize_t slots
    skw_heston_group* group
    # for position j in the order of the groups
    Py_ssize_t* source
    double* distance
    # work: for each element its group (-1: left out) and its distance; for each slot of the table its group (-1: empty)
    Py_ssize_t* own
    double* unsorted
    Py_ssize_t* table
    int* ring


cdef inline bint open_chain(Chain* c, Py_ssize_t size) noexcept nogil:
    """Room for `size` elements; False when there is no memory."""
    cdef Py_ssize_t i
    c.count = c.groups = 0
    c.slots = 16
    while c.slots < 2 * size:
        c.slots *= 2
    c.group = <skw_heston_group*> malloc((size + 1) * sizeof(skw_heston_group))
    c.source = <Py_ssize_t*> malloc((size + 1) * sizeof(Py_ssize_t))
    c.distance = <double*> malloc((size + 1) * sizeof(double))
    c.own = <Py_ssize_t*> malloc((size + 1) * sizeof(Py_ssize_t))
    c.unsorted = <double*> malloc((size + 1) * sizeof(double))
    c.table = <Py_ssize_t*> malloc(c.slots * sizeof(Py_ssize_t))
    c.ring = <int*> malloc((size + 1) * sizeof(int))
    if (c.group == NULL or c.source == NULL or c.distance == NULL or c.own == NULL or c.unsorted == NULL
            or c.table == NULL or c.ring == NULL):
        close_chain(c)
        return False
    for i in range(c.slots):
        c.table[i] = -1
    return True


cdef inline void close_chain(Chain* c) noexcept nogil:
    free(c.group)
    free(c.source)
    free(c.distance)
    free(c.own)
    free(c.unsorted)
    free(c.table)
    free(c.ring)


cdef inline void leave_out(Chain* c, Py_ssize_t i) noexcept nogil:
    c.own[i] = -1


cdef inline void put_in(Chain* c, Py_ssize_t i, double x, double expiry) noexcept nogil:
    """Find the group of element i, of which `x` is ln(F/K) and the expiry positive."""
    cdef double far = fabs(x) / sqrt(expiry)
    cdef int upper = x >= 0.0
    cdef int ring = 0
    cdef unsigned long long key
    cdef Py_ssize_t slot, g
    frexp(far, &ring)
    ring = min(max(ring - 1, 0), MOST_RINGS - 1)
    memcpy(&key, &expiry, 8)
    key = (key ^ <unsigned long long> (2 * ring + upper)) * <unsigned long long> 0x9E3779B97F4A7C15u
    slot = <Py_ssize_t> (key >> 32) & (c.slots - 1)
    while True:
        g = c.table[slot]
        if g < 0:
            g = c.table[slot] = c.groups
            c.groups += 1
            c.group[g].expiry = expiry
            c.group[g].upper = upper
            c.group[g].widest = ldexp(2.0, ring) * sqrt(expiry) if ring < MOST_RINGS - 1 else INFINITY
            c.group[g].begin = c.group[g].end = 0
            c.ring[g] = ring
            break
        if c.group[g].expiry == expiry and c.group[g].upper == upper and c.ring[g] == ring:
            break
        slot = (slot + 1) & (c.slots - 1)
    c.own[i] = g
    c.unsorted[i] = fabs(x)
    c.group[g].end += 1
    c.count += 1


cdef inline void arrange(Chain* c, Py_ssize_t size) noexcept nogil:
    """Fill `source` and `distance` and bound the groups, once every element is put in or left out."""
    cdef Py_ssize_t g, i, j, begin = 0, length
    for g in range(c.groups):
        length = c.group[g].end
        c.group[g].begin = c.group[g].end = begin
        begin += length
    for i in range(size):
        g = c.own[i]
        if g >= 0:
            j = c.group[g].end
            c.group[g].end += 1
            c.source[j] = i
            c.distance[j] = c.unsorted[i]
