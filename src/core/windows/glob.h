// Names with * ? and [ ] in them; see posix.h. Case does not matter, as in Windows.

#ifndef KSR_CORE_WINDOWS_GLOB_H
#define KSR_CORE_WINDOWS_GLOB_H

#include <stddef.h>

#define GLOB_NOSPACE 1
#define GLOB_NOMATCH 3

typedef struct {
    size_t gl_pathc;
    char **gl_pathv;
} glob_t;

#define glob     ksr_posix_glob
#define globfree ksr_posix_globfree

int glob(const char *pattern, int flags, int (*failed)(const char *path, int error), glob_t *out);
void globfree(glob_t *found);

#endif
