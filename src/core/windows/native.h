// What the files of this folder share: names in UTF-16, errors, handles.

#ifndef KSR_CORE_WINDOWS_NATIVE_H
#define KSR_CORE_WINDOWS_NATIVE_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

#include <stdbool.h>

// Returns a path in UTF-16 with '\', with the prefix that lets it be long where it is; free with
// free(). NULL with errno set.
wchar_t *ksr_posix_wide_path(const char *path);

// Returns text in UTF-16 or UTF-8, free with free(). NULL with errno set.
wchar_t *ksr_posix_wide(const char *text);
char *ksr_posix_narrow(const wchar_t *text);

// Returns a path in UTF-8 with '/', without the prefix of long paths; free with free(). NULL with
// errno set.
char *ksr_posix_narrow_path(const wchar_t *path);

// Returns where an open file is, as a path in UTF-8; free with free(). NULL with errno set.
char *ksr_posix_place_of(HANDLE handle);

// Sets errno from the last error of Windows. Returns -1.
int ksr_posix_fail(void);

// Returns the handle of a descriptor, or INVALID_HANDLE_VALUE with errno set.
HANDLE ksr_posix_handle(int fd);

#endif
