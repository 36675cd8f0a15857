// Several workers on one machine, each taking the next missing segment (work.c), and joining what
// they made (join.c).

#ifndef KSR_JOB_WORK_H
#define KSR_JOB_WORK_H

#include "job/prepare.h"

// Makes the listed segments (count 0: all) that are not finished yet.
// options: threads, workers, device and onnxruntime_library. *reused: how many were there already.
// Returns KSR_OK, KSR_E_PARAM (a device that the job cannot run on), KSR_E_CANCELLED, or what
// failed in a worker (logged).
ksr_status ksr_work_run(ksr_context *ctx, const struct ksr_job *job, const int *segments,
                        size_t count, const struct ksr_run_options *options, int *reused);

struct ksr_join_result {
    int64_t size;              // of the output, in bytes
    int64_t frames;            // in it
    int64_t repeated, skipped; // frames, by on_frame_error
    bool accepted;             // its check failed, and options->accept put it in place
    char devices[sizeof(((struct ksr_result *)0)->devices)];
};

// Joins the segments into the output, checks it and puts it under its name; without
// options->overwrite not over a file that is there, unless this very job was putting it there when
// it was stopped. A file that does not pass its check stays under its temporary name, unless
// options->accept.
ksr_status ksr_join_run(ksr_context *ctx, const struct ksr_job *job,
                        const struct ksr_run_options *options, struct ksr_join_result *result);

#endif
