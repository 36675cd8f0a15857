// Threads; see thread.h.

#include "core/thread.h"

#define STACK ((size_t)1 << 20)

int ksr_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    pthread_attr_t attributes;
    size_t usual = 0;
    int failed = pthread_attr_init(&attributes);
    if (failed)
        return failed;
    if (pthread_attr_getstacksize(&attributes, &usual) == 0 && usual < STACK)
        failed = pthread_attr_setstacksize(&attributes, STACK);
    if (!failed)
        failed = pthread_create(thread, &attributes, run, arg);
    pthread_attr_destroy(&attributes);
    return failed;
}
