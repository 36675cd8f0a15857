// The thread pool of the row bands; see pool.h.
//
// One loop is in flight at a time. Its indices are handed out under the lock: a band is thousands
// of samples, so the lock costs nothing that could be measured.

#include "core/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/thread.h"

struct ksr_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake; // new work, or quit
    pthread_cond_t idle; // `running` fell to 0 with nothing left
    // All below: under `lock`.
    void (*job)(void *arg, int i, int thread);
    void *arg;
    int next, count; // indices not handed out yet
    int running;     // indices handed out and not finished
    bool quit;
    // Constant after creation.
    int helper_count;
    struct helper {
        struct ksr_pool *pool;
        int number; // 1 and up; the calling thread is 0
        pthread_t thread;
    } helpers[];
};

// Runs indices until none is left. Called and left with the lock held.
static void drain(ksr_pool *pool, int thread)
{
    while (pool->next < pool->count) {
        const int i = pool->next++;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        pool->job(pool->arg, i, thread);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0 && pool->next >= pool->count)
            pthread_cond_signal(&pool->idle);
    }
}

static void *helper_main(void *arg)
{
    const struct helper *helper = arg;
    ksr_pool *pool = helper->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->quit) {
        drain(pool, helper->number);
        if (!pool->quit)
            pthread_cond_wait(&pool->wake, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

ksr_pool *ksr_pool_create(int threads)
{
    const int helpers = threads > 1 ? threads - 1 : 0;
    ksr_pool *pool = calloc(1, sizeof(*pool) + (size_t)helpers * sizeof(pool->helpers[0]));
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->idle, NULL);
    for (; pool->helper_count < helpers; pool->helper_count++) {
        struct helper *helper = &pool->helpers[pool->helper_count];
        *helper = (struct helper){.pool = pool, .number = pool->helper_count + 1};
        if (ksr_thread_create(&helper->thread, helper_main, helper) != 0) {
            ksr_pool_destroy(&pool);
            return NULL;
        }
    }
    return pool;
}

void ksr_pool_destroy(ksr_pool **poolp)
{
    if (!poolp || !*poolp)
        return;
    ksr_pool *pool = *poolp;
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->helper_count; i++)
        pthread_join(pool->helpers[i].thread, NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    *poolp = NULL;
}

int ksr_pool_threads(const ksr_pool *pool)
{
    return pool ? pool->helper_count + 1 : 1;
}

void ksr_pool_run(ksr_pool *pool, void (*job)(void *arg, int i, int thread), void *arg, int count)
{
    if (!pool || pool->helper_count == 0 || count <= 1) {
        for (int i = 0; i < count; i++)
            job(arg, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->job = job;
    pool->arg = arg;
    pool->next = 0;
    pool->count = count;
    pthread_cond_broadcast(&pool->wake);
    drain(pool, 0);
    while (pool->running > 0)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
