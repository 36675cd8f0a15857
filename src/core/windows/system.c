// The environment, libraries, signals, pipes, the console; see posix.h.

#include "core/windows/native.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <winternl.h>

// --- The environment ---

// Values that were asked for: a caller may keep them.
struct value {
    struct value *next;
    char text[];
};

static pthread_mutex_t values_lock = PTHREAD_MUTEX_INITIALIZER;
static struct value *values; // under the lock

static char *keep(const char *text)
{
    pthread_mutex_lock(&values_lock);
    struct value *v = values;
    while (v && strcmp(v->text, text) != 0)
        v = v->next;
    if (!v) {
        v = malloc(sizeof(*v) + strlen(text) + 1);
        if (v) {
            strcpy(v->text, text);
            v->next = values;
            values = v;
        }
    }
    pthread_mutex_unlock(&values_lock);
    return v ? v->text : NULL;
}

char *ksr_posix_getenv(const char *name)
{
    wchar_t *wide = ksr_posix_wide(name);
    const wchar_t *value = wide ? _wgetenv(wide) : NULL;
    char *text = value ? ksr_posix_narrow(value) : NULL, *kept = text ? keep(text) : NULL;
    free(text);
    free(wide);
    return kept;
}

int ksr_posix_setenv(const char *name, const char *value, int replace)
{
    if (!replace && ksr_posix_getenv(name))
        return 0;
    wchar_t *a = ksr_posix_wide(name), *b = ksr_posix_wide(value);
    const int result = a && b && _wputenv_s(a, b) == 0 ? 0 : -1;
    free(a);
    free(b);
    return result;
}

int ksr_posix_unsetenv(const char *name)
{
    return ksr_posix_setenv(name, "", 1);
}

int ksr_posix_gethostname(char *out, size_t size)
{
    wchar_t name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD length = MAX_COMPUTERNAME_LENGTH + 1;
    const bool ok = GetComputerNameW(name, &length) &&
                    WideCharToMultiByte(CP_UTF8, 0, name, -1, out, (int)size, NULL, NULL) > 0;
    return ok ? 0 : ksr_posix_fail();
}

long ksr_posix_sysconf(int what)
{
    SYSTEM_INFO info;
    DWORD_PTR ours, all;
    GetSystemInfo(&info);
    if (what == _SC_PAGESIZE)
        return (long)info.dwPageSize;
    if (what == _SC_AVPHYS_PAGES) {
        MEMORYSTATUSEX memory = {.dwLength = sizeof(memory)};
        return GlobalMemoryStatusEx(&memory) ? (long)(memory.ullAvailPhys / info.dwPageSize) : -1;
    }
    if (what != _SC_NPROCESSORS_ONLN)
        return -1;
    // More than 64 processors are in groups; those of one may be fewer than the process uses.
    const DWORD count = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    if (count > 64 || !GetProcessAffinityMask(GetCurrentProcess(), &ours, &all))
        return (long)count;
    long allowed = 0;
    for (; ours; ours &= ours - 1)
        allowed++;
    return allowed;
}

// Tells the true version even to programs that do not say that they know it.
int ksr_posix_uname(struct utsname *out)
{
    typedef LONG(WINAPI * function)(OSVERSIONINFOW *);
    OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    const FARPROC found = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion");
    function get_version;
    memcpy(&get_version, &found, sizeof(get_version));
    if (!found || get_version(&version) != 0)
        return -1;
    strcpy(out->sysname, "Windows");
    snprintf(out->release, sizeof(out->release), "%lu.%lu.%lu", version.dwMajorVersion,
             version.dwMinorVersion, version.dwBuildNumber);
    strcpy(out->machine, "x86_64");
    return 0;
}

// --- Libraries ---

static _Thread_local char load_error[96];

// The name that Windows has for the library that Linux calls lib....so.N.
static wchar_t *library_name(const char *path)
{
    char name[260];
    const char *end = strstr(path, ".so");
    if (strncmp(path, "lib", 3) != 0 || !end || strchr(path, '/'))
        return ksr_posix_wide_path(path);
    snprintf(name, sizeof(name), "%.*s.dll", (int)(end - path) - 3, path + 3);
    return ksr_posix_wide(name);
}

void *ksr_posix_dlopen(const char *path, int flags)
{
    HMODULE library = NULL, pinned;
    wchar_t *name = library_name(path);
    if (name)
        library =
            LoadLibraryExW(name, NULL, wcschr(name, L'\\') ? LOAD_WITH_ALTERED_SEARCH_PATH : 0);
    if (!library)
        snprintf(load_error, sizeof(load_error), "error %lu of Windows", GetLastError());
    else if (flags & RTLD_NODELETE)
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                           (LPCWSTR)library, &pinned);
    free(name);
    return library;
}

void *ksr_posix_dlsym(void *library, const char *name)
{
    const FARPROC found = GetProcAddress(library, name);
    void *address;
    memcpy(&address, &found, sizeof(address));
    if (!found)
        snprintf(load_error, sizeof(load_error), "there is no function %.60s", name);
    return address;
}

int ksr_posix_dlclose(void *library)
{
    return FreeLibrary(library) ? 0 : -1;
}

char *ksr_posix_dlerror(void)
{
    return load_error;
}

int ksr_posix_dladdr(const void *address, Dl_info *info)
{
    wchar_t path[4096];
    HMODULE library;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT |
                                GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            address, &library) ||
        GetModuleFileNameW(library, path, sizeof(path) / sizeof(path[0])) == 0)
        return 0;
    char *name = ksr_posix_narrow_path(path);
    info->dli_fname = name ? keep(name) : NULL;
    free(name);
    return info->dli_fname != NULL;
}

// --- Signals ---

static struct {
    _Atomic(void (*)(int)) handler; // NULL = the usual end
    atomic_bool once;
} signals[2]; // SIGINT, SIGTERM

static BOOL WINAPI on_event(DWORD event)
{
    const bool asked = event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT;
    const int i = asked ? 0 : 1;
    void (*handler)(int) = atomic_load(&signals[i].handler);
    if (!handler)
        return FALSE;
    if (atomic_load(&signals[i].once))
        atomic_store(&signals[i].handler, NULL);
    handler(asked ? SIGINT : SIGTERM);
    if (!asked)
        Sleep(INFINITE); // Windows ends the program when this returns, else some seconds later
    return TRUE;
}

int ksr_posix_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    static atomic_bool listening;
    (void)old;
    if (number != SIGINT && number != SIGTERM) {
        errno = EINVAL;
        return -1;
    }
    const int i = number == SIGTERM;
    atomic_store(&signals[i].once, action->sa_flags & SA_RESETHAND);
    atomic_store(&signals[i].handler, action->sa_handler);
    if (!atomic_exchange(&listening, true) && !SetConsoleCtrlHandler(on_event, TRUE))
        return ksr_posix_fail();
    return 0;
}

void (*ksr_posix_signal(int number, void (*handler)(int)))(int)
{
    (void)number, (void)handler; // only SIGPIPE, which is none here
    return NULL;
}

// --- Pipes and the console ---

// Whether reading would not wait.
static bool can_read(int fd)
{
    DWORD waiting;
    const HANDLE handle = ksr_posix_handle(fd);
    if (GetFileType(handle) != FILE_TYPE_PIPE)
        return true;
    return !PeekNamedPipe(handle, NULL, 0, NULL, &waiting, NULL) || waiting > 0; // closed: the end
}

// Whether nobody reads a pipe any more. (Writing nothing would tell, too, but a reader takes that
// for the end.)
static bool is_broken(int fd)
{
    enum { LOCAL_INFORMATION = 24, CLOSING = 4 }; // of the kernel's interface
    IO_STATUS_BLOCK status;
    struct {
        ULONG type, configuration, most, count, in_quota, readable, out_quota, writable, state, end;
    } pipe;
    const HANDLE handle = ksr_posix_handle(fd);
    return GetFileType(handle) == FILE_TYPE_PIPE &&
           NtQueryInformationFile(handle, &status, &pipe, sizeof(pipe),
                                  (FILE_INFORMATION_CLASS)LOCAL_INFORMATION) == 0 &&
           pipe.state == CLOSING;
}

int ksr_posix_poll(struct pollfd *list, unsigned count, int milliseconds)
{
    const ULONGLONG start = GetTickCount64();
    for (;;) {
        int ready = 0;
        for (unsigned i = 0; i < count; i++) {
            list[i].revents = list[i].events & POLLOUT;
            if (list[i].events & POLLIN && can_read(list[i].fd))
                list[i].revents |= POLLIN;
            if (list[i].events & POLLOUT && is_broken(list[i].fd))
                list[i].revents |= POLLERR;
            ready += list[i].revents != 0;
        }
        if (ready > 0 || (milliseconds >= 0 && GetTickCount64() - start >= (ULONGLONG)milliseconds))
            return ready;
        Sleep(1);
    }
}

int ksr_posix_ioctl(int fd, int request, struct winsize *out)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    (void)request;
    if (!GetConsoleScreenBufferInfo(ksr_posix_handle(fd), &info))
        return -1;
    out->ws_col = (unsigned short)(info.srWindow.Right - info.srWindow.Left + 1);
    out->ws_row = (unsigned short)(info.srWindow.Bottom - info.srWindow.Top + 1);
    return 0;
}

// --- Text ---

int ksr_posix_vfprintf(FILE *file, const char *format, va_list args)
{
    char some[1024], *all = some;
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(some, sizeof(some), format, args);
    if (length >= (int)sizeof(some)) {
        all = malloc((size_t)length + 1);
        if (all)
            vsnprintf(all, (size_t)length + 1, format, again);
    }
    va_end(again);
    if (!all || length < 0 || fwrite(all, 1, (size_t)length, file) != (size_t)length)
        length = -1;
    if (all != some)
        free(all);
    return length;
}

int ksr_posix_fprintf(FILE *file, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = ksr_posix_vfprintf(file, format, args);
    va_end(args);
    return length;
}

int ksr_posix_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = ksr_posix_vfprintf(stdout, format, args);
    va_end(args);
    return length;
}

char *ksr_posix_strndup(const char *text, size_t most)
{
    const size_t length = strnlen(text, most);
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

void *ksr_posix_memmem(const void *within, size_t size, const void *what, size_t what_size)
{
    const char *start = within;
    for (size_t i = 0; what_size <= size && i <= size - what_size; i++)
        if (memcmp(start + i, what, what_size) == 0)
            return (void *)(uintptr_t)(start + i);
    return NULL;
}

ptrdiff_t ksr_posix_getline(char **line, size_t *size, FILE *file)
{
    size_t used = 0;
    for (int c = 0; c != '\n' && (c = fgetc(file)) != EOF;) {
        if (used + 2 > *size) {
            char *longer = realloc(*line, *size * 2 + 128);
            if (!longer)
                return -1;
            *line = longer;
            *size = *size * 2 + 128;
        }
        (*line)[used++] = (char)c;
    }
    if (used == 0)
        return -1;
    (*line)[used] = 0;
    return (ptrdiff_t)used;
}
