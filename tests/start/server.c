/* Loads a program once and runs it many times: preloaded into ffmpeg or ffprobe, it stops before
 * main(), and for each client (client.c) makes a copy of the process that goes on. What takes most
 * of the time of a short run, the linking of two hundred libraries, is done by then. For tests
 * alone; glibc.
 *
 *   START=SOCKET LD_PRELOAD=libstart.so ffmpeg
 */
#include "wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef int main_function(int argc, char **argv, char **envp);
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void),
                           void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

enum { MOST_CLIENTS = 64 };

struct client {
    int socket;
    pid_t pid;
};

/* What is read before main(), and must be the same for a copy. */
static const char *const early[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
                                    "GLIBC_TUNABLES"};
enum { N_EARLY = sizeof(early) / sizeof(*early) };
static const char *loaded_with[N_EARLY];

static struct client clients[MOST_CLIENTS];
static int n_clients;
static char message[START_MOST];
static char *words[START_MOST / 2 + 2]; /* arguments, NULL, variables, NULL */

static void die(const char *what)
{
    fprintf(stderr, "start: %s: %s\n", what, strerror(errno));
    _exit(127);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        die(path);
    }
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
        listen(listener, MOST_CLIENTS))
        die(path);
    return listener;
}

static bool is_as_loaded(void)
{
    for (int i = 0; i < N_EARLY; i++) {
        const char *now = getenv(early[i]), *then = loaded_with[i];
        if (now != then && (!now || !then || strcmp(now, then) != 0))
            return false;
    }
    return true;
}

struct request {
    int arguments; /* in `words` */
    int descriptors[START_DESCRIPTORS], n_descriptors;
    uint32_t open;
};

/* Receives a request; false where there is none that can be done here. */
static bool receive(int socket, struct request *request)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * START_DESCRIPTORS)];
    } control = {0};
    struct start start;
    struct iovec parts[2] = {{&start, sizeof(start)}, {message, sizeof(message)}};
    struct msghdr header = {.msg_iov = parts,
                            .msg_iovlen = 2,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t got = recvmsg(socket, &header, 0);
    struct cmsghdr *rights = got > 0 ? CMSG_FIRSTHDR(&header) : NULL;
    if (got < (ssize_t)sizeof(start) || !rights)
        return false;
    size_t size = rights->cmsg_len - CMSG_LEN(0);
    memcpy(request->descriptors, CMSG_DATA(rights), size);
    request->n_descriptors = (int)(size / sizeof(int));
    request->arguments = (int)start.arguments;
    request->open = start.open;
    umask(start.mask);

    char *word = message;
    size_t n = 0;
    for (uint32_t i = 0; i < start.words; i++, word += strlen(word) + 1) {
        if (i == start.arguments)
            words[n++] = NULL;
        words[n++] = word;
    }
    words[n] = NULL;
    environ = words + start.arguments + 1;
    return start.mounts == start_mounts() && is_as_loaded();
}

/* In the copy: takes the place that the client has. */
static void become(int listener, int signals, const struct request *request)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    close(listener);
    close(signals);
    for (int i = 0; i < n_clients; i++)
        close(clients[i].socket);
    if (fchdir(request->descriptors[0]) != 0)
        die("working directory");
    for (int i = 0, next = 1; i < 3; i++)
        if (request->open & 1U << i)
            dup2(request->descriptors[next++], i);
        else
            close(i);
    for (int i = 0; i < request->n_descriptors; i++)
        close(request->descriptors[i]);
}

/* Children that ended, and clients that are gone, whose programs end, too. */
static void look_after_clients(const struct pollfd *sockets, int n_sockets)
{
    for (int i = 0; i < n_sockets; i++)
        if (sockets[i].revents)
            kill(clients[i].pid, SIGKILL);
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int i = 0; i < n_clients; i++)
            if (clients[i].pid == pid) {
                send(clients[i].socket, &status, sizeof(status), MSG_NOSIGNAL);
                close(clients[i].socket);
                clients[i] = clients[--n_clients];
                break;
            }
}

/* Serves until it is killed; returns in the copies alone, with the number of arguments. */
static int serve(const char *path)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < N_EARLY; i++)
        loaded_with[i] = getenv(early[i]);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK), listener = listen_at(path);

    for (;;) {
        struct pollfd waiting[MOST_CLIENTS + 2];
        for (int i = 0; i < n_clients; i++)
            waiting[i] = (struct pollfd){.fd = clients[i].socket, .events = POLLIN};
        int n_sockets = n_clients;
        waiting[n_sockets] = (struct pollfd){.fd = signals, .events = POLLIN};
        waiting[n_sockets + 1] =
            (struct pollfd){.fd = n_clients < MOST_CLIENTS ? listener : -1, .events = POLLIN};
        if (poll(waiting, (nfds_t)n_sockets + 2, -1) < 0)
            continue;
        struct signalfd_siginfo ended;
        while (read(signals, &ended, sizeof(ended)) > 0)
            ;
        look_after_clients(waiting, n_sockets);
        if (!waiting[n_sockets + 1].revents)
            continue;

        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        struct request request = {0};
        pid_t pid = receive(socket, &request) ? fork() : -1;
        if (pid == 0) {
            close(socket);
            become(listener, signals, &request);
            return request.arguments;
        }
        for (int i = 0; i < request.n_descriptors; i++)
            close(request.descriptors[i]);
        if (pid < 0) {
            close(socket);
        } else {
            send(socket, &pid, sizeof(pid), MSG_NOSIGNAL);
            clients[n_clients++] = (struct client){socket, pid};
        }
    }
}

__attribute__((visibility("default"))) start_function __libc_start_main;

/* What the program calls before main(). */
__attribute__((visibility("default"))) int
__libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                  void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *start;
    memcpy(&start, &(void *){dlsym(RTLD_NEXT, "__libc_start_main")}, sizeof(start));
    const char *path = getenv("START");
    if (path) {
        argc = serve(path);
        argv = words;
    }
    return start(main, argc, argv, init, fini, rtld_fini, stack_end);
}
