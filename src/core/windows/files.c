// Files; see posix.h.

#include "core/windows/native.h"

#include <winternl.h>

#include <sys/file.h>
#include <sys/statvfs.h>

// --- Opening ---

// Everyone may do everything with what is open, as under POSIX.
#define SHARE (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static DWORD access_of(int flags)
{
    const int mode = flags & (O_RDONLY | O_WRONLY | O_RDWR);
    return mode == O_RDWR     ? GENERIC_READ | GENERIC_WRITE
           : mode == O_WRONLY ? GENERIC_WRITE
                              : GENERIC_READ;
}

static DWORD disposition_of(int flags)
{
    if (flags & O_CREAT)
        return flags & O_EXCL ? CREATE_NEW : flags & O_TRUNC ? CREATE_ALWAYS : OPEN_ALWAYS;
    return flags & O_TRUNC ? TRUNCATE_EXISTING : OPEN_EXISTING;
}

static HANDLE open_path(const char *path, DWORD access, DWORD disposition, DWORD flags)
{
    wchar_t *wide = ksr_posix_wide_path(path);
    if (!wide)
        return INVALID_HANDLE_VALUE;
    const HANDLE handle =
        CreateFileW(wide, access, SHARE, NULL, disposition, FILE_ATTRIBUTE_NORMAL | flags, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        ksr_posix_fail();
    free(wide);
    return handle;
}

int ksr_posix_open(const char *path, int flags, ...)
{
    const DWORD folder = flags & O_DIRECTORY ? FILE_FLAG_BACKUP_SEMANTICS : 0;
    const HANDLE handle = open_path(path, access_of(flags), disposition_of(flags), folder);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    const int fd =
        _open_osfhandle((intptr_t)handle, (flags & (O_APPEND | O_RDONLY)) | O_BINARY | O_CLOEXEC);
    if (fd < 0)
        CloseHandle(handle);
    return fd;
}

FILE *ksr_posix_fopen(const char *path, const char *mode)
{
    const bool both = strchr(mode, '+'), fresh = strchr(mode, 'x');
    const int access = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    const int how = mode[0] == 'r'   ? 0
                    : mode[0] == 'w' ? O_CREAT | (fresh ? O_EXCL : O_TRUNC)
                                     : O_CREAT | O_APPEND;
    const char plain[] = {mode[0], both ? '+' : 'b', both ? 'b' : '\0', '\0'};
    const int fd = ksr_posix_open(path, access | how);
    FILE *file = fd >= 0 ? _fdopen(fd, plain) : NULL;
    if (fd >= 0 && !file)
        _close(fd);
    return file;
}

// Whether a handle is for reading, writing or both, which only the system's own call tells.
static int mode_of(HANDLE handle)
{
    enum { FILE_ACCESS_INFORMATION = 8 };
    ACCESS_MASK access = 0;
    IO_STATUS_BLOCK result;
    if (NtQueryInformationFile(handle, &result, &access, sizeof(access),
                               (FILE_INFORMATION_CLASS)FILE_ACCESS_INFORMATION) != 0)
        return O_RDWR;
    return !(access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) ? O_RDONLY
           : access & FILE_READ_DATA                        ? O_RDWR
                                                            : O_WRONLY;
}

int ksr_posix_fcntl(int fd, int command, ...)
{
    const HANDLE handle = ksr_posix_handle(fd);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    if (command == F_GETFL)
        return mode_of(handle);
    if (command != F_DUPFD_CLOEXEC) {
        errno = EINVAL;
        return -1;
    }
    int copies[4], count = 0; // those of standard streams are given back
    do
        copies[count] = _dup(fd);
    while (copies[count] >= 0 && copies[count] <= STDERR_FILENO && ++count < 4);
    const int copy = count < 4 ? copies[count] : -1;
    while (count-- > 0)
        _close(copies[count]);
    if (copy >= 0)
        SetHandleInformation(ksr_posix_handle(copy), HANDLE_FLAG_INHERIT, 0);
    return copy;
}

// The standard library takes NUL for a terminal.
int ksr_posix_isatty(int fd)
{
    DWORD mode;
    return GetConsoleMode(ksr_posix_handle(fd), &mode) != 0;
}

// A handle for reading cannot be flushed, and a folder not at all: EINVAL. Every other failure is
// one: what was not written then is not found by flushing again.
int ksr_posix_fsync(int fd)
{
    const HANDLE handle = ksr_posix_handle(fd);
    BY_HANDLE_FILE_INFORMATION info;
    if (handle == INVALID_HANDLE_VALUE || FlushFileBuffers(handle))
        return handle == INVALID_HANDLE_VALUE ? -1 : 0;
    const DWORD error = GetLastError();
    if (!GetFileInformationByHandle(handle, &info) ||
        info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
        errno = EINVAL;
        return -1;
    }
    SetLastError(error);
    if (error != ERROR_ACCESS_DENIED)
        return ksr_posix_fail();
    const HANDLE writing = ReOpenFile(handle, GENERIC_WRITE, SHARE, 0);
    if (writing == INVALID_HANDLE_VALUE)
        return ksr_posix_fail();
    const int result = FlushFileBuffers(writing) ? 0 : ksr_posix_fail();
    CloseHandle(writing);
    return result;
}

// --- What a file is ---

#define TICKS_TO_1970  116444736000000000
#define TICKS_A_SECOND 10000000

static struct timespec date_of(FILETIME time)
{
    const int64_t ticks =
        (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) - TICKS_TO_1970;
    const int64_t rest = (ticks % TICKS_A_SECOND + TICKS_A_SECOND) % TICKS_A_SECOND;
    return (struct timespec){.tv_sec = (ticks - rest) / TICKS_A_SECOND,
                             .tv_nsec = (long)rest * 100};
}

static int describe(HANDLE handle, struct ksr_posix_stat *out)
{
    BY_HANDLE_FILE_INFORMATION info;
    const DWORD type = GetFileType(handle);
    *out = (struct ksr_posix_stat){.st_nlink = 1};
    if (type == FILE_TYPE_PIPE || type == FILE_TYPE_CHAR) {
        out->st_mode = (type == FILE_TYPE_PIPE ? S_IFIFO : S_IFCHR) | 0600;
        out->st_ino = (uint64_t)(uintptr_t)handle;
        return 0;
    }
    if (!GetFileInformationByHandle(handle, &info))
        return ksr_posix_fail();
    const bool folder = info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY;
    out->st_dev = info.dwVolumeSerialNumber;
    out->st_ino = (uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow;
    out->st_mode = (folder ? S_IFDIR | 0700 : S_IFREG | 0600);
    if (info.dwFileAttributes & FILE_ATTRIBUTE_READONLY)
        out->st_mode &= ~0200u;
    out->st_nlink = info.nNumberOfLinks;
    out->st_size = (int64_t)((uint64_t)info.nFileSizeHigh << 32 | info.nFileSizeLow);
    out->st_mtim = date_of(info.ftLastWriteTime);
    return 0;
}

int ksr_posix_fstat(int fd, struct ksr_posix_stat *out)
{
    const HANDLE handle = ksr_posix_handle(fd);
    return handle == INVALID_HANDLE_VALUE ? -1 : describe(handle, out);
}

// Opening a named pipe to look at it would take its place at it.
static bool is_named_pipe(const char *path)
{
    return _strnicmp(path, "//./pipe/", 9) == 0 || _strnicmp(path, "\\\\.\\pipe\\", 9) == 0;
}

static int describe_path(const char *path, DWORD flags, struct ksr_posix_stat *out)
{
    if (strcmp(path, "/dev/stdin") == 0)
        return ksr_posix_fstat(STDIN_FILENO, out);
    if (is_named_pipe(path)) {
        *out = (struct ksr_posix_stat){.st_mode = S_IFIFO | 0600};
        return 0;
    }
    const HANDLE handle =
        open_path(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | flags);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    const int result = describe(handle, out);
    CloseHandle(handle);
    return result;
}

int ksr_posix_stat(const char *path, struct ksr_posix_stat *out)
{
    return describe_path(path, 0, out);
}

int ksr_posix_lstat(const char *path, struct ksr_posix_stat *out)
{
    return describe_path(path, FILE_FLAG_OPEN_REPARSE_POINT, out);
}

// For disks that do not tell where a file is.
static char *full_name(const char *path)
{
    wchar_t *wide = ksr_posix_wide_path(path);
    const DWORD size = wide ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
    wchar_t *full = size > 0 ? calloc(size, sizeof(*full)) : NULL;
    char *out =
        full && GetFullPathNameW(wide, size, full, NULL) > 0 ? ksr_posix_narrow_path(full) : NULL;
    free(full);
    free(wide);
    return out;
}

char *ksr_posix_realpath(const char *path, char *out)
{
    (void)out; // always NULL here
    if (strcmp(path, "/dev/stdin") == 0)
        return ksr_posix_place_of(ksr_posix_handle(STDIN_FILENO));
    const HANDLE handle =
        open_path(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    if (handle == INVALID_HANDLE_VALUE)
        return NULL;
    char *whole = ksr_posix_place_of(handle);
    CloseHandle(handle);
    return whole ? whole : full_name(path);
}

// What the owner's rights allow shows when it is tried.
int ksr_posix_access(const char *path, int mode)
{
    struct ksr_posix_stat s;
    if (ksr_posix_stat(path, &s) != 0)
        return -1;
    if (mode & W_OK && !S_ISDIR(s.st_mode) && !(s.st_mode & 0200)) {
        errno = EACCES;
        return -1;
    }
    return 0;
}

int ksr_posix_chmod(const char *path, int mode)
{
    wchar_t *wide = ksr_posix_wide_path(path);
    const int result = wide ? _wchmod(wide, mode & 0200 ? _S_IREAD | _S_IWRITE : _S_IREAD) : -1;
    free(wide);
    return result;
}

// The first date, when it was read, stays.
int ksr_posix_utimensat(int folder, const char *path, const struct timespec dates[2], int flags)
{
    (void)folder, (void)flags;
    const uint64_t ticks = (uint64_t)(dates[1].tv_sec * (int64_t)TICKS_A_SECOND +
                                      dates[1].tv_nsec / 100 + TICKS_TO_1970);
    const FILETIME time = {.dwLowDateTime = (DWORD)ticks, .dwHighDateTime = (DWORD)(ticks >> 32)};
    const HANDLE handle =
        open_path(path, FILE_WRITE_ATTRIBUTES, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    const int result = SetFileTime(handle, NULL, NULL, &time) ? 0 : ksr_posix_fail();
    CloseHandle(handle);
    return result;
}

int ksr_posix_statvfs(const char *path, struct statvfs *out)
{
    ULARGE_INTEGER bytes;
    wchar_t *wide = ksr_posix_wide_path(path);
    if (!wide)
        return -1;
    const int result = GetDiskFreeSpaceExW(wide, &bytes, NULL, NULL) ? 0 : ksr_posix_fail();
    *out = (struct statvfs){.f_bavail = result == 0 ? bytes.QuadPart : 0, .f_frsize = 1};
    free(wide);
    return result;
}

// --- Names ---

int ksr_posix_unlink(const char *path)
{
    wchar_t *wide = ksr_posix_wide_path(path);
    if (!wide)
        return -1;
    bool done = DeleteFileW(wide);
    const DWORD attributes = done ? 0 : GetFileAttributesW(wide);
    if (!done && attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_READONLY) {
        SetFileAttributesW(wide, attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY);
        done = DeleteFileW(wide);
    } else if (!done && attributes == INVALID_FILE_ATTRIBUTES) {
        SetLastError(ERROR_FILE_NOT_FOUND);
    }
    const int result = done ? 0 : ksr_posix_fail();
    free(wide);
    return result;
}

// Renames onto a file that is open, which MoveFileEx() refuses: Windows 10 can, on NTFS.
static bool rename_like_posix(const wchar_t *from, const wchar_t *to)
{
    enum { RENAME_INFO_EX = 22, REPLACE = 1, LIKE_POSIX = 2 };
    struct info { // FILE_RENAME_INFO
        DWORD flags;
        HANDLE root;
        DWORD length;
        WCHAR name[1];
    };
    const size_t length = wcslen(to) * sizeof(*to);
    const size_t size = sizeof(struct info) + length;
    struct info *info = calloc(1, size);
    const HANDLE handle = info ? CreateFileW(from, DELETE | SYNCHRONIZE, SHARE, NULL, OPEN_EXISTING,
                                             FILE_FLAG_BACKUP_SEMANTICS, NULL)
                               : INVALID_HANDLE_VALUE;
    bool done = false;
    if (handle != INVALID_HANDLE_VALUE) {
        info->flags = REPLACE | LIKE_POSIX;
        info->length = (DWORD)length;
        memcpy(info->name, to, length);
        done = SetFileInformationByHandle(handle, (FILE_INFO_BY_HANDLE_CLASS)RENAME_INFO_EX, info,
                                          (DWORD)size);
        CloseHandle(handle);
    }
    free(info);
    return done;
}

// Virus scanners and indexers look at new files, and for that moment nobody may rename them.
enum { TRIES = 20, TRY_MS = 50 };

static bool rename_at_last(const wchar_t *from, const wchar_t *to)
{
    for (int i = 0;; i++) {
        if (MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
            return true;
        const DWORD error = GetLastError();
        if (error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION)
            return false;
        if (rename_like_posix(from, to))
            return true;
        SetLastError(error);
        if (i == TRIES)
            return false;
        Sleep(TRY_MS);
    }
}

int ksr_posix_rename(const char *from, const char *to)
{
    wchar_t *a = ksr_posix_wide_path(from), *b = ksr_posix_wide_path(to);
    int result = -1;
    if (a && b)
        result = rename_at_last(a, b) ? 0 : ksr_posix_fail();
    free(a);
    free(b);
    return result;
}

// --- Locks ---

// Windows keeps others from reading what is locked, so that is a byte that no file has.
int ksr_posix_flock(int fd, int operation)
{
    const HANDLE handle = ksr_posix_handle(fd);
    OVERLAPPED place = {.Offset = 0, .OffsetHigh = 0x40000000};
    const DWORD flags = (operation & LOCK_EX ? LOCKFILE_EXCLUSIVE_LOCK : 0) |
                        (operation & LOCK_NB ? LOCKFILE_FAIL_IMMEDIATELY : 0);
    if (handle == INVALID_HANDLE_VALUE)
        return -1;
    if (operation & LOCK_UN)
        return UnlockFileEx(handle, 0, 1, 0, &place) ? 0 : ksr_posix_fail();
    return LockFileEx(handle, flags, 0, 1, 0, &place) ? 0 : ksr_posix_fail();
}
