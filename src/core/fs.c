// Files; see fs.h.

#include "core/fs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/image_sequence.h"
#include "core/mem.h"

static bool is_separator(char c)
{
#ifdef _WIN32
    if (c == '\\')
        return true;
#endif
    return c == '/';
}

const char *ksr_fs_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (is_separator(*path))
            name = path + 1;
    return name;
}

char *ksr_fs_parent(const char *path)
{
    size_t root = 1, length = (size_t)(ksr_fs_name(path) - path);
    if (length == 0)
        return strdup(".");
#ifdef _WIN32
    if (path[1] == ':') // C: alone is the folder last used there
        root = 3;
#endif
    return strndup(path, length > root ? length - 1 : length);
}

// On macOS fsync() leaves data in the drive's cache, in any order.
static bool sync_file(int fd)
{
#ifdef F_FULLFSYNC
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return true; // else a file system that does not have it
#endif
    return fsync(fd) == 0;
}

static bool sync_parent(const char *path)
{
    char *parent = ksr_fs_parent(path);
    const int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(parent);
    if (fd < 0)
        return false;
    // Some network file systems refuse to sync a folder; the rename itself has been done.
    const bool ok = sync_file(fd) || errno == EINVAL;
    close(fd);
    return ok;
}

ksr_status ksr_fs_publish(ksr_context *ctx, const char *from, const char *to)
{
    const int fd = open(from, O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && sync_file(fd);
    const int error = errno;
    if (fd >= 0)
        close(fd);
    if (!synced)
        return ksr_fail(ctx, KSR_E_OUTPUT, "cannot write %s: %s", from, strerror(error));
    if (rename(from, to) != 0)
        return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", to);
    if (!sync_parent(to))
        return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write to the folder of %s", to);
    return KSR_OK;
}

#define LONGEST_NAME 255

char *ksr_fs_beside(const char *path, const char *ending)
{
    const char *name = ksr_fs_name(path);
    char hash[KSR_HASH_TEXT];
    const size_t length = strlen(name), tail = strlen(ending);
    if (length + tail <= LONGEST_NAME || tail + 17 > LONGEST_NAME)
        return ksr_format("%s%s", path, ending);
    ksr_hash_text(name, length, hash);
    size_t kept = LONGEST_NAME - tail - 17;
    while (kept > 0 && ((unsigned char)name[kept] & 0xC0) == 0x80) // not within a character
        kept--;
    return ksr_format("%.*s~%.16s%s", (int)((size_t)(name - path) + kept), path, hash, ending);
}

bool ksr_fs_is_special(const char *path)
{
    struct stat s;
    if (stat(path, &s) == 0)
        return !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode);
    return lstat(path, &s) == 0;
}

char *ksr_fs_temporary_name(const char *path)
{
    char host[256] = ""; // POSIX: at most 255
    gethostname(host, sizeof(host) - 1);
    static atomic_uint counter; // only makes names differ; no effect on any result
    char *ending =
        ksr_format(".%s.%ld.%u.tmp", host, (long)getpid(), atomic_fetch_add(&counter, 1));
    char *name = ending ? ksr_fs_beside(path, ending) : NULL;
    free(ending);
    return name;
}

ksr_status ksr_fs_write_file(ksr_context *ctx, const char *path, const void *data, size_t size)
{
    char *temporary = ksr_fs_temporary_name(path);
    if (!temporary)
        return ksr_fail_memory(ctx);
    ksr_status status = KSR_OK;
    FILE *file = fopen(temporary, "wbe");
    bool ok = file && (size == 0 || fwrite(data, size, 1, file) == 1);
    if (file && fclose(file) != 0)
        ok = false;
    if (!ok)
        status = ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", path);
    else
        status = ksr_fs_publish(ctx, temporary, path);
    if (status != KSR_OK)
        unlink(temporary);
    free(temporary);
    return status;
}

ksr_status ksr_fs_read_file(ksr_context *ctx, const char *path, char **out, size_t *size)
{
    *out = NULL;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return errno == ENOMEM ? ksr_fail_memory(ctx) : KSR_E_INPUT;
    char *text = NULL;
    size_t capacity = 0, used = 0, got = 0;
    ksr_status status = KSR_OK;
    do {
        if (!ksr_array_reserve((void **)&text, &capacity, used + 65537, 1)) {
            status = ksr_fail_memory(ctx);
            break;
        }
        got = fread(text + used, 1, 65536, file);
        used += got;
        text[used] = 0;
    } while (got > 0);
    if (status == KSR_OK && ferror(file))
        status = KSR_E_INPUT;
    fclose(file);
    if (status != KSR_OK) {
        free(text);
        return status;
    }
    *out = text;
    if (size)
        *size = used;
    return KSR_OK;
}

ksr_status ksr_fs_make_folder(ksr_context *ctx, const char *path)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && ksr_fs_is_folder(path)))
        return KSR_OK;
    return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot create folder %s", path);
}

ksr_status ksr_fs_remove_folder(ksr_context *ctx, const char *path, bool (*ours)(const char *name))
{
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? KSR_OK
                               : ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot remove folder %s", path);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        if (ours(entry->d_name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    if (rmdir(path) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
        return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot remove folder %s", path);
    return KSR_OK;
}

// Whether the open file is still the one that the path names: the owner before us may have
// removed the folder between our open and our lock.
static bool still_there(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

ksr_status ksr_fs_lock_file(ksr_context *ctx, const char *path, bool exclusive, const char *busy,
                            int *fd)
{
    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (*fd < 0)
            return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", path);
        if (flock(*fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
            const int error = errno;
            ksr_fs_unlock(fd);
            if (error == EWOULDBLOCK)
                return ksr_fail(ctx, KSR_E_BUSY, "%s", busy);
            return ksr_fail(ctx, KSR_E_OUTPUT, "cannot lock %s: %s", path, strerror(error));
        }
        if (still_there(*fd, path))
            return KSR_OK;
        ksr_fs_unlock(fd);
    }
}

ksr_status ksr_fs_lock(ksr_context *ctx, const char *folder, bool exclusive, int *fd)
{
    *fd = -1;
    char *path = ksr_format("%s/lock", folder);
    char *busy = ksr_format("another run is using %s", folder);
    const ksr_status status =
        path && busy ? ksr_fs_lock_file(ctx, path, exclusive, busy, fd) : ksr_fail_memory(ctx);
    free(busy);
    free(path);
    return status;
}

void ksr_fs_unlock(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define ENDS  (1 << 20)
#define BLOCK (1 << 20)

// Adds up to `length` bytes from the file's position. Returns the number read, or -1.
static int64_t hash_bytes(ksr_context *ctx, FILE *file, int64_t length, char *block,
                          ksr_hasher *hasher)
{
    int64_t done = 0;
    while (done < length && ksr_check_cancel(ctx) == KSR_OK) {
        const size_t want = length - done < BLOCK ? (size_t)(length - done) : BLOCK;
        const size_t got = fread(block, 1, want, file);
        ksr_hasher_add(hasher, block, got);
        done += (int64_t)got;
        if (got < want)
            return ferror(file) ? -1 : done;
    }
    return done;
}

static ksr_status fingerprint_file(ksr_context *ctx, const char *path, bool whole,
                                   struct ksr_fingerprint *out)
{
    memset(out, 0, sizeof(*out));
    FILE *file = fopen(path, "rbe");
    if (!file)
        return ksr_fail_errno(ctx, KSR_E_INPUT, "cannot read %s", path);
    ksr_status status = KSR_OK;
    char *block = malloc(BLOCK);
    ksr_hasher *hasher = ksr_hasher_create();
    out->modified = ksr_fs_modified(path); // before reading: a later change shows
    out->size = ksr_fs_size(path);
    if (!block || !hasher) {
        status = ksr_fail_memory(ctx);
        goto end;
    }
    const int64_t tail = out->size > ENDS ? out->size - ENDS : 0;
    bool ok = hash_bytes(ctx, file, ENDS, block, hasher) >= 0 &&
              fseeko(file, (off_t)tail, SEEK_SET) == 0 &&
              hash_bytes(ctx, file, ENDS, block, hasher) >= 0;
    ksr_hasher_text(hasher, out->ends);
    if (whole && ok) {
        ksr_hasher_reset(hasher);
        ok = fseeko(file, 0, SEEK_SET) == 0 && hash_bytes(ctx, file, INT64_MAX, block, hasher) >= 0;
        ksr_hasher_text(hasher, out->whole);
    }
    if (!ok)
        status = ksr_fail_errno(ctx, KSR_E_INPUT, "cannot read %s", path);
    else
        status = ksr_check_cancel(ctx);
end:
    ksr_hasher_destroy(&hasher);
    free(block);
    fclose(file);
    return status;
}

static int64_t add_dates(int64_t a, int64_t b)
{
    return (int64_t)(((uint64_t)a * 31 + (uint64_t)b) & INT64_MAX);
}

// Of a sequence: the hashes of its files' hashes, in order.
static ksr_status fingerprint_sequence(ksr_context *ctx, const char *pattern, bool whole,
                                       struct ksr_fingerprint *out)
{
    int first, count;
    memset(out, 0, sizeof(*out));
    ksr_hasher *wholes = ksr_hasher_create(), *ends = ksr_hasher_create();
    ksr_status status =
        wholes && ends ? ksr_sequence_scan(ctx, pattern, &first, &count) : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < count; i++) {
        struct ksr_fingerprint one;
        char *name = ksr_sequence_name(pattern, first + i);
        status = name ? fingerprint_file(ctx, name, whole, &one) : ksr_fail_memory(ctx);
        free(name);
        if (status != KSR_OK)
            break;
        out->size += one.size;
        out->modified = add_dates(out->modified, one.modified);
        ksr_hasher_add(wholes, one.whole, sizeof(one.whole));
        ksr_hasher_add(ends, one.ends, sizeof(one.ends));
    }
    if (status == KSR_OK && whole)
        ksr_hasher_text(wholes, out->whole);
    if (status == KSR_OK)
        ksr_hasher_text(ends, out->ends);
    ksr_hasher_destroy(&wholes);
    ksr_hasher_destroy(&ends);
    return status;
}

ksr_status ksr_fs_fingerprint(ksr_context *ctx, const char *path, bool whole,
                              struct ksr_fingerprint *out)
{
    return ksr_sequence_is(path) ? fingerprint_sequence(ctx, path, whole, out)
                                 : fingerprint_file(ctx, path, whole, out);
}

char *ksr_fs_absolute(const char *path)
{
    char *whole = realpath(path, NULL);
    if (whole)
        return whole;
    char *parent = ksr_fs_parent(path);
    char *base = parent ? realpath(parent, NULL) : NULL;
    free(parent);
    if (!base)
        return NULL;
    const char *between = base[strlen(base) - 1] == '/' ? "" : "/";
    char *out = ksr_format("%s%s%s", base, between, ksr_fs_name(path));
    free(base);
    return out;
}

bool ksr_fs_is_absolute(const char *path)
{
#ifdef _WIN32
    if (isalpha((unsigned char)path[0]) && path[1] == ':' && is_separator(path[2]))
        return true;
    if (is_separator(path[0]) && !is_separator(path[1])) // of the current drive
        return false;
#endif
    return is_separator(path[0]);
}

bool ksr_fs_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

bool ksr_fs_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool ksr_fs_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int64_t ksr_fs_size(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 ? (int64_t)s.st_size : -1;
}

static struct timespec date_of(const struct stat *s)
{
#ifdef __APPLE__
    return s->st_mtimespec;
#else
    return s->st_mtim;
#endif
}

static int64_t modified_file(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return -1;
    const struct timespec date = date_of(&s);
    return add_dates(date.tv_sec, date.tv_nsec);
}

int64_t ksr_fs_modified(const char *path)
{
    int first = 0, count = 0;
    int64_t sum = 0;
    if (!ksr_sequence_is(path))
        return modified_file(path);
    if (ksr_sequence_scan(NULL, path, &first, &count) != KSR_OK)
        return -1;
    for (int i = 0; i < count; i++) {
        char *name = ksr_sequence_name(path, first + i);
        sum = add_dates(sum, name ? modified_file(name) : -1);
        free(name);
    }
    return sum;
}

// Calls `visit` for a file, or for each of a sequence, until it returns false with errno set.
static ksr_status visit_files(ksr_context *ctx, const char *path,
                              bool (*visit)(const char *name, void *arg), void *arg, bool *ok)
{
    int first, count;
    if (!ksr_sequence_is(path)) {
        *ok = visit(path, arg);
        return KSR_OK;
    }
    *ok = true;
    ksr_status status = ksr_sequence_scan(ctx, path, &first, &count);
    for (int i = 0; status == KSR_OK && *ok && i < count; i++) {
        char *name = ksr_sequence_name(path, first + i);
        if (!name)
            return ksr_fail_memory(ctx);
        *ok = visit(name, arg);
        free(name);
    }
    return status;
}

static bool later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

struct latest {
    bool found;
    struct timespec date;
};

static bool read_date(const char *name, void *arg)
{
    struct latest *latest = arg;
    struct stat s;
    if (stat(name, &s) != 0)
        return false;
    const struct timespec date = date_of(&s);
    if (!latest->found || later(&date, &latest->date))
        *latest = (struct latest){true, date};
    return true;
}

static bool write_date(const char *name, void *arg)
{
    const struct latest *latest = arg;
    const struct timespec dates[2] = {{.tv_nsec = UTIME_OMIT}, latest->date}; // read, written
    return utimensat(AT_FDCWD, name, dates, 0) == 0;
}

ksr_status ksr_fs_copy_date(ksr_context *ctx, const char *from, const char *to)
{
    struct latest latest = {0};
    bool ok;
    ksr_status status = visit_files(ctx, from, read_date, &latest, &ok);
    if (status == KSR_OK && ok && latest.found)
        status = visit_files(ctx, to, write_date, &latest, &ok);
    if (status == KSR_E_NOMEM)
        return status;
    if (status != KSR_OK || !ok)
        ksr_log(ctx, KSR_LOG_WARNING, "cannot set the date of %s to that of %s: %s", to, from,
                strerror(errno));
    return KSR_OK;
}

int64_t ksr_fs_free_space(const char *path)
{
    struct statvfs s;
    return statvfs(path, &s) == 0 ? (int64_t)s.f_bavail * (int64_t)s.f_frsize : -1;
}
