// upscale into a pipe; see pipe_output.h.

#include "pipe_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verbs.h"

enum { BLOCK = 1 << 20 };

struct pipe_output {
    struct ui *ui;
    const char *name; // for messages
    const char *path; // of the pipe; NULL = standard output
    int fd;           // -1 = not open
    char *folder;     // the work folder
    char *file;       // the finished output, in it
    char *record;     // by which a later run knows that file
};

static bool is_standard_output(const char *path)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

bool output_is_pipe(const char *path)
{
    struct stat s;
    return is_standard_output(path) || (stat(path, &s) == 0 && S_ISFIFO(s.st_mode));
}

static int out_of_memory(const struct pipe_output *p)
{
    return ui_exit_status(p->ui, KSR_E_NOMEM);
}

static int cannot(const struct pipe_output *p, const char *what, const char *hint)
{
    ui_say(p->ui, KSR_LOG_ERROR, "cannot %s: %s%s", what, strerror(errno), hint);
    return EXIT_OUTPUT;
}

// --- Before the work ---

// Whether something can be written to standard output: it is open, and somebody reads it.
static bool is_writable(void)
{
    struct pollfd look = {.fd = STDOUT_FILENO, .events = POLLOUT};
    const int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
        errno = EBADF;
        return false;
    }
    if (poll(&look, 1, 0) > 0 && look.revents & POLLERR) {
        errno = EPIPE;
        return false;
    }
    return true;
}

// Keeps standard output for the output alone.
static int take_standard_output(struct pipe_output *p)
{
    if (isatty(STDOUT_FILENO))
        return ui_usage_error(p->ui, "standard output is a terminal: add > FILE or | PROGRAM");
    if (!is_writable())
        return cannot(p, "write to standard output", "");
    p->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (p->fd < 0 || fflush(stdout) != 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return cannot(p, "write to standard output", "");
    return EXIT_DONE;
}

static char *join_path(const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static int make_temporary_folder(struct pipe_output *p)
{
    const char *base = getenv("TMPDIR");
    p->folder = join_path(base && *base ? base : "/var/tmp", "kizunasr-XXXXXX");
    if (!p->folder)
        return out_of_memory(p);
    if (mkdtemp(p->folder))
        return EXIT_DONE;
    const int status =
        cannot(p, "make a temporary folder", " (--work-dir DIR, or the variable TMPDIR)");
    free(p->folder);
    p->folder = NULL;
    return status;
}

static int make_folder(struct pipe_output *p, const char *work_dir)
{
    if (!work_dir)
        return make_temporary_folder(p);
    p->folder = strdup(work_dir);
    if (!p->folder)
        return out_of_memory(p);
    return mkdir(work_dir, 0777) == 0 || errno == EEXIST ? EXIT_DONE
                                                         : cannot(p, "make the work folder", "");
}

static int prepare(struct pipe_output *p, const struct options *options)
{
    if (strcmp(options->job.encoder.format, "auto") == 0)
        return ui_usage_error(p->ui,
                              "%s has no file extension for the container: add --format (matroska, "
                              "mp4, nut, mpegts, ...)",
                              p->name);
    int status = p->path ? EXIT_DONE : take_standard_output(p);
    if (status == EXIT_DONE)
        status = make_folder(p, options->run.work_dir);
    if (status != EXIT_DONE)
        return status;
    p->file = join_path(p->folder, "kizunasr-output");
    p->record = join_path(p->folder, "kizunasr-output.json");
    return p->file && p->record ? EXIT_DONE : out_of_memory(p);
}

// --- The copy ---

// A signal that stops the run interrupts the call.
static int write_all(const struct pipe_output *p, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(p->fd, data, size);
        if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = p->fd, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR)
            return EXIT_INTERRUPTED;
        if (n < 0)
            return cannot(p, p->path ? "write to the pipe" : "write to standard output", "");
        data += n;
        size -= (size_t)n;
    }
    return EXIT_DONE;
}

static int copy_file(const struct pipe_output *p, FILE *file)
{
    char *block = malloc(BLOCK);
    size_t got = 1;
    int status = block ? EXIT_DONE : out_of_memory(p);
    while (status == EXIT_DONE && got > 0) {
        got = fread(block, 1, BLOCK, file);
        status = ferror(file) ? cannot(p, "read the finished file", "") : write_all(p, block, got);
    }
    free(block);
    return status;
}

static int copy_output(struct pipe_output *p)
{
    if (p->path) {
        p->fd = open(p->path, O_WRONLY | O_CLOEXEC); // waits for a reader
        if (p->fd < 0)
            return errno == EINTR ? EXIT_INTERRUPTED : cannot(p, "open the pipe", "");
    }
    FILE *file = fopen(p->file, "rbe");
    if (!file)
        return cannot(p, "read the finished file", "");
    int status = copy_file(p, file);
    fclose(file);
    const int fd = p->fd;
    p->fd = -1;
    if (close(fd) != 0 && status == EXIT_DONE)
        status = cannot(p, p->path ? "write to the pipe" : "write to standard output", "");
    if (status != EXIT_DONE)
        ui_say(p->ui, KSR_LOG_ERROR, "the finished output is kept as %s", p->file);
    return status;
}

// --- The verb ---

static int make_and_copy(ksr_context *ctx, struct pipe_output *p, const struct options *options)
{
    struct ksr_result result = {0};
    struct ksr_processor_config job = options->job;
    struct ksr_run_options run = options->run;
    job.output_path = p->file;
    run.work_dir = p->folder;
    if (!run.provenance)
        run.provenance = p->record;
    int status = ui_exit_status(p->ui, ksr_upscale(ctx, &job, &run, &result));
    progress_finish(&p->ui->progress);
    if (status == EXIT_DONE)
        status = copy_output(p);
    if (status == EXIT_DONE) {
        unlink(p->file);
        unlink(p->record);
        print_result(p->name, &result);
    }
    return status;
}

// A folder that the user has not named is worth a word if something is left in it.
static void leave_folder(const struct pipe_output *p, const struct options *options, int status)
{
    if (rmdir(p->folder) == 0 || options->run.work_dir)
        return;
    ui_say(p->ui, KSR_LOG_INFO, "the work folder is kept: %s%s", p->folder,
           status == EXIT_DONE
               ? ""
               : " (run the same command with --work-dir and this folder to resume)");
}

int upscale_to_pipe(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    const char *path = options->job.output_path;
    const bool standard = is_standard_output(path);
    struct pipe_output p = {.ui = ui,
                            .name = standard ? "standard output" : path,
                            .path = standard ? NULL : path,
                            .fd = -1};
    int status = prepare(&p, options);
    if (status == EXIT_DONE)
        status = make_and_copy(ctx, &p, options);
    if (p.folder)
        leave_folder(&p, options, status);
    if (p.fd >= 0)
        close(p.fd);
    free(p.record);
    free(p.file);
    free(p.folder);
    return status;
}
