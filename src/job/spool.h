// Input that can be read only once: a pipe's data is copied into the work folder first.

#ifndef KSR_JOB_SPOOL_H
#define KSR_JOB_SPOOL_H

#include <stdbool.h>

#include "core/log.h"

// Whether a path names standard input ("-", /dev/stdin) or a pipe.
bool ksr_spool_is_needed(const char *path);

// Copies what the pipe has into `folder`, under a name made of its content; whoever calls holds the
// folder's lock. Standard input that is a whole file is not copied.
// limit: in bytes; 0 = what is free where the folder is, less a reserve.
// *out: the path to read instead, free with free(). *made: it is a new file.
// Returns KSR_OK, KSR_E_INPUT (nothing in it; more than the limit), KSR_E_OUTPUT, KSR_E_CANCELLED,
// KSR_E_NOMEM.
ksr_status ksr_spool_input(ksr_context *ctx, const char *path, const char *folder, int64_t limit,
                           char **out, bool *made);

#endif
