/* What client.c says to server.c: one message of a socket (SOCK_SEQPACKET). With it come the
 * descriptors of the working directory and of those of standard input, output and error that are
 * open; in it are the umask, the number of arguments, and all arguments and variables of the
 * environment, each with its zero. The answers are the process, once it runs, and the status of
 * waitpid(), an int each. A side that is gone shows as the end. */
#pragma once

#include <stdint.h>

enum { START_DESCRIPTORS = 4, START_MOST = 160 * 1024 };

struct start {
    uint32_t mask, open;       /* open: bit N is descriptor N */
    uint32_t arguments, words; /* words: arguments and variables together */
};
