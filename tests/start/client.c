/* Stands in for a program that server.c has loaded, under its name: sends it the arguments, the
 * environment, the descriptors and the working directory, and ends as it ends. The program itself
 * is run where there is no server, where mounts are other ones, or where the environment tells the
 * loader or a sanitizer something else. For tests alone.
 *
 *   STARTED=FOLDER path/to/ffmpeg ...    FOLDER has ffmpeg.socket, and ffmpeg.program, a link
 */
#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char message[START_MOST];
static pid_t process; /* the program's */

static bool path_of(const char *name, const char *ending, char *path, size_t size)
{
    const char *folder = getenv("STARTED");
    return folder && (size_t)snprintf(path, size, "%s/%s%s", folder, name, ending) < size;
}

/* Puts the words into the message; the number of bytes, or 0 where there is no room. */
static size_t collect(char **argv, struct start *start)
{
    char **lists[2] = {argv, environ};
    size_t size = 0;
    for (int list = 0; list < 2; list++)
        for (char **word = lists[list]; *word; word++) {
            size_t length = strlen(*word) + 1;
            if (length > sizeof(message) - size)
                return 0;
            memcpy(message + size, *word, length);
            size += length;
            start->words++;
            start->arguments += list == 0;
        }
    return size;
}

/* Where a standard descriptor is closed, another file would get its number. */
static int above_standard(int descriptor)
{
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

/* Sends the request; the socket once the program runs, or -1. */
static int request(const char *name, const struct start *start, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path_of(name, ".socket", address.sun_path, sizeof(address.sun_path)))
        return -1;
    int to = above_standard(socket(AF_UNIX, SOCK_SEQPACKET, 0)),
        place = above_standard(open(".", O_PATH | O_DIRECTORY));
    if (to < 0 || place < 0 || connect(to, (struct sockaddr *)&address, sizeof(address)) != 0)
        return -1;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * START_DESCRIPTORS)];
    } control = {0};
    struct iovec parts[2] = {{(void *)start, sizeof(*start)}, {message, size}};
    struct msghdr header = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    int descriptors[START_DESCRIPTORS] = {place}, n = 1;
    for (int i = 0; i < 3; i++)
        if (start->open & 1U << i)
            descriptors[n++] = i;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
    *rights = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n),
                               .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * (size_t)n);
    bool runs = sendmsg(to, &header, MSG_NOSIGNAL) > 0 &&
                recv(to, &process, sizeof(process), 0) == sizeof(process);
    return runs ? to : -1;
}

static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

static void pass_on(int signal)
{
    kill(process, signal);
}

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash ? slash + 1 : argv[0];
    struct start start = {.mounts = start_mounts()};
    start.mask = umask(0);
    umask(start.mask);
    for (int i = 0; i < 3; i++)
        start.open |= (uint32_t)(fcntl(i, F_GETFD) >= 0) << i;
    size_t size = getenv("LD_PRELOAD") || getenv("LD_LIBRARY_PATH") ? 0 : collect(argv, &start);
    int from = size ? request(name, &start, size) : -1;
    if (from < 0) {
        char program[4096];
        if (path_of(name, ".program", program, sizeof(program)))
            execv(program, argv);
        perror("start");
        return 127;
    }
    for (size_t i = 0; i < sizeof(passed_on) / sizeof(*passed_on); i++)
        sigaction(passed_on[i], &(struct sigaction){.sa_handler = pass_on, .sa_flags = SA_RESTART},
                  NULL);
    for (int i = 0; i < 3; i++)
        close(i);

    int status;
    if (recv(from, &status, sizeof(status), 0) != sizeof(status))
        return 127;
    if (WIFSIGNALED(status)) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}
