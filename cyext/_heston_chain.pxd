# A chain sorted into groups of one expiry and one side of the forward: a counting sort, whose passes over the elements are
# done in chunks by several threads. Each chunk counts what it has of every group; adding the chunks up in their order
# gives each the places of its own, and groups and places are those that one thread would have found.
from libc.math cimport fabs, sqrt, ldexp, frexp, INFINITY
from libc.stdlib cimport malloc, free
from libc.string cimport memcpy
from skewline.cyext._columns cimport double_at, skw_column
from skewline.cyext._heston_loops cimport skw_heston_group
from skewline.cyext._pool cimport parallel_for

cdef enum:
    # Elements of a chunk, and the slots of its table of shares: twice as many, a power of two.
    CHUNK = 1024
    SLOTS = 2 * CHUNK
    # Strikes a power of two farther out (in √T) make a group of their own: what contour a strike gets depends on itself alone.
    MOST_RINGS = 32

# What a chunk has of a group; `place` counts its elements first, and is then where the next one goes.
cdef struct Share:
    double expiry
    int key        # 2 ring + side
    Py_ssize_t group
    Py_ssize_t place

cdef struct Chain:
    Py_ssize_t size
    Py_ssize_t count       # of elements that are in
    Py_ssize_t groups
    skw_heston_group* group
    double* distance       # in the order of the groups
    Py_ssize_t* place      # of each element in that order; -1: left out
    skw_column expiry
    double* x              # ln(F/K) of each element; NaN leaves it out
    # work: each element's share and the chunks' shares, those of chunk c from c CHUNK on
    short* own
    Share* share
    int* shares


cdef inline Py_ssize_t chunks_of(const Chain* c) noexcept nogil:
    return (c.size + CHUNK - 1) // CHUNK


cdef inline bint open_chain(Chain* c, Py_ssize_t size) noexcept nogil:
    """Room for `size` elements; False when there is no memory."""
    c.size = size
    c.count = c.groups = 0
    c.group = NULL
    c.distance = <double*> malloc((size + 1) * sizeof(double))
    c.place = <Py_ssize_t*> malloc((size + 1) * sizeof(Py_ssize_t))
    c.x = <double*> malloc((size + 1) * sizeof(double))
    c.own = <short*> malloc((size + 1) * sizeof(short))
    c.share = <Share*> malloc((size + 1) * sizeof(Share))
    c.shares = <int*> malloc((chunks_of(c) + 1) * sizeof(int))
    if (c.distance == NULL or c.place == NULL or c.x == NULL or c.own == NULL or c.share == NULL or c.shares == NULL):
        close_chain(c)
        return False
    return True


cdef inline void close_chain(Chain* c) noexcept nogil:
    free(c.group)
    free(c.distance)
    free(c.place)
    free(c.x)
    free(c.own)
    free(c.share)
    free(c.shares)


cdef inline unsigned long long hashed(double expiry, int key) noexcept nogil:
    cdef unsigned long long bits
    memcpy(&bits, &expiry, 8)
    return ((bits ^ <unsigned long long> key) * <unsigned long long> 0x9E3779B97F4A7C15u) >> 32


cdef inline int key_of(double x, double expiry) noexcept nogil:
    cdef int ring = 0
    frexp(fabs(x) / sqrt(expiry), &ring)
    return 2 * min(max(ring - 1, 0), MOST_RINGS - 1) + (x >= 0.0)


cdef inline void count_chunk(Chain* c, Py_ssize_t chunk) noexcept nogil:
    """The shares of a chunk whose elements have their `x`, and a positive expiry where that is not NaN."""
    cdef short[SLOTS] table
    cdef Share* share = c.share + chunk * CHUNK
    cdef Py_ssize_t i, slot
    cdef double t
    cdef int key, s, shares = 0
    for s in range(SLOTS):
        table[s] = -1
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)):
        c.own[i] = -1
        if c.x[i] != c.x[i]:
            continue
        t = double_at(c.expiry, i)
        key = key_of(c.x[i], t)
        slot = <Py_ssize_t> (hashed(t, key) & (SLOTS - 1))
        while True:
            s = table[slot]
            if s < 0:
                s = table[slot] = <short> shares
                share[s].expiry, share[s].key, share[s].place = t, key, 0
                shares += 1
                break
            if share[s].expiry == t and share[s].key == key:
                break
            slot = (slot + 1) & (SLOTS - 1)
        c.own[i] = <short> s
        share[s].place += 1
    c.shares[chunk] = shares


cdef inline skw_heston_group empty_group(double expiry, int key) noexcept nogil:
    cdef skw_heston_group g
    cdef int ring = key // 2
    g.expiry = expiry
    g.upper = key & 1
    g.widest = ldexp(2.0, ring) * sqrt(expiry) if ring < MOST_RINGS - 1 else INFINITY
    g.begin = g.end = 0
    return g


cdef inline bint find_groups(Chain* c) noexcept nogil:
    """Number the groups of all shares as they first come, and give each share its places; False when there is no memory."""
    cdef Py_ssize_t chunk, g, length, begin = 0, slot, slots = 16, total = 0
    cdef Py_ssize_t* table
    cdef int* keys
    cdef Share* share
    cdef int s
    for chunk in range(chunks_of(c)):
        total += c.shares[chunk]
    while slots < 2 * total:
        slots *= 2
    table = <Py_ssize_t*> malloc(slots * sizeof(Py_ssize_t))
    keys = <int*> malloc((total + 1) * sizeof(int))
    c.group = <skw_heston_group*> malloc((total + 1) * sizeof(skw_heston_group))
    if table == NULL or keys == NULL or c.group == NULL:
        free(table)
        free(keys)
        return False
    for slot in range(slots):
        table[slot] = -1
    for chunk in range(chunks_of(c)):
        for s in range(c.shares[chunk]):
            share = &c.share[chunk * CHUNK + s]
            slot = <Py_ssize_t> hashed(share.expiry, share.key) & (slots - 1)
            while True:
                g = table[slot]
                if g < 0:
                    g = table[slot] = c.groups
                    c.groups += 1
                    c.group[g] = empty_group(share.expiry, share.key)
                    keys[g] = share.key
                    break
                if c.group[g].expiry == share.expiry and keys[g] == share.key:
                    break
                slot = (slot + 1) & (slots - 1)
            share.group = g
            length = share.place
            share.place = c.group[g].end
            c.group[g].end += length
            c.count += length
    for g in range(c.groups):
        length = c.group[g].end
        c.group[g].begin, c.group[g].end = begin, begin + length
        begin += length
    free(table)
    free(keys)
    return True


cdef inline void place_chunk(void* context, Py_ssize_t chunk) noexcept nogil:
    cdef Chain* c = <Chain*> context
    cdef Share* share = c.share + chunk * CHUNK
    cdef Py_ssize_t i, j
    cdef int s
    for s in range(c.shares[chunk]):
        share[s].place += c.group[share[s].group].begin
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)):
        s = c.own[i]
        if s < 0:
            c.place[i] = -1
            continue
        j = share[s].place
        share[s].place += 1
        c.place[i] = j
        c.distance[j] = fabs(c.x[i])


cdef inline bint arrange(Chain* c, int threads) noexcept nogil:
    """Bound the groups and fill `place` and `distance`, once every chunk is counted; False when there is no memory."""
    if not find_groups(c):
        return False
    parallel_for(place_chunk, c, chunks_of(c), 1, threads)
    return True
