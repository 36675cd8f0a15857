// Waiting for pipes; see posix.h.

#ifndef KSR_CORE_WINDOWS_POLL_H
#define KSR_CORE_WINDOWS_POLL_H

#define POLLIN  1
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 16

struct pollfd {
    int fd;
    short events, revents;
};

#define poll ksr_posix_poll

int poll(struct pollfd *list, unsigned count, int milliseconds);

#endif
