/* Sums in a fixed number of lanes, whatever the width of the processor's vectors: every instruction-set level adds the
 * same numbers in the same order. */
#ifndef SKW_LANE_SUMS_H
#define SKW_LANE_SUMS_H
#include <stddef.h>

enum { SKW_SUM_LANES = 8 };

typedef double skw_lane_sums[SKW_SUM_LANES];

/* The elements of one round: lane l adds element i + l to its own sum, for l below `count`. */
#define SKW_SUM_DO(count) _Pragma("omp simd") for (int l = 0; l < (count); l++)

static inline int skw_sum_lanes(ptrdiff_t left) { return left < SKW_SUM_LANES ? (int)left : SKW_SUM_LANES; }

static inline double skw_lanes_total(const skw_lane_sums s)
{
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

#endif
