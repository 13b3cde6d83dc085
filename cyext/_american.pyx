# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""American options in batches: chunks of elements, whose puts on strike 1 go through the vector code in groups.

`left` says of every element what there is to do: on entry, anything but 0 leaves it out; on return 1 is an option that
needs the grid, 2 one whose Greeks are the European option's.
"""
from skewline.cyext._american_greeks cimport greeks_chunk
from skewline.cyext._american_lanes cimport QUEUES, Call, ON_GRID, WAITING
from skewline.cyext._american_loops cimport SKW_AMERICAN_LANES, skw_american, skw_american_loops
from skewline.cyext._american_price cimport price_chunk
from skewline.cyext._american_scheme cimport Scheme
from skewline.cyext._american_search cimport implied_chunk
from skewline.cyext._columns cimport doubles_column, flags_column
from skewline.cyext._isa import level
from skewline.cyext._pool cimport Body, parallel_for

cdef const skw_american_loops* loops = skw_american(level())

cdef enum:
    MOST_CHUNK = 16 * SKW_AMERICAN_LANES
    LEAST_CHUNK = 2 * SKW_AMERICAN_LANES

on_grid = ON_GRID
waiting = WAITING


cdef Call call_of(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
                  const double[:] rate, const double[:] carry, const double[:] last, tuple schemes,
                  unsigned char[::1] left):
    cdef Call c
    cdef Scheme scheme
    cdef int queue
    c.is_call = flags_column(is_call)
    c.spot = doubles_column(spot)
    c.strike = doubles_column(strike)
    c.expiry = doubles_column(expiry)
    c.rate = doubles_column(rate)
    c.carry = doubles_column(carry)
    c.last = doubles_column(last)
    c.loops = loops
    for queue in range(QUEUES):
        scheme = schemes[queue]
        c.scheme[queue] = scheme.scheme
    c.left = &left[0]
    c.count = left.shape[0]
    return c


cdef void over_chunks(Body body, Call* call, int threads) noexcept nogil:
    """Long chunks leave fewer lanes empty, short ones give every thread some."""
    cdef Py_ssize_t share = call.count // (4 * threads) // SKW_AMERICAN_LANES * SKW_AMERICAN_LANES
    call.chunk = MOST_CHUNK
    if threads > 1 and share < MOST_CHUNK:
        call.chunk = share if share > LEAST_CHUNK else LEAST_CHUNK
    parallel_for(body, call, (call.count + call.chunk - 1) // call.chunk, 1, threads)


def price(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
          const double[:] rate, const double[:] carry, const double[:] vol, tuple schemes, unsigned char[::1] left,
          double[::1] out, int threads):
    cdef Call c
    if left.shape[0] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, vol, schemes, left)
    c.out = &out[0]
    with nogil:
        over_chunks(price_chunk, &c, threads)


def greeks(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
           const double[:] rate, const double[:] carry, const double[:] vol, tuple schemes, unsigned char[::1] left,
           double[:, ::1] out, int threads):
    cdef Call c
    if left.shape[0] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, vol, schemes, left)
    c.out = &out[0, 0]
    with nogil:
        over_chunks(greeks_chunk, &c, threads)


def implied_vol(const unsigned char[:] is_call, const double[:] spot, const double[:] strike, const double[:] expiry,
                const double[:] rate, const double[:] carry, const double[:] price, tuple schemes,
                unsigned char[::1] left, double[::1] out, int[::1] status, int threads):
    cdef Call c
    if left.shape[0] == 0:
        return
    c = call_of(is_call, spot, strike, expiry, rate, carry, price, schemes, left)
    c.out = &out[0]
    c.status = &status[0]
    with nogil:
        over_chunks(implied_chunk, &c, threads)
