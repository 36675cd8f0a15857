// The start of every program: main() gets its arguments in UTF-8; see posix.h.

#include "core/windows/native.h"

#include <locale.h>
#include <wchar.h>

int main(int argc, char **argv);
int wmain(int argc, wchar_t **argv);

int _dowildcard = 0; // patterns are the program's own business

// Gives a variable that Linux has a folder, where it is not set.
static void set_folder(const wchar_t *name, wchar_t *folder)
{
    if (_wgetenv(name))
        return;
    size_t length = wcslen(folder);
    for (size_t i = 0; i < length; i++)
        if (folder[i] == L'\\')
            folder[i] = L'/';
    while (length > 0 && folder[length - 1] == L'/')
        folder[--length] = 0;
    _wputenv_s(name, folder);
}

// What programs look for under Linux.
static void fill_environment(void)
{
    wchar_t folder[MAX_PATH + 2];
    DWORD mode;
    const HANDLE console = GetStdHandle(STD_ERROR_HANDLE);
    if (GetTempPathW(MAX_PATH + 2, folder) > 0)
        set_folder(L"TMPDIR", folder);
    const DWORD length = GetEnvironmentVariableW(L"LOCALAPPDATA", folder, MAX_PATH + 2);
    if (length > 0 && length < MAX_PATH + 2)
        set_folder(L"XDG_CACHE_HOME", folder);
    if (GetConsoleMode(console, &mode) && !_wgetenv(L"TERM") &&
        SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING))
        _wputenv_s(L"TERM", L"xterm");
}

static UINT code_page;

static void restore_console(void)
{
    SetConsoleOutputCP(code_page);
}

int wmain(int argc, wchar_t **argv)
{
    char **list = calloc((size_t)argc + 1, sizeof(char *));
    bool ok = list;
    for (int i = 0; ok && i < argc; i++) {
        list[i] = ksr_posix_narrow(argv[i]);
        ok = list[i];
    }
    if (!ok)
        return 1;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        _setmode(fd, O_BINARY);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    setvbuf(stderr, NULL, _IONBF, 0);
    fill_environment();
    code_page = GetConsoleOutputCP();
    if (code_page != 0 && code_page != CP_UTF8 && SetConsoleOutputCP(CP_UTF8))
        atexit(restore_console);
    return main(argc, list); // which keeps the list as long as the program runs
}
