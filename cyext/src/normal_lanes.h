/* Tails of the normal distribution for loops that the compiler turns into vectors, from Mills' ratio (mills.h). */
#ifndef SKW_NORMAL_LANES_H
#define SKW_NORMAL_LANES_H
#include "mills.h"

#define SKW_ONE_OVER_ROOT_2PI 0.39894228040143267794

/* Mills' ratio of one argument z >= -1.05, relative error below 3e-15. */
SKW_LANE double skw_mills_at(double z)
{
    double w = 1.0 / (z + SKW_MILLS_LAMBDA), u = 1.0 - SKW_MILLS_2_KAPPA * w, v = u * u;
    double even = SKW_MILLS_EVEN_24 * v + SKW_MILLS_EVEN_22, odd = SKW_MILLS_ODD_23;
#define SKW_MILLS_STEP(e, o) \
    even = even * v + (e); \
    odd = odd * v + (o);
    SKW_MILLS_REST(SKW_MILLS_STEP)
#undef SKW_MILLS_STEP
    return w * (even + u * odd);
}

/* c Φ(x), where `density` is c φ(x), which the caller has at hand. */
SKW_LANE double skw_weighted_cdf(double x, double density, double c)
{
    double tail = density * skw_mills_at(fabs(x));
    return x > 0.0 ? c - tail : tail;
}

#endif
