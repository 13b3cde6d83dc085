# One accuracy level of the American kernel, as the vector code takes it.
from skewline.cyext._american_loops cimport skw_american_rule, skw_american_scheme, skw_american_stage


cdef class Rule:
    cdef skw_american_rule rule
    cdef object arrays


cdef class Stage:
    cdef skw_american_stage stage
    cdef object arrays


cdef class Scheme:
    cdef skw_american_scheme scheme
    cdef object parts
