// Free space; see ../posix.h.

#ifndef KSR_CORE_WINDOWS_SYS_STATVFS_H
#define KSR_CORE_WINDOWS_SYS_STATVFS_H

#include <stdint.h>

#define statvfs ksr_posix_statvfs

struct statvfs {
    uint64_t f_bavail, f_frsize;
};

int statvfs(const char *path, struct statvfs *out);

#endif
