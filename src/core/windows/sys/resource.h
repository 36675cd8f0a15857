// Limits of memory, of which Windows tells none; see ../posix.h.

#ifndef KSR_CORE_WINDOWS_SYS_RESOURCE_H
#define KSR_CORE_WINDOWS_SYS_RESOURCE_H

#include <stdint.h>

#define RLIMIT_DATA   2
#define RLIMIT_AS     9
#define RLIM_INFINITY UINT64_MAX

struct rlimit {
    uint64_t rlim_cur, rlim_max;
};

static inline int getrlimit(int what, struct rlimit *out)
{
    (void)what;
    *out = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    return 0;
}

#endif
