// Ctrl-C and Ctrl-Break (SIGINT), and the end of the console or the session (SIGTERM); see posix.h.
// The handler runs on a thread of its own.

#include_next <signal.h>

#ifndef KSR_CORE_WINDOWS_SIGNAL_H
#define KSR_CORE_WINDOWS_SIGNAL_H

#define SIGPIPE      13 // writing to a closed pipe is an error of write(), no signal
#define SA_RESETHAND 1

#define sigaction      ksr_posix_sigaction
#define signal         ksr_posix_signal
#define sigemptyset(s) ((void)(*(s) = 0))

struct sigaction {
    void (*sa_handler)(int);
    int sa_mask, sa_flags;
};

int sigaction(int number, const struct sigaction *action, struct sigaction *old);
void (*signal(int number, void (*handler)(int)))(int);

#endif
