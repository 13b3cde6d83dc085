# The values of skewline.cyext.status.Status, for C.
cdef enum:
    OK = 0
    BELOW_INTRINSIC = 1
    ABOVE_BOUND = 2
    NON_FINITE = 3
    EXPIRED = 4
    NOT_CONVERGED = 5
    OUT_OF_DOMAIN = 6
    TOO_FEW = 7
    ARBITRAGE = 8
