# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""SABR: volatilities in blocks, and fits of smiles, by the vector code of the processor's instruction-set level."""
from libc.stdlib cimport malloc, free
from skewline.cyext._columns cimport doubles_column
from skewline.cyext._isa import level
from skewline.cyext._pool cimport parallel_for
from skewline.cyext._sabr_loops cimport (
    SKW_BLOCK, SKW_SABR_EXPIRED, SKW_SABR_NON_FINITE, SKW_SABR_NOT_CONVERGED, SKW_SABR_OK, SKW_SABR_OUT_OF_DOMAIN,
    SKW_SABR_ROOM, skw_sabr, skw_sabr_columns, skw_sabr_fit, skw_sabr_loops, skw_sabr_quotes)
from skewline.cyext._status cimport EXPIRED, NON_FINITE, NOT_CONVERGED, OK, OUT_OF_DOMAIN, TOO_FEW

cdef const skw_sabr_loops* loops = skw_sabr(level())

cdef enum:
    # Strikes of a smile that is fitted in memory on the stack, and the doubles that it needs there.
    SMALL = 128
    SMALL_ROOM = 6 * SMALL
    # Blocks, and smiles, that one thread takes at a time.
    BLOCKS = 8
    SMILES = 4


cdef struct Vols:
    skw_sabr_columns columns
    double* out
    Py_ssize_t count
    int obloj


cdef void vols_body(void* context, Py_ssize_t block) noexcept nogil:
    cdef Vols* call = <Vols*> context
    cdef Py_ssize_t start = block * SKW_BLOCK, left = call.count - start
    loops.vols(&call.columns, call.obloj, start, <int> (left if left < SKW_BLOCK else SKW_BLOCK), call.out + start)


def implied_vol(const double[:] forward, const double[:] strike, const double[:] expiry, const double[:] alpha,
                const double[:] beta, const double[:] rho, const double[:] nu, const double[:] shift, bint obloj,
                double[::1] out, int threads):
    cdef Vols call
    call.count = out.shape[0]
    if call.count == 0:
        return
    call.columns.forward = doubles_column(forward)
    call.columns.strike = doubles_column(strike)
    call.columns.expiry = doubles_column(expiry)
    call.columns.alpha = doubles_column(alpha)
    call.columns.beta = doubles_column(beta)
    call.columns.rho = doubles_column(rho)
    call.columns.nu = doubles_column(nu)
    call.columns.shift = doubles_column(shift)
    call.out = &out[0]
    call.obloj = obloj
    with nogil:
        parallel_for(vols_body, &call, (call.count + SKW_BLOCK - 1) // SKW_BLOCK, BLOCKS, threads)


cdef struct Fits:
    const double* forward
    const double* expiry
    const double* beta
    const double* shift
    const double* strikes
    const double* vols
    const double* weights
    const long long* offsets
    double* room            # of smiles too long for the stack
    double* out
    int* codes
    Py_ssize_t smiles
    int obloj


cdef inline int status_of(int outcome) noexcept nogil:
    if outcome == SKW_SABR_OK:
        return OK
    if outcome == SKW_SABR_NON_FINITE:
        return NON_FINITE
    if outcome == SKW_SABR_EXPIRED:
        return EXPIRED
    if outcome == SKW_SABR_NOT_CONVERGED:
        return NOT_CONVERGED
    return OUT_OF_DOMAIN if outcome == SKW_SABR_OUT_OF_DOMAIN else TOO_FEW


cdef void fit_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef Fits* call = <Fits*> context
    cdef double[SMALL_ROOM] own
    cdef skw_sabr_quotes q
    cdef skw_sabr_fit fit
    cdef Py_ssize_t start = call.offsets[i], n = call.smiles
    cdef int j
    q.forward, q.expiry, q.beta, q.shift = call.forward[i], call.expiry[i], call.beta[i], call.shift[i]
    q.strikes = call.strikes + start
    q.vols = call.vols + start
    q.weights = call.weights + start if call.weights != NULL else NULL
    q.count = call.offsets[i + 1] - start
    q.obloj = call.obloj
    q.room = &own[0]
    if q.count > SMALL:
        q.room = call.room + SKW_SABR_ROOM(start + 8 * i)
    fit = loops.fit(&q)
    for j in range(4):
        call.out[j * n + i] = fit.value[j]
        call.out[(4 + j) * n + i] = fit.error[j]
    call.out[8 * n + i] = fit.rmse
    call.out[9 * n + i] = fit.condition
    call.codes[i] = fit.iterations
    call.codes[n + i] = status_of(fit.outcome)


def calibrate_many(const double[::1] forward, const double[::1] expiry, const double[::1] strikes,
                   const double[::1] vols, const double[::1] weights, const long long[::1] offsets,
                   const double[::1] beta, const double[::1] shift, bint obloj, double[:, ::1] out,
                   int[:, ::1] codes, int threads):
    """Fit the smiles that lie one after another in `strikes`, from offsets[i] to offsets[i+1]; beta NaN is found."""
    cdef Fits call
    cdef Py_ssize_t i, total = strikes.shape[0]
    cdef bint long_ones = False
    call.smiles = forward.shape[0]
    if call.smiles == 0:
        return
    for i in range(call.smiles):
        long_ones |= offsets[i + 1] - offsets[i] > SMALL
    call.forward, call.expiry, call.beta, call.shift = &forward[0], &expiry[0], &beta[0], &shift[0]
    call.strikes = &strikes[0] if total else NULL
    call.vols = &vols[0] if total else NULL
    call.weights = &weights[0] if weights.shape[0] else NULL
    call.offsets, call.out, call.codes, call.obloj = &offsets[0], &out[0, 0], &codes[0, 0], obloj
    call.room = NULL
    try:
        if long_ones:
            call.room = <double*> malloc(SKW_SABR_ROOM(total + 8 * call.smiles) * sizeof(double))
            if call.room == NULL:
                raise MemoryError
        with nogil:
            parallel_for(fit_body, &call, call.smiles, SMILES, threads)
    finally:
        free(call.room)
