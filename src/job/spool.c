// Copying a pipe's data into the work folder; see spool.h.

#include "job/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fs.h"
#include "core/hash.h"
#include "core/mem.h"

#define BLOCK   (1 << 20)
#define WAIT_MS 200 // between looks whether the run was cancelled
#define RESERVE 20  // of free space, one part in so many is left

struct spool {
    ksr_context *ctx;
    const char *name; // of the pipe, for messages
    int from, to;
    int64_t limit, size;
    bool limited; // by the caller, not by free space
    ksr_hasher *hasher;
    char *block;
};

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
}

bool ksr_spool_is_needed(const char *path)
{
    struct stat s;
    return is_standard_input(path) ||
           (stat(path, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode)));
}

// Standard input that is a file with a name, at its start: *out is that name; else NULL.
static ksr_status look_at_standard_input(ksr_context *ctx, char **out)
{
    struct stat s;
    *out = NULL;
    if (fstat(STDIN_FILENO, &s) != 0)
        return ksr_fail_errno(ctx, KSR_E_INPUT, "cannot read standard input");
    if (S_ISREG(s.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
        *out = realpath("/dev/stdin", NULL);
    if (*out && !ksr_fs_same_file(*out, "/dev/stdin")) { // deleted since
        free(*out);
        *out = NULL;
    }
    if (S_ISREG(s.st_mode) || S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode))
        return KSR_OK;
    return ksr_fail(
        ctx, KSR_E_INPUT,
        "standard input is %s, not a pipe or a file (pipe a file into it, or use a file name)",
        isatty(STDIN_FILENO) ? "a terminal" : "a device");
}

static ksr_status open_pipe(struct spool *s, const char *path)
{
    // Without waiting for a writer, so that the run can be cancelled; poll() waits.
    s->from = is_standard_input(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                      : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    return s->from >= 0 ? KSR_OK : ksr_fail_errno(s->ctx, KSR_E_INPUT, "cannot read %s", s->name);
}

// Reads a block. *got: 0 at the end.
static ksr_status read_block(struct spool *s, size_t *got)
{
    struct pollfd wait = {.fd = s->from, .events = POLLIN};
    ssize_t n = -1;
    while (n < 0) {
        const ksr_status status = ksr_check_cancel(s->ctx);
        if (status != KSR_OK)
            return status;
        if (poll(&wait, 1, WAIT_MS) <= 0)
            continue;
        n = read(s->from, s->block, BLOCK);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return ksr_fail_errno(s->ctx, KSR_E_INPUT, "cannot read %s", s->name);
    }
    *got = (size_t)n;
    return KSR_OK;
}

static ksr_status refuse_size(const struct spool *s)
{
    if (s->limited)
        return ksr_fail(s->ctx, KSR_E_INPUT,
                        "%s has more than %" PRId64 " bytes, the limit set by {spool_limit}",
                        s->name, s->limit);
    return ksr_fail(
        s->ctx, KSR_E_OUTPUT,
        "%s has more than %" PRId64
        " bytes: the disk of the work folder would be full (use {work_dir} to choose another)",
        s->name, s->limit);
}

static ksr_status write_block(struct spool *s, size_t size)
{
    if ((int64_t)size > s->limit - s->size)
        return refuse_size(s);
    for (size_t done = 0; done < size;) {
        const ssize_t n = write(s->to, s->block + done, size - done);
        if (n < 0 && errno != EINTR)
            return ksr_fail_errno(s->ctx, KSR_E_OUTPUT, "cannot write the data of %s", s->name);
        done += n > 0 ? (size_t)n : 0;
    }
    ksr_hasher_add(s->hasher, s->block, size);
    s->size += (int64_t)size;
    return KSR_OK;
}

static ksr_status copy_pipe(struct spool *s)
{
    size_t got = 1;
    ksr_status status = KSR_OK;
    while (status == KSR_OK && got > 0) {
        status = read_block(s, &got);
        if (status == KSR_OK)
            status = write_block(s, got);
    }
    if (status == KSR_OK && s->size == 0)
        status = ksr_fail(s->ctx, KSR_E_INPUT, "no data from %s", s->name);
    return status;
}

// Copies into `temporary`, then gives it the name that its content makes.
static ksr_status fill_and_name(struct spool *s, const char *folder, const char *temporary,
                                char **out, bool *made)
{
    char hash[KSR_HASH_TEXT];
    s->to = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->to < 0)
        return ksr_fail_errno(s->ctx, KSR_E_OUTPUT, "cannot write to %s", folder);
    ksr_status status = copy_pipe(s);
    if (status != KSR_OK)
        return status;
    ksr_hasher_text(s->hasher, hash);
    *out = ksr_format("%s/source-%.16s", folder, hash);
    if (!*out)
        return ksr_fail_memory(s->ctx);
    *made = !ksr_fs_exists(*out);
    return ksr_fs_publish(s->ctx, temporary, *out);
}

static void set_limit(struct spool *s, const char *folder, int64_t limit)
{
    const int64_t space = limit > 0 ? -1 : ksr_fs_free_space(folder);
    s->limited = limit > 0;
    s->limit = limit > 0 ? limit : space >= 0 ? space - space / RESERVE : INT64_MAX;
}

static ksr_status spool_pipe(struct spool *s, const char *path, const char *folder, char **out,
                             bool *made)
{
    char *name = ksr_format("%s/source", folder);
    char *temporary = name ? ksr_fs_temporary_name(name) : NULL;
    s->hasher = ksr_hasher_create();
    s->block = malloc(BLOCK);
    ksr_status status =
        temporary && s->hasher && s->block ? open_pipe(s, path) : ksr_fail_memory(s->ctx);
    if (status == KSR_OK)
        ksr_log(s->ctx, KSR_LOG_INFO, "copying %s to %s first, because it is read more than once",
                s->name, folder);
    if (status == KSR_OK)
        status = fill_and_name(s, folder, temporary, out, made);
    if (s->to >= 0)
        close(s->to);
    if (s->from >= 0)
        close(s->from);
    if (status != KSR_OK && temporary)
        unlink(temporary);
    ksr_hasher_destroy(&s->hasher);
    free(s->block);
    free(temporary);
    free(name);
    return status;
}

ksr_status ksr_spool_input(ksr_context *ctx, const char *path, const char *folder, int64_t limit,
                           char **out, bool *made)
{
    struct spool s = {.ctx = ctx,
                      .name = is_standard_input(path) ? "standard input" : path,
                      .from = -1,
                      .to = -1};
    *out = NULL;
    *made = false;
    ksr_status status = KSR_OK;
    if (is_standard_input(path))
        status = look_at_standard_input(ctx, out);
    if (status != KSR_OK || *out)
        return status;
    set_limit(&s, folder, limit);
    return spool_pipe(&s, path, folder, out, made);
}
