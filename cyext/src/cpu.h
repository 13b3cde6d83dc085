/* The highest instruction-set level that this build holds and this processor and operating system run. */
#ifndef SKW_CPU_H
#define SKW_CPU_H

static inline int skw_cpu_level(void)
{
#ifdef SKW_X86_LEVELS
#define SKW_HAS(feature) __builtin_cpu_supports(feature)
    __builtin_cpu_init();
    if (!(SKW_HAS("sse3") && SKW_HAS("ssse3") && SKW_HAS("sse4.1") && SKW_HAS("sse4.2") && SKW_HAS("popcnt"))) return 0;
    if (!(SKW_HAS("avx2") && SKW_HAS("fma") && SKW_HAS("bmi") && SKW_HAS("bmi2"))) return 1;
    if (!(SKW_HAS("avx512f") && SKW_HAS("avx512bw") && SKW_HAS("avx512cd") && SKW_HAS("avx512dq") && SKW_HAS("avx512vl")))
        return 2;
    return 3;
#undef SKW_HAS
#else
    return 0;
#endif
}

#endif
