// Folders, and names with * and ? in them; see posix.h.

#include "core/windows/native.h"

#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <pthread.h>

struct ksr_posix_folder {
    HANDLE search;
    bool first; // `found` is the first one, and not handed out yet
    WIN32_FIND_DATAW found;
    struct ksr_posix_dirent entry;
    int fd; // of the folder itself
};

// Returns both with '/' between them, free with free().
static char *join(const char *folder, const char *name)
{
    const size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = malloc(size);
    const bool slash = length > 0 && folder[length - 1] != '/';
    if (path)
        snprintf(path, size, "%s%s%s", folder, slash ? "/" : "", name);
    return path;
}

DIR *ksr_posix_opendir(const char *path)
{
    DIR *folder = calloc(1, sizeof(*folder));
    char *all = join(path, "*");
    wchar_t *wide = all ? ksr_posix_wide_path(all) : NULL;
    free(all);
    if (!folder || !wide)
        goto fail;
    folder->search = FindFirstFileW(wide, &folder->found);
    if (folder->search == INVALID_HANDLE_VALUE) {
        ksr_posix_fail();
        goto fail;
    }
    folder->first = true;
    folder->fd = ksr_posix_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(wide);
    return folder;
fail:
    free(wide);
    free(folder);
    return NULL;
}

struct dirent *ksr_posix_readdir(DIR *folder)
{
    if (!folder->first && !FindNextFileW(folder->search, &folder->found))
        return NULL;
    folder->first = false;
    if (!WideCharToMultiByte(CP_UTF8, 0, folder->found.cFileName, -1, folder->entry.d_name,
                             sizeof(folder->entry.d_name), NULL, NULL))
        folder->entry.d_name[0] = 0;
    return &folder->entry;
}

int ksr_posix_closedir(DIR *folder)
{
    FindClose(folder->search);
    if (folder->fd >= 0)
        _close(folder->fd);
    free(folder);
    return 0;
}

int ksr_posix_dirfd(const DIR *folder)
{
    return folder->fd;
}

int ksr_posix_unlinkat(int folder, const char *name, int flags)
{
    (void)flags;
    char *place = ksr_posix_place_of(ksr_posix_handle(folder));
    char *path = place ? join(place, name) : NULL;
    const int result = path ? ksr_posix_unlink(path) : -1;
    free(path);
    free(place);
    return result;
}

int ksr_posix_alphasort(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int ksr_posix_scandir(const char *path, struct dirent ***out, int (*wanted)(const struct dirent *),
                      int (*order)(const struct dirent **, const struct dirent **))
{
    struct dirent **list = NULL, *entry;
    size_t count = 0;
    DIR *folder = ksr_posix_opendir(path);
    if (!folder)
        return -1;
    bool ok = true;
    while (ok && (entry = ksr_posix_readdir(folder))) {
        if (wanted && !wanted(entry))
            continue;
        struct dirent **longer = realloc(list, (count + 1) * sizeof(struct dirent *));
        list = longer ? longer : list;
        struct dirent *copy = longer ? malloc(sizeof(*copy)) : NULL;
        ok = copy;
        if (copy) {
            *copy = *entry;
            list[count++] = copy;
        }
    }
    ksr_posix_closedir(folder);
    if (!ok) {
        while (count > 0)
            free(list[--count]);
        free(list);
        return -1;
    }
    if (count > 0 && order)
        qsort(list, count, sizeof(struct dirent *), (int (*)(const void *, const void *))order);
    *out = list;
    return (int)count;
}

// A deleted file that is open may keep its name until it is closed: on network drives, on FAT, and
// in Wine. Folders that could not be removed are therefore tried again when files are closed, for a
// while: a folder that is made again, or that has other files, is to stay.
enum { MOST_WAITING = 8, LONGEST_WAIT = 2000 }; // milliseconds

static pthread_mutex_t waiting_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    wchar_t *path; // NULL = none
    ULONGLONG since;
} waiting[MOST_WAITING]; // under the lock

// The caller has the lock.
static void forget(const wchar_t *path)
{
    for (int i = 0; i < MOST_WAITING; i++)
        if (waiting[i].path && wcscmp(waiting[i].path, path) == 0) {
            free(waiting[i].path);
            waiting[i].path = NULL;
        }
}

// Takes over the path.
static void wait_for_close(wchar_t *path)
{
    pthread_mutex_lock(&waiting_lock);
    forget(path);
    free(waiting[MOST_WAITING - 1].path);
    memmove(&waiting[1], &waiting[0], sizeof(waiting) - sizeof(waiting[0]));
    waiting[0].path = path;
    waiting[0].since = GetTickCount64();
    pthread_mutex_unlock(&waiting_lock);
}

int ksr_posix_mkdir(const char *path, int mode)
{
    (void)mode;
    wchar_t *wide = ksr_posix_wide_path(path);
    pthread_mutex_lock(&waiting_lock);
    if (wide)
        forget(wide);
    const int result = !wide ? -1 : CreateDirectoryW(wide, NULL) ? 0 : ksr_posix_fail();
    if (result != 0 && wide && GetLastError() == ERROR_INVALID_NAME)
        errno = EINVAL; // for what is looked for, that is ENOENT
    pthread_mutex_unlock(&waiting_lock);
    free(wide);
    return result;
}

int ksr_posix_close(int fd)
{
    const int result = _close(fd);
    const int error = errno;
    pthread_mutex_lock(&waiting_lock);
    const ULONGLONG now = GetTickCount64();
    for (int i = 0; i < MOST_WAITING; i++)
        if (waiting[i].path &&
            (now - waiting[i].since > LONGEST_WAIT || RemoveDirectoryW(waiting[i].path))) {
            free(waiting[i].path);
            waiting[i].path = NULL;
        }
    pthread_mutex_unlock(&waiting_lock);
    errno = error;
    return result;
}

int ksr_posix_rmdir(const char *path)
{
    wchar_t *wide = ksr_posix_wide_path(path);
    const int result = !wide ? -1 : RemoveDirectoryW(wide) ? 0 : ksr_posix_fail();
    if (result != 0 && wide && errno == ENOTEMPTY)
        wait_for_close(wide);
    else
        free(wide);
    return result;
}

char *ksr_posix_mkdtemp(char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
    const size_t length = strlen(path);
    for (int i = 0; i < 100; i++) {
        LARGE_INTEGER now;
        QueryPerformanceCounter(&now);
        uint64_t bits =
            ((uint64_t)now.QuadPart ^ (uint64_t)GetCurrentProcessId() << 20) * 0x9E3779B97F4A7C15u;
        for (int k = 1; k <= 6; k++, bits >>= 5)
            path[length - (size_t)k] = letters[bits >> 32 & 31];
        if (ksr_posix_mkdir(path, 0700) == 0)
            return path;
        if (errno != EEXIST)
            break;
    }
    return NULL;
}

// --- Patterns ---

// What follows [ up to ]; *set moves behind it.
static bool is_in_set(const char **set, int c)
{
    const char *s = *set + 1;
    const bool inverse = *s == '!' || *s == '^';
    bool found = false;
    s += inverse;
    for (bool first = true; *s && (*s != ']' || first); s++, first = false) {
        const int low = tolower((unsigned char)*s);
        int high = low;
        if (s[1] == '-' && s[2] && s[2] != ']') {
            high = tolower((unsigned char)s[2]);
            s += 2;
        }
        found |= c >= low && c <= high;
    }
    *set = *s ? s + 1 : s;
    return found != inverse;
}

int ksr_posix_fnmatch(const char *pattern, const char *name, int flags)
{
    for (; *pattern && *pattern != '*'; name++) {
        const int c = tolower((unsigned char)*name);
        if (!*name)
            return 1;
        if (*pattern == '[' && strchr(pattern + 1, ']')) {
            if (!is_in_set(&pattern, c))
                return 1;
        } else if (*pattern != '?' && tolower((unsigned char)*pattern) != c) {
            return 1;
        } else {
            pattern++;
        }
    }
    if (!*pattern)
        return *name != 0;
    for (;; name++) {
        if (ksr_posix_fnmatch(pattern + 1, name, flags) == 0)
            return 0;
        if (!*name)
            return 1;
    }
}

static int add_found(glob_t *out, char *path)
{
    char **longer = path ? realloc(out->gl_pathv, (out->gl_pathc + 1) * sizeof(char *)) : NULL;
    if (!longer) {
        free(path);
        return GLOB_NOSPACE;
    }
    out->gl_pathv = longer;
    out->gl_pathv[out->gl_pathc++] = path;
    return 0;
}

// Adds what fits `pattern` within a folder; "": where the program runs.
static int search(const char *folder, const char *pattern, glob_t *out)
{
    const size_t length = strcspn(pattern, "/");
    const char *rest = pattern[length] ? pattern + length + 1 : NULL;
    struct dirent **entries;
    char part[768];
    snprintf(part, sizeof(part), "%.*s", (int)length, pattern);
    const int count =
        ksr_posix_scandir(*folder ? folder : ".", &entries, NULL, ksr_posix_alphasort);
    int result = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const bool hidden = name[0] == '.' && part[0] != '.';
        if (result == 0 && !hidden && ksr_posix_fnmatch(part, name, 0) == 0) {
            char *path = join(folder, name);
            if (!path || !rest) {
                result = add_found(out, path);
            } else {
                result = search(path, rest, out);
                free(path);
            }
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

int ksr_posix_glob(const char *pattern, int flags, int (*failed)(const char *path, int error),
                   glob_t *out)
{
    (void)flags, (void)failed;
    const size_t plain = strcspn(pattern, "*?[");
    size_t start = plain;
    while (start > 0 && pattern[start - 1] != '/')
        start--;
    *out = (glob_t){0};
    char *folder = malloc(start + 1);
    if (!folder)
        return GLOB_NOSPACE;
    memcpy(folder, pattern, start);
    folder[start] = 0;
    int result = search(folder, pattern + start, out);
    free(folder);
    if (result != 0)
        ksr_posix_globfree(out);
    else if (out->gl_pathc == 0)
        result = GLOB_NOMATCH;
    return result;
}

void ksr_posix_globfree(glob_t *found)
{
    for (size_t i = 0; i < found->gl_pathc; i++)
        free(found->gl_pathv[i]);
    free(found->gl_pathv);
    *found = (glob_t){0};
}
