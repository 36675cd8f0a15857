// The size of a terminal; see ../posix.h.

#ifndef KSR_CORE_WINDOWS_SYS_IOCTL_H
#define KSR_CORE_WINDOWS_SYS_IOCTL_H

#define TIOCGWINSZ 1

struct winsize {
    unsigned short ws_row, ws_col;
};

#define ioctl ksr_posix_ioctl

int ioctl(int fd, int request, struct winsize *out);

#endif
