// Threads with enough stack: some systems give a new one 128 KiB, and row functions keep what they
// work on there.

#ifndef KSR_CORE_THREAD_H
#define KSR_CORE_THREAD_H

#include <pthread.h>

// As pthread_create() with default attributes, but with at least 1 MiB of stack.
int ksr_thread_create(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
