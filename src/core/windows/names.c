// Names and errors of Windows; see native.h.

#include "core/windows/native.h"

#define PREFIX     L"\\\\?\\"
#define PREFIX_UNC L"\\\\?\\UNC\\"
#define LONG_PATH  240 // less than MAX_PATH, with room for a name in it

static const struct {
    DWORD windows;
    int posix;
} errors[] = {
    {ERROR_FILE_NOT_FOUND, ENOENT},
    {ERROR_PATH_NOT_FOUND, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT},
    {ERROR_BAD_NETPATH, ENOENT},
    {ERROR_BAD_NET_NAME, ENOENT},
    {ERROR_INVALID_NAME, ENOENT},
    {ERROR_BAD_PATHNAME, ENOENT},
    {ERROR_MOD_NOT_FOUND, ENOENT},
    {ERROR_DIRECTORY, ENOTDIR},
    {ERROR_ACCESS_DENIED, EACCES},
    {ERROR_SHARING_VIOLATION, EACCES},
    {ERROR_WRITE_PROTECT, EROFS},
    {ERROR_FILE_EXISTS, EEXIST},
    {ERROR_ALREADY_EXISTS, EEXIST},
    {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
    {ERROR_NOT_SAME_DEVICE, EXDEV},
    {ERROR_LOCK_VIOLATION, EWOULDBLOCK},
    {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM},
    {ERROR_DISK_FULL, ENOSPC},
    {ERROR_HANDLE_DISK_FULL, ENOSPC},
    {ERROR_INVALID_HANDLE, EBADF},
    {ERROR_BROKEN_PIPE, EPIPE},
    {ERROR_NO_DATA, EPIPE},
    {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
};

int ksr_posix_fail(void)
{
    const DWORD error = GetLastError();
    errno = EIO;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].windows == error)
            errno = errors[i].posix;
    return -1;
}

wchar_t *ksr_posix_wide(const char *text)
{
    const int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *wide = calloc((size_t)length + 1, sizeof(*wide)); // ENOMEM
    if (wide)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, length);
    return wide;
}

char *ksr_posix_narrow(const wchar_t *text)
{
    const int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = calloc((size_t)length + 1, 1);
    if (narrow)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, length, NULL, NULL);
    return narrow;
}

static bool begins_with(const wchar_t *text, const wchar_t *start)
{
    return wcsncmp(text, start, wcslen(start)) == 0;
}

// The whole of a long path, as Windows wants to see it.
static wchar_t *lengthen(const wchar_t *path)
{
    const DWORD size = GetFullPathNameW(path, 0, NULL, NULL);
    const size_t most = size + wcslen(PREFIX_UNC) + 1;
    wchar_t *whole = calloc(most, sizeof(*whole)), *out = calloc(most, sizeof(*out));
    if (whole && out && GetFullPathNameW(path, size, whole, NULL) > 0) {
        const bool net = begins_with(whole, L"\\\\");
        wcscat(out, net ? PREFIX_UNC : PREFIX);
        wcscat(out, whole + (net ? 2 : 0));
    } else {
        free(out);
        out = NULL;
    }
    free(whole);
    return out;
}

wchar_t *ksr_posix_wide_path(const char *path)
{
    wchar_t *wide = ksr_posix_wide(strcmp(path, "/dev/null") == 0 ? "NUL" : path);
    for (wchar_t *c = wide; c && *c; c++)
        if (*c == L'/')
            *c = L'\\';
    if (!wide || wcslen(wide) < LONG_PATH || begins_with(wide, PREFIX))
        return wide;
    wchar_t *longer = lengthen(wide);
    free(wide);
    return longer;
}

char *ksr_posix_slashes(char *path)
{
    const bool net = strncmp(path, "\\\\?\\UNC\\", 8) == 0;
    const bool drive = strncmp(path, "\\\\?\\", 4) == 0 && path[4] && path[5] == ':';
    if (net)
        memmove(path + 2, path + 8, strlen(path + 8) + 1);
    else if (drive)
        memmove(path, path + 4, strlen(path + 4) + 1);
    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    return path;
}

char *ksr_posix_narrow_path(const wchar_t *path)
{
    char *out = ksr_posix_narrow(path);
    return out ? ksr_posix_slashes(out) : NULL;
}

char *ksr_posix_place_of(HANDLE handle)
{
    const DWORD size = GetFinalPathNameByHandleW(handle, NULL, 0, 0);
    wchar_t *path = size > 0 ? calloc((size_t)size + 1, sizeof(*path)) : NULL;
    char *out = NULL;
    if (path && GetFinalPathNameByHandleW(handle, path, size + 1, 0) > 0)
        out = ksr_posix_narrow_path(path);
    else if (size == 0 || path)
        ksr_posix_fail();
    free(path);
    return out;
}

HANDLE ksr_posix_handle(int fd)
{
    const HANDLE handle = (HANDLE)_get_osfhandle(fd);
    if (handle == INVALID_HANDLE_VALUE || handle == (HANDLE)(intptr_t)-2) { // -2: no such stream
        errno = EBADF;
        return INVALID_HANDLE_VALUE;
    }
    return handle;
}
