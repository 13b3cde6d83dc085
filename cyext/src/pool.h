/* The process's one pool of threads; _pool.c says how it behaves. Kernels reach it through _pool.pxd. */
#ifndef SKW_POOL_H
#define SKW_POOL_H

#include <stddef.h>

/* Does the element `index` of what `context` describes. */
typedef void (*skw_body)(void *context, ptrdiff_t index);

/* Calls body(context, i) once for each i in [0, count), the caller and at most threads - 1 workers taking `chunk`
 * indices at a time, and returns when all are done. Which thread does which index is left to chance. */
void skw_parallel_for(skw_body body, void *context, ptrdiff_t count, ptrdiff_t chunk, int threads);

/* Must be called before the first loop: the pool makes no more than `most` workers, and none before one is needed. */
void skw_pool_prepare(int most);

/* For a body to tell the call of something once and for all: `*flag` becomes 1. */
static inline void skw_raise(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_RELAXED); }

/* The number of workers made so far. */
int skw_pool_workers(void);

#endif
