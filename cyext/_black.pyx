# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Array loops over Black-76; the formulas are in _black.pxd."""
from cython.parallel cimport prange
from skewline.cyext._black cimport (
    Greeks, ImpliedVol, black_price, black_greeks, black_implied_vol)


def price(const unsigned char[:] is_call, const double[:] forward, const double[:] strike, const double[:] expiry,
          const double[:] discount, const double[:] vol, double[::1] out, int threads):
    cdef Py_ssize_t i
    for i in prange(out.shape[0], nogil=True, schedule="static", num_threads=threads):
        out[i] = black_price(is_call[i], forward[i], strike[i], expiry[i], discount[i], vol[i])


cdef void store(double[:, ::1] out, Py_ssize_t i, Greeks g) noexcept nogil:
    out[0, i] = g.price
    out[1, i] = g.delta
    out[2, i] = g.gamma
    out[3, i] = g.vega
    out[4, i] = g.theta
    out[5, i] = g.rho
    out[6, i] = g.vanna
    out[7, i] = g.volga
    out[8, i] = g.charm


def greeks(const unsigned char[:] is_call, const double[:] forward, const double[:] strike, const double[:] expiry,
           const double[:] discount, const double[:] vol, double[:, ::1] out, int threads):
    cdef Py_ssize_t i
    for i in prange(out.shape[1], nogil=True, schedule="static", num_threads=threads):
        store(out, i, black_greeks(is_call[i], forward[i], strike[i], expiry[i], discount[i], vol[i]))


def implied_vol(const unsigned char[:] is_call, const double[:] price, const double[:] forward,
                const double[:] strike, const double[:] expiry, const double[:] discount, double[::1] out,
                int[::1] status, int threads):
    cdef Py_ssize_t i
    cdef ImpliedVol result
    for i in prange(out.shape[0], nogil=True, schedule="static", num_threads=threads):
        result = black_implied_vol(is_call[i], price[i], forward[i], strike[i], expiry[i], discount[i])
        out[i] = result.vol
        status[i] = result.status
