// Whether a name fits a pattern with * ? and [ ]; see posix.h.

#ifndef KSR_CORE_WINDOWS_FNMATCH_H
#define KSR_CORE_WINDOWS_FNMATCH_H

#define FNM_CASEFOLD 16

#define fnmatch ksr_posix_fnmatch

int fnmatch(const char *pattern, const char *name, int flags);

#endif
