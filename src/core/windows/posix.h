// What the rest of the code takes from POSIX, for Windows: included before everything else
// (compiler option -include) in that build, and in no other one.
//
// Names of files are UTF-8 with '/'; Windows gets UTF-16. Files are opened in binary, can be
// renamed and deleted while open, and are not inherited. Headers that Windows lacks stand in this
// folder under their names, and files.c, folders.c and system.c have the functions. start.c gives
// main() its arguments.

#ifndef KSR_CORE_WINDOWS_POSIX_H
#define KSR_CORE_WINDOWS_POSIX_H

#include <direct.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// --- Files ---

#define O_CLOEXEC   _O_NOINHERIT
#define O_NONBLOCK  0
#define O_DIRECTORY 0x1000000

#define F_GETFL         1
#define F_DUPFD_CLOEXEC 2

#define AT_FDCWD   (-100)
#define UTIME_OMIT (-2)

#define S_IFLNK        0xA000
#define S_IFSOCK       0xC000
#define S_ISLNK(mode)  (((mode)&_S_IFMT) == S_IFLNK)
#define S_ISSOCK(mode) (((mode)&_S_IFMT) == S_IFSOCK)

struct ksr_posix_stat {
    uint64_t st_dev, st_ino;
    unsigned st_mode, st_nlink;
    int64_t st_size;
    struct timespec st_mtim;
};

#define st_mtime st_mtim.tv_sec

int ksr_posix_open(const char *path, int flags, ...);
int ksr_posix_close(int fd);
FILE *ksr_posix_fopen(const char *path, const char *mode);
int ksr_posix_stat(const char *path, struct ksr_posix_stat *out);
int ksr_posix_lstat(const char *path, struct ksr_posix_stat *out);
int ksr_posix_fstat(int fd, struct ksr_posix_stat *out);
int ksr_posix_fsync(int fd);
int ksr_posix_fcntl(int fd, int command, ...);
int ksr_posix_isatty(int fd);
int ksr_posix_access(const char *path, int mode);
int ksr_posix_utimensat(int folder, const char *path, const struct timespec dates[2], int flags);
int ksr_posix_unlink(const char *path);
int ksr_posix_unlinkat(int folder, const char *name, int flags);
int ksr_posix_rename(const char *from, const char *to);
int ksr_posix_chmod(const char *path, int mode);
char *ksr_posix_realpath(const char *path, char *out);

// Writes a path of Windows in place with '/', and without the prefix of long paths. Returns it.
char *ksr_posix_slashes(char *path);

#undef stat // with 64-bit offsets they are macros already
#undef fstat
#define open      ksr_posix_open
#define close     ksr_posix_close
#define fopen     ksr_posix_fopen
#define stat      ksr_posix_stat
#define lstat     ksr_posix_lstat
#define fstat     ksr_posix_fstat
#define fsync     ksr_posix_fsync
#define fcntl     ksr_posix_fcntl
#define isatty    ksr_posix_isatty
#define access    ksr_posix_access
#define utimensat ksr_posix_utimensat
#define unlink    ksr_posix_unlink
#define unlinkat  ksr_posix_unlinkat
#define remove    ksr_posix_unlink
#define rename    ksr_posix_rename
#define chmod     ksr_posix_chmod
#define realpath  ksr_posix_realpath

// --- Folders ---

struct ksr_posix_dirent {
    char d_name[768]; // 255 units of UTF-16
};
typedef struct ksr_posix_folder ksr_posix_folder;

ksr_posix_folder *ksr_posix_opendir(const char *path);
struct ksr_posix_dirent *ksr_posix_readdir(ksr_posix_folder *folder);
int ksr_posix_closedir(ksr_posix_folder *folder);
int ksr_posix_dirfd(const ksr_posix_folder *folder);
int ksr_posix_scandir(const char *path, struct ksr_posix_dirent ***out,
                      int (*wanted)(const struct ksr_posix_dirent *),
                      int (*order)(const struct ksr_posix_dirent **,
                                   const struct ksr_posix_dirent **));
int ksr_posix_alphasort(const struct ksr_posix_dirent **a, const struct ksr_posix_dirent **b);
int ksr_posix_mkdir(const char *path, int mode);
int ksr_posix_rmdir(const char *path);
char *ksr_posix_mkdtemp(char *path);

#define DIR       ksr_posix_folder
#define dirent    ksr_posix_dirent
#define opendir   ksr_posix_opendir
#define readdir   ksr_posix_readdir
#define closedir  ksr_posix_closedir
#define dirfd     ksr_posix_dirfd
#define scandir   ksr_posix_scandir
#define alphasort ksr_posix_alphasort
#define mkdir     ksr_posix_mkdir
#define rmdir     ksr_posix_rmdir
#define mkdtemp   ksr_posix_mkdtemp

// --- The system ---

#define _SC_NPROCESSORS_ONLN 84
#define _SC_PAGESIZE         30
#define _SC_AVPHYS_PAGES     86

char *ksr_posix_getenv(const char *name);
int ksr_posix_setenv(const char *name, const char *value, int replace);
int ksr_posix_unsetenv(const char *name);
int ksr_posix_gethostname(char *out, size_t size);
long ksr_posix_sysconf(int what);

#define getenv      ksr_posix_getenv
#define setenv      ksr_posix_setenv
#define unsetenv    ksr_posix_unsetenv
#define gethostname ksr_posix_gethostname
#define sysconf     ksr_posix_sysconf

// --- Text ---

char *ksr_posix_strndup(const char *text, size_t most);
void *ksr_posix_memmem(const void *within, size_t size, const void *what, size_t what_size);
ptrdiff_t ksr_posix_getline(char **line, size_t *size, FILE *file);

// In one write: the standard library has a console write one byte at a time, within a character
// too.
int ksr_posix_printf(const char *format, ...);
int ksr_posix_fprintf(FILE *file, const char *format, ...);
int ksr_posix_vfprintf(FILE *file, const char *format, va_list args);

#define printf   ksr_posix_printf
#define fprintf  ksr_posix_fprintf
#define vfprintf ksr_posix_vfprintf

#define strndup ksr_posix_strndup
#define memmem  ksr_posix_memmem
#define getline ksr_posix_getline

#endif
