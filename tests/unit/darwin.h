// Makes a Linux compiler see what macOS has, as far as it concerns our code: included before a
// file, its code for macOS is compiled, and that for Linux is not.

#ifndef KSR_TESTS_DARWIN_H
#define KSR_TESTS_DARWIN_H

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#undef __linux__
#undef __GLIBC__
#undef HOST_NAME_MAX
#define __APPLE__    1
#define F_FULLFSYNC  51 // Linux refuses it, as file systems do that lack it
#define st_mtimespec st_mtim

#ifndef _GNU_SOURCE // extensions that both systems have
typedef struct {
    const char *dli_fname;
} Dl_info;
int dladdr(const void *address, Dl_info *info);
void *memmem(const void *within, size_t size, const void *what, size_t what_size);
int vasprintf(char **text, const char *pattern, va_list args);
#endif

#endif
