# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The two sides of an order book, in whole ticks and lots."""
import numpy as np

from cpython.unicode cimport PyUnicode_Check
from libc.stdint cimport int64_t
from skewline.cyext._book_decimal cimport MALFORMED, OFF_GRID, READ, read_decimal
from skewline.cyext._book_side cimport (
    Side, complete, contents, emptied, quantity_of, replaced, reserve, updated,
)

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object text, Py_ssize_t* size) except NULL


cdef int read(object text, int decimals, int64_t* value, str name, Py_ssize_t at, str what) except -1:
    cdef Py_ssize_t size = 0
    cdef const char* letters
    cdef int outcome
    if not PyUnicode_Check(text):
        raise TypeError(f"{name}[{at}]: the {what} must be text, not {type(text).__name__}")
    letters = PyUnicode_AsUTF8AndSize(text, &size)
    outcome = read_decimal(letters, size, decimals, value)
    if outcome == READ:
        return 0
    if outcome == OFF_GRID:
        raise ValueError(f"{name}[{at}]: the {what} {text!r} has more than {decimals} decimals")
    if outcome == MALFORMED:
        raise ValueError(f"{name}[{at}]: the {what} {text!r} is not a decimal number of 0 or more")
    raise ValueError(f"{name}[{at}]: the {what} {text!r} is too large for {decimals} decimals")


cdef class Sides:
    """Levels of both sides. A call that raises has changed nothing.

    The GIL is kept: a message's levels take less time than giving it up and getting it back.
    """

    cdef Side bids
    cdef Side asks
    cdef readonly int price_decimals
    cdef readonly int quantity_decimals

    def __cinit__(self, int price_decimals, int quantity_decimals):
        self.bids.sign = 1
        self.asks.sign = -1
        self.price_decimals = price_decimals
        self.quantity_decimals = quantity_decimals

    def __dealloc__(self):
        emptied(&self.bids)
        emptied(&self.asks)

    cdef int take(self, Side* side, str name, object levels) except -1:
        """Read `levels` into the side's batch."""
        cdef Py_ssize_t i, n
        cdef int64_t ticks = 0
        cdef object level, price, quantity
        if not isinstance(levels, (list, tuple)):
            raise TypeError(f"{name} must be a list of [price, quantity], not {type(levels).__name__}")
        n = len(levels)
        if not reserve(side, n):
            raise MemoryError
        for i in range(n):
            level = levels[i]
            if not isinstance(level, (list, tuple)) or len(level) != 2:
                raise ValueError(f"{name}[{i}] must be [price, quantity], not {level!r}")
            price, quantity = level
            read(price, self.price_decimals, &ticks, name, i, "price")
            if ticks == 0:
                raise ValueError(f"{name}[{i}]: the price must be above 0, not {price!r}")
            side.new_key[i] = side.sign * ticks
            read(quantity, self.quantity_decimals, &side.new_lots[i], name, i, "quantity")
        side.batch = n
        return 0

    def replace(self, bids, asks):
        """These levels and no others."""
        self.take(&self.bids, "bids", bids)
        self.take(&self.asks, "asks", asks)
        replaced(&self.bids)
        replaced(&self.asks)

    def update(self, bids, asks):
        """Set each level to its quantity; 0 takes it away."""
        self.take(&self.bids, "bids", bids)
        self.take(&self.asks, "asks", asks)
        updated(&self.bids)
        updated(&self.asks)

    def best(self):
        """(bid ticks, bid lots, ask ticks, ask lots); the ticks of an empty side are 0."""
        cdef Side* bid = &self.bids
        cdef Side* ask = &self.asks
        return (
            bid.key[bid.n - 1] if bid.n else 0,
            bid.lots[bid.n - 1] if bid.n else 0,
            -ask.key[ask.n - 1] if ask.n else 0,
            ask.lots[ask.n - 1] if ask.n else 0,
        )

    def sizes(self):
        """Levels of (bids, asks)."""
        return self.bids.n, self.asks.n

    def top(self, bint of_bids, Py_ssize_t levels):
        """(ticks, lots) of the best `levels` of a side, best first, and whether the snapshot reached so far."""
        cdef Side* side = &self.bids if of_bids else &self.asks
        cdef Py_ssize_t n = min(levels, side.n)
        ticks, lots = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        cdef int64_t[::1] to_ticks = ticks, to_lots = lots
        if n:
            contents(side, n, &to_ticks[0], &to_lots[0])
        return ticks, lots, bool(complete(side, levels))

    def quantities(self, Py_ssize_t levels):
        """Lots in the best `levels` of (bids, asks)."""
        return quantity_of(&self.bids, levels), quantity_of(&self.asks, levels)
