/* What client.c says to server.c: one message of a socket (SOCK_SEQPACKET). With it come the
 * descriptors of the working directory and of those of standard input, output and error that are
 * open; in it are the umask, the number of arguments, and all arguments and variables of the
 * environment, each with its zero. The answers are the process, once it runs, and the status of
 * waitpid(), an int each. A side that is gone shows as the end. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

enum { START_DESCRIPTORS = 4, START_MOST = 160 * 1024 };

struct start {
    uint64_t mounts;           /* the namespace of mounts, which must be the server's */
    uint32_t mask, open;       /* open: bit N is descriptor N */
    uint32_t arguments, words; /* words: arguments and variables together */
};

static inline uint64_t start_mounts(void)
{
    struct stat namespace;
    return stat("/proc/self/ns/mnt", &namespace) == 0 ? namespace.st_ino : 0;
}
