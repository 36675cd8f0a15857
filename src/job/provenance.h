// The provenance record: what an output was made from, how, and what became of every frame.
//
// A small JSON file, provenance.json in the work folder, and a copy where the caller wants one.
// It is a function of the input, the configuration and the versions, as the output is: no dates,
// no folders, nothing of the machine. docs/provenance.md describes its members.

#ifndef KSR_JOB_PROVENANCE_H
#define KSR_JOB_PROVENANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "job/store.h"
#include "kizunasr/job.h"

struct ksr_job;
struct ksr_warnings;

// Whether the record that `options` want, if they do, could be written at the end of the job.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_PARAM (something else stands there; all logged), KSR_E_NOMEM.
ksr_status ksr_provenance_check(ksr_context *ctx, const struct ksr_run_options *options,
                                const char *input_path, const char *output_path);

// The same for any file that is written beside an output. what: its kind in words; start: how such
// files begin, for replacing older ones; path: NULL = none is wanted.
ksr_status ksr_record_check(ksr_context *ctx, const char *what, const char *start, const char *path,
                            bool overwrite, const char *input_path, const char *output_path);

// What a record says of an output that it stands for.
struct ksr_record {
    bool stands; // the output is there, byte for byte as the job of that name wrote it
    int64_t frames, repeated, skipped, bytes;
    int width, height, segments;
};

// Looks whether the record at `path` is of the job `id` and of the output that stands. path: NULL =
// there is none. A record of another job, or none, or none that can be read, is no failure.
// Returns KSR_OK, KSR_E_OUTPUT (the output cannot be read), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_provenance_look(ksr_context *ctx, const char *path, const char *id,
                               const char *output_path, struct ksr_record *out);

// *pipeline: the pipeline settings in the record at `path`, a new reference; NULL where there is no
// record, or none that can be read. path: may be NULL. Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_provenance_pipeline(ksr_context *ctx, const char *path, json_t **pipeline);

// Writes the record of a job whose segments are all there into its folder.
// segments: what each of them tells. bytes, sha256: of the output. warnings: of the joining, beside
// those of the plan. failed: what its check found wrong, where it was accepted all the same; NULL =
// it passed.
ksr_status ksr_provenance_make(ksr_context *ctx, const struct ksr_job *job,
                               const struct ksr_segment_info *segments, int64_t bytes,
                               const char *sha256, const struct ksr_warnings *warnings,
                               const char *failed);

// Copies the record in the folder to `path`. path: NULL = none is wanted.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_PROCESS (there is no record; logged), KSR_E_NOMEM.
ksr_status ksr_provenance_copy(ksr_context *ctx, const struct ksr_job *job, const char *path);

#endif
