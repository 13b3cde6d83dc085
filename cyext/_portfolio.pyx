# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Full revaluation of positions in scenarios: a work item is some options in a block of scenarios, so that neither many
options nor many scenarios leave a thread idle, and nothing of the size options x scenarios is kept unless it is asked for.
"""
from libc.float cimport DBL_MAX
from libc.math cimport isfinite, NAN
from skewline.cyext._black cimport black_price
from skewline.cyext._black_loops cimport SKW_BLOCK, skw_black_columns, skw_rare
from skewline.cyext._columns cimport double_at as at, doubles_column, flags_column, skw_column
from skewline.cyext._isa import level
from skewline.cyext._pool cimport Body, parallel_for
from skewline.cyext._portfolio_loops cimport (
    skw_black_block, skw_portfolio, skw_portfolio_loops, skw_positions, skw_scenarios)
from skewline.cyext._status cimport EXPIRED, NON_FINITE, OK, OUT_OF_DOMAIN

cdef const skw_portfolio_loops* loops = skw_portfolio(level())

# Options whose profits are summed one after the other; the sums of such groups are then added up in their order.
cdef Py_ssize_t GROUP = 128

# Options whose arguments are looked at by one thread at a time.
cdef Py_ssize_t LOOKED_AT = 1024

cdef struct Call:
    skw_positions positions
    skw_scenarios scenarios
    skw_column quantity
    skw_column base
    int* status
    Py_ssize_t options
    double* out


cdef inline Py_ssize_t blocks(const Call* call) noexcept nogil:
    return (call.scenarios.count + SKW_BLOCK - 1) // SKW_BLOCK


cdef inline int length(const Call* call, Py_ssize_t start) noexcept nogil:
    cdef Py_ssize_t left = call.scenarios.count - start
    return <int> (left if left < SKW_BLOCK else SKW_BLOCK)


cdef void revalued(const Call* call, Py_ssize_t option, Py_ssize_t start, int count, double* out) noexcept nogil:
    """Values of one option in scenarios [start, start + count)."""
    cdef skw_black_block block
    cdef skw_rare rare
    cdef int j
    loops.inputs(&call.positions, &call.scenarios, option, start, count, &block)
    loops.values(&block, count, out, &rare)
    if rare.any:
        loops.inputs(&call.positions, &call.scenarios, option, start, count, &block)
        for j in range(count):
            if rare.lane[j]:
                out[j] = black_price(block.sign[j] > 0.0, block.forward[j], block.strike[j], block.expiry[j],
                                     block.discount[j], block.fifth[j])


cdef void profit_body(void* context, Py_ssize_t item) noexcept nogil:
    """Profits of a group of options in a block of scenarios, into the group's row."""
    cdef const Call* call = <const Call*> context
    cdef Py_ssize_t group = item // blocks(call), start = item % blocks(call) * SKW_BLOCK
    cdef Py_ssize_t option, end = min((group + 1) * GROUP, call.options)
    cdef double[SKW_BLOCK] value
    cdef double* total = call.out + group * call.scenarios.count + start
    cdef double quantity, base
    cdef int j, count = length(call, start)
    for j in range(count):
        total[j] = 0.0
    for option in range(group * GROUP, end):
        if call.status[option] != OK:
            continue
        revalued(call, option, start, count, value)
        quantity = at(call.quantity, option)
        base = at(call.base, option)
        for j in range(count):
            total[j] += quantity * (value[j] - base)


cdef void matrix_body(void* context, Py_ssize_t item) noexcept nogil:
    """Values of one option in a block of scenarios, into the option's row."""
    cdef const Call* call = <const Call*> context
    cdef Py_ssize_t option = item // blocks(call), start = item % blocks(call) * SKW_BLOCK
    cdef double* out = call.out + option * call.scenarios.count + start
    cdef int j, count = length(call, start)
    if call.status[option] == OK:
        revalued(call, option, start, count, out)
    else:
        for j in range(count):
            out[j] = NAN


def groups(Py_ssize_t options):
    """How many rows `profit` needs."""
    return (options + GROUP - 1) // GROUP


cdef int status_of(const Call* call, Py_ssize_t i) noexcept nogil:
    """Whether the option can be valued: what black.price takes, with finite quantity, base and weight."""
    cdef const skw_black_columns* o = &call.positions.options
    cdef double forward = at(o.forward, i), strike = at(o.strike, i), discount = at(o.discount, i)
    cdef double vol = at(o.fifth, i), expiry = at(o.expiry, i)
    if not (isfinite(forward) and isfinite(strike) and isfinite(discount) and isfinite(vol) and isfinite(expiry)
            and isfinite(at(call.positions.vol_weight, i)) and isfinite(at(call.quantity, i))
            and isfinite(at(call.base, i))):
        return NON_FINITE
    if expiry < 0.0:
        return EXPIRED
    return OUT_OF_DOMAIN if forward <= 0.0 or strike <= 0.0 or discount <= 0.0 or vol < 0.0 else OK


cdef void status_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef const Call* call = <const Call*> context
    call.status[i] = status_of(call, i)


cdef void finite_body(void* context, Py_ssize_t i) noexcept nogil:
    cdef double* value = <double*> context + i
    if value[0] != value[0]:
        value[0] = 0.0
    elif not isfinite(value[0]):
        value[0] = DBL_MAX


cdef Call positions_of(book, int[::1] status):
    cdef const Py_ssize_t[:] underlying = book.underlying
    cdef Call call
    call.positions.options.is_call = flags_column(book.is_call)
    call.positions.options.forward = doubles_column(book.forward)
    call.positions.options.strike = doubles_column(book.strike)
    call.positions.options.expiry = doubles_column(book.expiry)
    call.positions.options.discount = doubles_column(book.discount)
    call.positions.options.fifth = doubles_column(book.vol)
    call.positions.vol_weight = doubles_column(book.vol_weight)
    call.positions.underlying.data = <const char*> &underlying[0]
    call.positions.underlying.stride = underlying.strides[0]
    call.quantity = doubles_column(book.quantity)
    call.base = doubles_column(book.base)
    call.status = &status[0]
    call.options = status.shape[0]
    return call


cdef Call call_of(book, int[::1] status, scenarios, double[:, ::1] out):
    cdef const double[:, ::1] forward_factor = scenarios.forward_factor, vol_shock = scenarios.vol_shock
    cdef Call call = positions_of(book, status)
    call.scenarios.forward_factor = &forward_factor[0, 0]
    call.scenarios.vol_shock = &vol_shock[0, 0]
    call.scenarios.count = forward_factor.shape[1]
    call.scenarios.time_passed = doubles_column(scenarios.time_passed)
    call.scenarios.rate_shift = doubles_column(scenarios.rate_shift)
    call.scenarios.carry_shift = doubles_column(scenarios.carry_shift)
    call.scenarios.terms = scenarios.terms
    call.out = &out[0, 0]
    return call


def make_finite(double[::1] base, int threads):
    """Prices to count from: what has none has a status of its own, and counts from zero."""
    if base.shape[0]:
        with nogil:
            parallel_for(finite_body, &base[0], base.shape[0], LOOKED_AT, threads)


def examine(book, int[::1] status, int threads):
    """Which options can be valued: those that are not OK are left out of every sum."""
    cdef Call call
    if status.shape[0] == 0:
        return
    call = positions_of(book, status)
    with nogil:
        parallel_for(status_body, &call, call.options, LOOKED_AT, threads)


def profit(book, int[::1] status, scenarios, double[:, ::1] rows, double[::1] out, int threads):
    """Profit of all options in each scenario; `rows` is room for that of each group."""
    cdef Call call = call_of(book, status, scenarios, rows)
    cdef Py_ssize_t group, i
    with nogil:
        parallel_for(profit_body, &call, rows.shape[0] * blocks(&call), 1, threads)
        for i in range(out.shape[0]):
            out[i] = 0.0
        for group in range(rows.shape[0]):
            for i in range(out.shape[0]):
                out[i] += rows[group, i]


def matrix(book, int[::1] status, scenarios, double[:, ::1] out, int threads):
    """Value of each option (row) in each scenario (column)."""
    cdef Call call = call_of(book, status, scenarios, out)
    with nogil:
        parallel_for(matrix_body, &call, out.shape[0] * blocks(&call), 128, threads)
