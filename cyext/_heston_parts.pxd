# The groups of a chain cut into parts, so that no thread has much more left to do than the others.
from libc.stdlib cimport malloc
from skewline.cyext._heston_chain cimport Chain
from skewline.cyext._heston_loops cimport skw_heston_group

cdef enum:
    # A part finds its group's nodes anew, which costs as much as some dozens of strikes.
    LEAST_PART = 512
    PARTS_A_THREAD = 8

cdef struct Parts:
    Py_ssize_t count
    skw_heston_group* part


cdef inline bint cut(Parts* p, const Chain* c, int threads) noexcept nogil:
    """Whole groups for one thread; False when there is no memory. What a strike gets does not depend on its part."""
    cdef Py_ssize_t g, begin, length = c.count
    if threads > 1:
        length = max(c.count // (<Py_ssize_t> PARTS_A_THREAD * threads), LEAST_PART)
    p.count = 0
    p.part = <skw_heston_group*> malloc((c.groups + c.count // max(length, 1) + 1) * sizeof(skw_heston_group))
    if p.part == NULL:
        return False
    for g in range(c.groups):
        begin = c.group[g].begin
        while begin < c.group[g].end:
            p.part[p.count] = c.group[g]
            p.part[p.count].begin = begin
            begin = min(begin + length, c.group[g].end)
            p.part[p.count].end = begin
            p.count += 1
    return True
