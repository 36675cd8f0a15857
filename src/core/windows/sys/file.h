// Locks of files; see ../posix.h.

#ifndef KSR_CORE_WINDOWS_SYS_FILE_H
#define KSR_CORE_WINDOWS_SYS_FILE_H

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

#define flock ksr_posix_flock

int flock(int fd, int operation);

#endif
