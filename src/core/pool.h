// A small thread pool that runs one loop at a time: the row bands of a picture.

#ifndef KSR_CORE_POOL_H
#define KSR_CORE_POOL_H

// Thread-safety: ksr_pool_run() from one thread at a time.
typedef struct ksr_pool ksr_pool;

// Returns a pool of `threads` (1..64), the calling thread counted in; NULL when out of resources.
// Free with ksr_pool_destroy().
ksr_pool *ksr_pool_create(int threads);

// Stops the threads, frees *pool and sets it to NULL. Accepts NULL and a pointer to NULL.
void ksr_pool_destroy(ksr_pool **pool);

// Returns the number of threads; 1 when pool is NULL.
int ksr_pool_threads(const ksr_pool *pool);

// Calls job(arg, i, thread) for every i in 0..count-1, in no particular order, on all threads of
// the pool and the calling one, and returns when all calls have returned. thread: which one it is,
// 0 .. ksr_pool_threads()-1; calls with equal `thread` never overlap. pool NULL = the calling
// thread alone.
void ksr_pool_run(ksr_pool *pool, void (*job)(void *arg, int i, int thread), void *arg, int count);

#endif
