# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Array loops over Black-76: blocks of options go through the vector code of the processor's instruction-set level, what
that leaves (bad input, extreme magnitudes) through the formulas of _black.pxd.
"""
from skewline.cyext._black cimport Greeks, ImpliedVol, black_price, black_greeks, black_implied_vol
from skewline.cyext._black_loops cimport (
    SKW_BLOCK, skw_black, skw_black_columns, skw_black_loops, skw_rare)
from skewline.cyext._columns cimport double_at as at, doubles_column, flag_at, flags_column
from skewline.cyext._isa import level
from skewline.cyext._pool cimport Body, parallel_for
from skewline.cyext._status cimport OK

cdef const skw_black_loops* loops = skw_black(level())


cdef skw_black_columns columns(const unsigned char[:] is_call, const double[:] forward, const double[:] strike,
                               const double[:] expiry, const double[:] discount, const double[:] fifth) noexcept nogil:
    cdef skw_black_columns c
    c.is_call = flags_column(is_call)
    c.forward = doubles_column(forward)
    c.strike = doubles_column(strike)
    c.expiry = doubles_column(expiry)
    c.discount = doubles_column(discount)
    c.fifth = doubles_column(fifth)
    return c


# Blocks that a thread takes at a time: tens of microseconds, so that taking costs nothing.
cdef Py_ssize_t CHUNK = 32

cdef struct Call:
    skw_black_columns columns
    Py_ssize_t count
    double* out
    int* status


cdef inline int length(Py_ssize_t block, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t left = count - block * SKW_BLOCK
    return <int> (left if left < SKW_BLOCK else SKW_BLOCK)


cdef void over_blocks(Body body, Call* call, int threads) noexcept nogil:
    parallel_for(body, call, (call.count + SKW_BLOCK - 1) // SKW_BLOCK, CHUNK, threads)


cdef void price_block(const skw_black_columns* c, Py_ssize_t start, int count, double* out) noexcept nogil:
    cdef skw_rare rare
    cdef int j
    cdef Py_ssize_t i
    loops.price(c, start, count, out + start, &rare)
    if rare.any:
        for j in range(count):
            if rare.lane[j]:
                i = start + j
                out[i] = black_price(flag_at(c.is_call, i), at(c.forward, i), at(c.strike, i), at(c.expiry, i),
                                     at(c.discount, i), at(c.fifth, i))


cdef void price_body(void* context, Py_ssize_t block) noexcept nogil:
    cdef Call* call = <Call*> context
    price_block(&call.columns, block * SKW_BLOCK, length(block, call.count), call.out)


def price(const unsigned char[:] is_call, const double[:] forward, const double[:] strike, const double[:] expiry,
          const double[:] discount, const double[:] vol, double[::1] out, int threads):
    cdef Call call
    call.count = out.shape[0]
    if call.count == 0:
        return
    call.columns = columns(is_call, forward, strike, expiry, discount, vol)
    call.out = &out[0]
    with nogil:
        over_blocks(price_body, &call, threads)


cdef void store(double* out, Py_ssize_t rows, Greeks g) noexcept nogil:
    out[0] = g.price
    out[rows] = g.delta
    out[2 * rows] = g.gamma
    out[3 * rows] = g.vega
    out[4 * rows] = g.theta
    out[5 * rows] = g.rho
    out[6 * rows] = g.vanna
    out[7 * rows] = g.volga
    out[8 * rows] = g.charm


cdef void greeks_block(const skw_black_columns* c, Py_ssize_t start, int count, double* out,
                       Py_ssize_t rows) noexcept nogil:
    cdef skw_rare rare
    cdef int j
    cdef Py_ssize_t i
    loops.greeks(c, start, count, out + start, rows, &rare)
    if rare.any:
        for j in range(count):
            if rare.lane[j]:
                i = start + j
                store(out + i, rows, black_greeks(flag_at(c.is_call, i), at(c.forward, i), at(c.strike, i),
                                                  at(c.expiry, i), at(c.discount, i), at(c.fifth, i)))


cdef void greeks_body(void* context, Py_ssize_t block) noexcept nogil:
    cdef Call* call = <Call*> context
    greeks_block(&call.columns, block * SKW_BLOCK, length(block, call.count), call.out, call.count)


def greeks(const unsigned char[:] is_call, const double[:] forward, const double[:] strike, const double[:] expiry,
           const double[:] discount, const double[:] vol, double[:, ::1] out, int threads):
    cdef Call call
    call.count = out.shape[1]
    if call.count == 0:
        return
    call.columns = columns(is_call, forward, strike, expiry, discount, vol)
    call.out = &out[0, 0]
    with nogil:
        over_blocks(greeks_body, &call, threads)


cdef void implied_block(const skw_black_columns* c, Py_ssize_t start, int count, double* out,
                        int* status) noexcept nogil:
    cdef skw_rare rare
    cdef ImpliedVol result
    cdef int j
    cdef Py_ssize_t i
    loops.implied(c, start, count, out + start, &rare)
    for j in range(count):
        status[start + j] = OK
    if rare.any:
        for j in range(count):
            if rare.lane[j]:
                i = start + j
                result = black_implied_vol(flag_at(c.is_call, i), at(c.fifth, i), at(c.forward, i), at(c.strike, i),
                                           at(c.expiry, i), at(c.discount, i))
                out[i] = result.vol
                status[i] = result.status


cdef void implied_body(void* context, Py_ssize_t block) noexcept nogil:
    cdef Call* call = <Call*> context
    implied_block(&call.columns, block * SKW_BLOCK, length(block, call.count), call.out, call.status)


def implied_vol(const unsigned char[:] is_call, const double[:] price, const double[:] forward,
                const double[:] strike, const double[:] expiry, const double[:] discount, double[::1] out,
                int[::1] status, int threads):
    cdef Call call
    call.count = out.shape[0]
    if call.count == 0:
        return
    call.columns = columns(is_call, forward, strike, expiry, discount, price)
    call.out = &out[0]
    call.status = &status[0]
    with nogil:
        over_blocks(implied_body, &call, threads)
