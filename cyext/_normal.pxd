# cython: cdivision=True
# The normal distribution and the scaled complementary error function.
from libc.math cimport exp, erfc, fabs, sqrt, INFINITY

cdef extern from *:
    """
    static const double skw_sqrt_half = 0.70710678118654752440;
    static const double skw_inv_sqrt_2pi = 0.39894228040143267794;
    """
    const double SQRT_HALF "skw_sqrt_half"
    const double INV_SQRT_2PI "skw_inv_sqrt_2pi"


cdef inline double norm_pdf(double x) noexcept nogil:
    return INV_SQRT_2PI * exp(-0.5 * x * x)


cdef inline double norm_cdf(double x) noexcept nogil:
    return 0.5 * erfc(-SQRT_HALF * x)


cdef inline double erfcx(double x) noexcept nogil:
    """exp(x²) erfc(x), after W. J. Cody (1969), Math. Comp. 23, 631: relative error below 1e-15."""
    cdef double y = fabs(x)
    cdef double z, top, bottom, value
    if y <= 0.46875:
        z = y * y
        top = (((.185777706184603153 * z + 3.16112374387056560) * z + 113.864154151050156) * z
               + 377.485237685302021) * z + 3209.37758913846947
        bottom = (((z + 23.6012909523441209) * z + 244.024637934444173) * z
                  + 1282.61652607737228) * z + 2844.23683343917062
        return exp(z) * (1.0 - x * top / bottom)
    if y <= 4.0:
        top = ((((((((2.15311535474403846e-8 * y + .564188496988670089) * y + 8.88314979438837594) * y
                    + 66.1191906371416295) * y + 298.635138197400131) * y + 881.95222124176909) * y
                 + 1712.04761263407058) * y + 2051.07837782607147) * y + 1230.33935479799725)
        bottom = ((((((((y + 15.7449261107098347) * y + 117.693950891312499) * y + 537.181101862009858) * y
                       + 1621.38957456669019) * y + 3290.79923573345963) * y + 4362.61909014324716) * y
                   + 3439.36767414372164) * y + 1230.33935480374942)
        value = top / bottom
    elif y < 6.7e7:
        z = 1.0 / (y * y)
        top = ((((.0163153871373020978 * z + .305326634961232344) * z + .360344899949804439) * z
                + .125781726111229246) * z + .0160837851487422766) * z + 6.58749161529837803e-4
        bottom = ((((z + 2.56852019228982242) * z + 1.87295284992346725) * z + .527905102951428412) * z
                  + .0605183413124413191) * z + .00233520497626869185
        value = (.56418958354775628695 - z * top / bottom) / y
    else:
        value = .56418958354775628695 / y
    if x < 0.0:
        if x < -26.628:
            return INFINITY
        return 2.0 * exp(x * x) - value
    return value
