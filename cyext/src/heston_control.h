/* The control variate: Black's out-of-the-money price in units of D√(FK), and its derivative in s = σ√T, for many strikes
 * of one s. With h = x/s, t = s/2 and Mills' ratio M both have the factor e^{-(h² + t²)/2}/√2π (see black_value.h). */
#ifndef SKW_HESTON_CONTROL_H
#define SKW_HESTON_CONTROL_H
#include "mills.h"

/* `x` is |ln(F/K)|. */
SKW_LANE double skw_heston_control(double x, double s)
{
    double h = x / s, t = 0.5 * s, z = h - t, far = h + t;
    int deep = z < -1.0;
    double a = deep ? -z : z;
    skw_mills m = skw_mills_pair(a, far, deep ? far - a : s);
    double part = 0.39894228040143267794 * skw_exp_negative(-0.5 * (h * h + t * t));
    return deep ? skw_exp_negative(-0.5 * x) - part * (m.at_a + m.at_b) : part * m.difference;
}

#endif
