// Libraries that are loaded while the program runs; see posix.h. `libname.so.1` is name.dll.

#ifndef KSR_CORE_WINDOWS_DLFCN_H
#define KSR_CORE_WINDOWS_DLFCN_H

#define RTLD_LAZY     0
#define RTLD_NOW      0
#define RTLD_LOCAL    0
#define RTLD_NODELETE 1

typedef struct {
    const char *dli_fname;
} Dl_info;

#define dlopen  ksr_posix_dlopen
#define dlsym   ksr_posix_dlsym
#define dlclose ksr_posix_dlclose
#define dlerror ksr_posix_dlerror
#define dladdr  ksr_posix_dladdr

void *dlopen(const char *path, int flags);
void *dlsym(void *library, const char *name);
int dlclose(void *library);
char *dlerror(void);
int dladdr(const void *address, Dl_info *info);

#endif
