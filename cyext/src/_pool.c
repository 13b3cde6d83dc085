/* One pool of threads for all kernels of a process.
 *
 * Why not OpenMP, whose loops are a line each:
 *  - after a fork the child's first parallel loop waits for ever for threads that only the parent has;
 *  - its idle threads spin for milliseconds, on cores that the servers' event loops need;
 *  - each Python thread that calls brings a team of its own: four callers with two threads each make eight on two cores.
 *
 * Here the caller works itself and takes only help that is idle. There are never more workers than `most` (the cores but
 * one), so a caller that comes while all are busy does its work alone, and goes on with one that becomes free. It waits
 * for workers that have begun something, never for one that the system has not let run yet. An idle worker looks out for
 * the next loop for some microseconds (a fit is hundreds of short loops), then sleeps.
 *
 * Each of those at work begins in a part of the loop of its own, and helps with the others' when that is done: two threads
 * that take turns along an array meet in every fresh page of it, and where that is a huge one both fill it with zeros, one
 * of them for nothing.
 *
 * The lock covers the list of open loops and all counts; the indices alone are handed out by atomics. Bodies run
 * outside it, so they may run loops of their own. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "pool.h"

#ifdef _WIN32

void skw_pool_prepare(int most) { (void)most; }

int skw_pool_workers(void) { return 0; }

void skw_parallel_for(skw_body body, void *context, ptrdiff_t count, ptrdiff_t chunk, int threads) {
    (void)chunk, (void)threads;
    for (ptrdiff_t i = 0; i < count; i++) body(context, i);
}

#else

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

/* Waking a sleeper costs about 50 µs; a fit's loops follow one another faster than this. */
#define SPIN_NANOSECONDS 20000
/* Bodies keep small buffers on the stack; some systems' own default is below what a sanitizer's frames take. */
#define STACK_BYTES ((size_t)4 << 20)

/* More threads than this share parts. */
#define MOST_PARTS 16
/* A part is worth having from so many chunks on. Shorter loops are one, whose first indices are begun first. */
#define LEAST_CHUNKS 8

struct part {
    _Alignas(64) atomic_intptr_t taken; /* alone on its line: several threads write it */
    ptrdiff_t end;
};

struct loop {
    skw_body body;
    void *context;
    ptrdiff_t chunk;
    int parts;
    fenv_t rounding; /* the caller's, so that its answer does not depend on who computes it */
    struct loop *next;
    int wanted;         /* workers that may still join */
    int begun;          /* threads that ever took part */
    int asleep;         /* whether the caller sleeps on `idle` */
    atomic_int joined;  /* workers inside */
    pthread_cond_t idle; /* made only when the caller sleeps */
    struct part part[MOST_PARTS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static struct loop *open_loops; /* oldest first */
static int most_workers, workers, busy, sleepers;
static atomic_int wanted; /* over all open loops; read without the lock by those that spin */

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Until `*value` is zero (or, with `until_some`, is not) or the time is over. */
static void spin(atomic_int *value, int until_some) {
    int64_t end = now() + SPIN_NANOSECONDS;
    do {
        for (int i = 0; i < 32; i++) {
            if ((atomic_load_explicit(value, memory_order_relaxed) != 0) == until_some) return;
            pause_briefly();
        }
    } while (now() < end);
}

static void work_on(const struct loop *loop, struct part *part) {
    for (;;) {
        ptrdiff_t begin = atomic_fetch_add_explicit(&part->taken, loop->chunk, memory_order_relaxed);
        if (begin >= part->end) return;
        ptrdiff_t end = part->end - begin < loop->chunk ? part->end : begin + loop->chunk;
        for (ptrdiff_t i = begin; i < end; i++) loop->body(loop->context, i);
    }
}

/* For the thread that is number `own` to take part in the loop. */
static void work(struct loop *loop, int own) {
    for (int k = 0; k < loop->parts; k++) work_on(loop, &loop->part[(own + k) % loop->parts]);
}

static void divide(struct loop *loop, ptrdiff_t count, int threads) {
    ptrdiff_t chunks = (count - 1) / loop->chunk + 1, parts = chunks / LEAST_CHUNKS, begin = 0;
    if (parts > threads) parts = threads;
    if (parts > MOST_PARTS) parts = MOST_PARTS;
    loop->parts = parts < 1 ? 1 : (int)parts;
    for (int k = 0; k < loop->parts; k++) {
        ptrdiff_t own = chunks / loop->parts + (k < chunks % loop->parts), end = begin + own * loop->chunk;
        atomic_init(&loop->part[k].taken, begin);
        loop->part[k].end = begin = k == loop->parts - 1 ? count : end;
    }
}

static struct loop *wanting(void) {
    struct loop *loop = open_loops;
    while (loop && !loop->wanted) loop = loop->next;
    return loop;
}

/* The loop is the caller's own memory: its last sight of it is the unlocking after `joined` has fallen to zero. */
static void join(struct loop *loop) {
    loop->wanted--;
    atomic_fetch_sub_explicit(&wanted, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&loop->joined, 1, memory_order_relaxed);
    busy++;
    int own = loop->begun++;
    fenv_t rounding = loop->rounding;
    pthread_mutex_unlock(&lock);
    fesetenv(&rounding);
    work(loop, own);
    pthread_mutex_lock(&lock);
    busy--;
    if (atomic_fetch_sub_explicit(&loop->joined, 1, memory_order_relaxed) == 1 && loop->asleep)
        pthread_cond_signal(&loop->idle);
}

static void *worker(void *unused) {
    (void)unused;
#ifdef __linux__
    pthread_setname_np(pthread_self(), "skewline");
#endif
    pthread_mutex_lock(&lock);
    for (;;) {
        struct loop *loop;
        while ((loop = wanting())) join(loop);
        pthread_mutex_unlock(&lock);
        spin(&wanted, 1);
        pthread_mutex_lock(&lock);
        sleepers++;
        while (!wanting()) pthread_cond_wait(&wake, &lock);
        sleepers--;
    }
    return NULL;
}

/* Signals stay with the threads that were there before: Python handles them in its main thread. */
static int start_worker(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes)) return 0;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, worker, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

static void open_loop(struct loop *loop, int helpers) {
    fegetenv(&loop->rounding);
    pthread_mutex_lock(&lock);
    loop->wanted = helpers;
    loop->next = NULL;
    struct loop **end = &open_loops;
    while (*end) end = &(*end)->next;
    *end = loop;
    atomic_fetch_add_explicit(&wanted, loop->wanted, memory_order_relaxed);
    int needed = atomic_load_explicit(&wanted, memory_order_relaxed);
    while (workers < most_workers && workers - busy < needed && start_worker()) workers++;
    for (int i = 0; i < needed && i < sleepers; i++) pthread_cond_signal(&wake);
    pthread_mutex_unlock(&lock);
}

static void close_loop(struct loop *loop) {
    pthread_mutex_lock(&lock);
    struct loop **at = &open_loops;
    while (*at != loop) at = &(*at)->next;
    *at = loop->next;
    atomic_fetch_sub_explicit(&wanted, loop->wanted, memory_order_relaxed);
    if (atomic_load_explicit(&loop->joined, memory_order_relaxed)) {
        pthread_mutex_unlock(&lock);
        spin(&loop->joined, 0);
        pthread_mutex_lock(&lock);
    }
    if (atomic_load_explicit(&loop->joined, memory_order_relaxed)) {
        pthread_cond_init(&loop->idle, NULL);
        loop->asleep = 1;
        while (atomic_load_explicit(&loop->joined, memory_order_relaxed)) pthread_cond_wait(&loop->idle, &lock);
        pthread_cond_destroy(&loop->idle);
    }
    pthread_mutex_unlock(&lock);
}

void skw_parallel_for(skw_body body, void *context, ptrdiff_t count, ptrdiff_t chunk, int threads) {
    if (chunk < 1) chunk = 1;
    if (threads < 2 || count <= chunk || most_workers < 1) {
        for (ptrdiff_t i = 0; i < count; i++) body(context, i);
        return;
    }
    ptrdiff_t helpers = (count - 1) / chunk; /* one chunk is the caller's */
    if (helpers > threads - 1) helpers = threads - 1;
    if (helpers > most_workers) helpers = most_workers;
    struct loop loop;
    loop.body = body, loop.context = context, loop.chunk = chunk;
    loop.begun = 1, loop.asleep = 0;
    atomic_init(&loop.joined, 0);
    divide(&loop, count, (int)helpers + 1);
    open_loop(&loop, (int)helpers);
    work(&loop, 0);
    close_loop(&loop);
}

int skw_pool_workers(void) {
    pthread_mutex_lock(&lock);
    int made = workers;
    pthread_mutex_unlock(&lock);
    return made;
}

static void before_fork(void) { pthread_mutex_lock(&lock); }

static void in_parent(void) { pthread_mutex_unlock(&lock); }

/* None of the workers and none of the callers that were in a loop is here: an empty pool. */
static void in_child(void) {
    pthread_mutex_init(&lock, NULL);
    pthread_cond_init(&wake, NULL);
    open_loops = NULL;
    workers = busy = sleepers = 0;
    atomic_store(&wanted, 0);
}

void skw_pool_prepare(int most) {
    static int done;
    pthread_mutex_lock(&lock);
    if (!done) {
        done = 1;
        most_workers = most;
        pthread_atfork(before_fork, in_parent, in_child);
    }
    pthread_mutex_unlock(&lock);
}

#endif
