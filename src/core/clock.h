// A clock that only goes forward, for measuring.

#ifndef KSR_CORE_CLOCK_H
#define KSR_CORE_CLOCK_H

#include <time.h>

// Returns seconds since some moment in the past.
static inline double ksr_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
