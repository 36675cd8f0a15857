// The operating system; see ../posix.h.

#ifndef KSR_CORE_WINDOWS_SYS_UTSNAME_H
#define KSR_CORE_WINDOWS_SYS_UTSNAME_H

#define uname ksr_posix_uname

struct utsname {
    char sysname[16], release[48], machine[16];
};

int uname(struct utsname *out);

#endif
