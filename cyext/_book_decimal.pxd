"""Decimal text read exactly into a whole number of the smallest unit."""
from libc.stdint cimport int64_t

cdef enum:
    READ = 0
    MALFORMED = 1
    OFF_GRID = 2
    TOO_LARGE = 3


cdef inline int read_decimal(const char* text, Py_ssize_t size, int decimals, int64_t* value) noexcept nogil:
    """`text` times 10^decimals. Digits, perhaps a point and digits; zeros may follow beyond `decimals`."""
    # From `full` on there is no room for one more digit.
    cdef int64_t read = 0, full = 922337203685477580
    cdef int digits = 0, after = -1
    cdef Py_ssize_t i
    cdef char letter
    for i in range(size):
        letter = text[i]
        if c'0' <= letter <= c'9':
            digits += 1
            if after >= decimals:
                if letter != c'0':
                    return OFF_GRID
                continue
            if read >= full:
                return TOO_LARGE
            read = 10 * read + (letter - c'0')
            if after >= 0:
                after += 1
        elif letter == c'.' and after < 0 and digits > 0:
            after = 0
        else:
            return MALFORMED
    if digits == 0 or text[size - 1] == c'.':
        return MALFORMED
    for i in range(decimals - (after if after > 0 else 0)):
        if read >= full:
            return TOO_LARGE
        read *= 10
    value[0] = read
    return READ
