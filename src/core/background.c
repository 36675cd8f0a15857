// One call at a time on a thread of its own; see background.h.

#include "core/background.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/thread.h"

struct ksr_background {
    ksr_context *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    // All below: under `lock`.
    ksr_status (*call)(void *arg); // in progress; NULL = none
    void *arg;
    bool quit;
    // Of the last call, once it is over:
    ksr_status status;
    struct ksr_failure failure;
    double seconds; // of all calls
};

static void run_call(ksr_background *b)
{
    ksr_status (*call)(void *) = b->call;
    void *arg = b->arg;
    pthread_mutex_unlock(&b->lock);
    const double start = ksr_clock();
    ksr_failure_hold(b->ctx, &b->failure);
    const ksr_status status = call(arg);
    ksr_failure_release(&b->failure);
    const double seconds = ksr_clock() - start;
    pthread_mutex_lock(&b->lock);
    b->status = status;
    b->seconds += seconds;
    b->call = NULL;
    pthread_cond_broadcast(&b->changed);
}

static void *background_main(void *arg)
{
    ksr_background *b = arg;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        if (b->call)
            run_call(b);
        else if (b->quit)
            break;
        else
            pthread_cond_wait(&b->changed, &b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

ksr_status ksr_background_create(ksr_context *ctx, ksr_background **out)
{
    ksr_background *b = calloc(1, sizeof(*b));
    *out = NULL;
    if (!b)
        return ksr_fail_memory(ctx);
    b->ctx = ctx;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    if (ksr_thread_create(&b->thread, background_main, b) != 0) {
        pthread_cond_destroy(&b->changed);
        pthread_mutex_destroy(&b->lock);
        free(b);
        return ksr_fail_memory(ctx);
    }
    *out = b;
    return KSR_OK;
}

void ksr_background_destroy(ksr_background **background)
{
    if (!background || !*background)
        return;
    ksr_background *b = *background;
    pthread_mutex_lock(&b->lock);
    b->quit = true;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b);
    *background = NULL;
}

void ksr_background_start(ksr_background *b, ksr_status (*call)(void *arg), void *arg)
{
    pthread_mutex_lock(&b->lock);
    assert(!b->call);
    b->call = call;
    b->arg = arg;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void ksr_background_drop(ksr_background *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->call)
        pthread_cond_wait(&b->changed, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

ksr_status ksr_background_wait(ksr_background *b)
{
    ksr_background_drop(b);
    ksr_failure_tell(&b->failure);
    return b->status;
}

double ksr_background_take_time(ksr_background *b)
{
    const double seconds = b->seconds;
    b->seconds = 0;
    return seconds;
}

ksr_status ksr_run_both(ksr_context *ctx, ksr_status (*first)(void *arg), void *first_arg,
                        ksr_status (*second)(void *arg), void *second_arg)
{
    ksr_background *b;
    struct ksr_failure later;
    ksr_status status = ksr_background_create(ctx, &b);
    if (status != KSR_OK)
        return status;
    ksr_background_start(b, first, first_arg);
    ksr_failure_hold(ctx, &later);
    const ksr_status second_status = second(second_arg);
    ksr_failure_release(&later);
    status = ksr_background_wait(b);
    ksr_background_destroy(&b);
    if (status != KSR_OK)
        return status;
    ksr_failure_tell(&later);
    return second_status;
}
