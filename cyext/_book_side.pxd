"""One side of an order book: a sorted array whose end is the best level.

Nine of ten changes are near the best, so that little has to move; a search starts where the last one ended,
since the levels of a message are sorted.
"""
from libc.stdint cimport int64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memmove

cdef struct Side:
    # Ascending; the ticks of a bid, the negated ticks of an ask: the best is last on both sides.
    int64_t* key
    int64_t* lots
    Py_ssize_t n
    Py_ssize_t room
    # Levels of the message in hand.
    int64_t* new_key
    int64_t* new_lots
    Py_ssize_t batch
    Py_ssize_t batch_room
    int64_t sign
    # The worst level of the snapshot: beyond it there may be levels that nothing has told of.
    int64_t reach
    bint has_reach


cdef inline bint grown(int64_t** array, Py_ssize_t room) noexcept nogil:
    cdef void* larger = realloc(array[0], room * sizeof(int64_t))
    if larger == NULL:
        return False
    array[0] = <int64_t*> larger
    return True


cdef inline bint reserve(Side* side, Py_ssize_t batch) noexcept nogil:
    """Room for a batch, and for all of it as new levels: nothing can fail once a batch is being applied."""
    cdef Py_ssize_t room
    if batch > side.batch_room:
        room = 2 * batch
        if not (grown(&side.new_key, room) and grown(&side.new_lots, room)):
            return False
        side.batch_room = room
    if side.n + batch > side.room:
        room = 2 * (side.n + batch)
        if not (grown(&side.key, room) and grown(&side.lots, room)):
            return False
        side.room = room
    return True


cdef inline void emptied(Side* side) noexcept nogil:
    free(side.key)
    free(side.lots)
    free(side.new_key)
    free(side.new_lots)


cdef inline Py_ssize_t found(const Side* side, int64_t key, Py_ssize_t start) noexcept nogil:
    """The first place whose key is not less than `key`; the steps grow from `start`, then halve."""
    cdef Py_ssize_t low, high, middle, step = 1
    if start < side.n and side.key[start] < key:
        low, high = start + 1, start + 1
        while high < side.n and side.key[high] < key:
            low = high + 1
            high += step
            step *= 2
        high = min(high, side.n)
    else:
        low, high = start, start
        while low > 0 and side.key[low - 1] >= key:
            high = low - 1
            low = max(0, low - step)
            step *= 2
    while low < high:
        middle = (low + high) // 2
        if side.key[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline Py_ssize_t put(Side* side, int64_t key, int64_t lots, Py_ssize_t start) noexcept nogil:
    """One level set, added or taken away; its place."""
    cdef Py_ssize_t at = found(side, key, start)
    cdef Py_ssize_t behind = side.n - at
    if behind > 0 and side.key[at] == key:
        if lots > 0:
            side.lots[at] = lots
        else:
            memmove(side.key + at, side.key + at + 1, (behind - 1) * sizeof(int64_t))
            memmove(side.lots + at, side.lots + at + 1, (behind - 1) * sizeof(int64_t))
            side.n -= 1
    elif lots > 0:
        memmove(side.key + at + 1, side.key + at, behind * sizeof(int64_t))
        memmove(side.lots + at + 1, side.lots + at, behind * sizeof(int64_t))
        side.key[at], side.lots[at] = key, lots
        side.n += 1
    return at


cdef inline void updated(Side* side) noexcept nogil:
    """The batch applied in its order: of two quantities for a price the later one holds."""
    cdef Py_ssize_t i, at = side.n
    for i in range(side.batch):
        at = put(side, side.new_key[i], side.new_lots[i], at)


cdef inline void replaced(Side* side) noexcept nogil:
    """The batch in place of all levels; from its end, since a snapshot's best come first."""
    cdef Py_ssize_t i, at = 0
    side.n = 0
    for i in range(side.batch - 1, -1, -1):
        at = put(side, side.new_key[i], side.new_lots[i], at)
    side.has_reach = side.n > 0
    if side.has_reach:
        side.reach = side.key[0]


cdef inline bint complete(const Side* side, Py_ssize_t levels) noexcept nogil:
    """Whether the best `levels` are all within the reach of the snapshot."""
    if not side.has_reach:
        return True
    return levels <= side.n and (levels == 0 or side.key[side.n - levels] >= side.reach)


cdef inline void contents(const Side* side, Py_ssize_t levels, int64_t* ticks, int64_t* lots) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(levels):
        ticks[i] = side.sign * side.key[side.n - 1 - i]
        lots[i] = side.lots[side.n - 1 - i]


cdef inline double quantity_of(const Side* side, Py_ssize_t levels) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total = 0.0
    for i in range(min(levels, side.n)):
        total += <double> side.lots[side.n - 1 - i]
    return total
