// Plan: an index of the film, cut into segments, and everything about the output decided.

#ifndef KSR_JOB_PLAN_H
#define KSR_JOB_PLAN_H

#include "job/manifest.h"

// Makes the manifest of a job whose paths have been checked. key: of the job; a reference is
// taken. Logs what the job will do and what the output cannot keep.
ksr_status ksr_plan_make(ksr_context *ctx, const struct ksr_processor_config *config,
                         const struct ksr_fingerprint *input, json_t *key,
                         struct ksr_manifest *out);

// Decides what the output is: container, encoder with size and colours, what becomes of each
// stream, and finds by trials what of it is lost. m: has the film; gets `output` and `encoder`.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED; logged.
ksr_status ksr_plan_output(ksr_context *ctx, const struct ksr_processor_config *config,
                           struct ksr_manifest *m);

// Gives the size of the output for frames of a format: that of the pipeline's frames, or the one
// that was asked to fit. Returns KSR_OK, KSR_E_PARAM (too large; logged).
ksr_status ksr_plan_size(ksr_context *ctx, const struct ksr_processor_config *config,
                         const struct ksr_video_format *format, int *width, int *height);

// Checks that frames of a format can have been enlarged from the size that `descale` names, if it
// names one. Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_plan_check_descale(ksr_context *ctx, const char *descale,
                                  const struct ksr_video_format *format);

// Cuts a film into segments of about 8 seconds: at the keyframe nearest to the ideal border, or
// at the border itself where none is near. warmup: frames a worker runs before a segment's first.
// *count: number of segments. Returns an array to be freed with free(), NULL = out of memory.
struct ksr_segment_plan *ksr_plan_segments(const struct ksr_film *film, int warmup, int *count);

// Makes the kind of frames that are left by ksr_plan_cut() the one that all are converted to;
// before anything is decided by the format of frames.
void ksr_plan_focus(const char *start, const char *duration, struct ksr_film *film);

// Cuts a film to what a job's `start` and `duration` (either may be NULL) leave of it.
// Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_plan_cut(ksr_context *ctx, const char *start, const char *duration,
                        struct ksr_film *film);

#endif
