// Subtitle files of a job, in lists as media/input/external.h has them.

#ifndef KSR_JOB_SUBS_H
#define KSR_JOB_SUBS_H

#include <jansson.h>

#include "job/manifest.h"

// *out: the list with absolute paths, free with free(); NULL for a list without files.
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_subs_absolute(ksr_context *ctx, const char *list, char **out);

// *out: the part of a job's key with hashes and language of each file; NULL for a list without
// files. Returns KSR_OK, KSR_E_INPUT (logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_subs_key(ksr_context *ctx, const char *list, json_t **out);

// Checks that the files are those that a job was planned with. all: a missing file is an error.
// Returns KSR_OK, KSR_E_MISMATCH, KSR_E_INPUT (both logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_subs_check(ksr_context *ctx, const struct ksr_manifest *manifest, bool all);

// Returns the part of a provenance record with the files; NULL where there are none, and when out
// of memory.
json_t *ksr_subs_record(const struct ksr_manifest *manifest);

// Finds the files of a provenance record, which does not tell their folder. told: a list of them,
// with paths; NULL: they are beside the input. *out: a list, free with free(); NULL where there are
// none. Returns KSR_OK, KSR_E_INPUT (one is not there), KSR_E_PARAM (they are others; both logged),
// KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_subs_find(ksr_context *ctx, const json_t *record, const char *input_path,
                         const char *told, char **out);

#endif
