// The provenance record: what an output was made from, how, and what became of every frame.
//
// A small JSON file, provenance.json in the work folder, and a copy where the caller wants one.
// It is a function of the input, the configuration and the versions, as the output is: no dates,
// no folders, nothing of the machine. docs/provenance.md describes its members.

#ifndef KSR_JOB_PROVENANCE_H
#define KSR_JOB_PROVENANCE_H

#include "job/prepare.h"

// Whether the record that `options` want, if they do, could be written at the end of the job.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_PARAM (something else stands there; all logged), KSR_E_NOMEM.
ksr_status ksr_provenance_check(ksr_context *ctx, const struct ksr_run_options *options,
                                const char *input_path, const char *output_path);

// Writes the record of a job whose segments are all there into its folder.
// part: where the bytes of the output are. warnings: of the joining, beside those of the plan.
ksr_status ksr_provenance_make(ksr_context *ctx, const struct ksr_job *job, const char *part,
                               const struct ksr_warnings *warnings);

// Copies the record in the folder to `path`. path: NULL = none is wanted.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_PROCESS (there is no record; logged), KSR_E_NOMEM.
ksr_status ksr_provenance_copy(ksr_context *ctx, const struct ksr_job *job, const char *path);

#endif
