// How long a run took, part by part, and on which devices: a courtesy to people, kept apart from
// everything that says what was made.
//
// A worker writes NNNNNN.times beside each segment, joining gathers them into times.json in the
// work folder, and a copy goes where the caller wants one. Nothing else reads them but the report:
// neither the output nor its record depends on a clock.

#ifndef KSR_JOB_TIMINGS_H
#define KSR_JOB_TIMINGS_H

#include <jansson.h>

#include "kizunasr/job.h"

struct ksr_job;

// What a worker's time goes into. Stages have the names of their files.
enum ksr_part {
    KSR_PART_DECODE,    // waiting for a decoded frame, which is deinterlaced and whole
    KSR_PART_CONVERT,   // rows in and out of 15 bits
    KSR_PART_COMPOSITE, // dot crawl and rainbows
    KSR_PART_DESCALE,   // back to the size of the drawing
    KSR_PART_CHROMA_SHIFT,
    KSR_PART_DEBLOCK,
    KSR_PART_DEHALO,
    KSR_PART_NORMALIZE, // the five stages
    KSR_PART_DEBAND,
    KSR_PART_STRUCTURE,
    KSR_PART_ANTIALIAS,
    KSR_PART_UPSCALE,
    KSR_PART_ENHANCE,
    KSR_PART_TEMPORAL,
    KSR_PART_FIT,    // to a size that was asked for
    KSR_PART_GRAIN,  // put back
    KSR_PART_ENCODE, // waiting for the encoder, which works beside the stages
    KSR_PART_OTHER,
    KSR_PARTS
};

// Seconds by the clock on the wall; together: what the segment took.
struct ksr_times {
    const char *device; // that ran the stages at its end, as ksr_device_name() says; borrowed
    double seconds[KSR_PARTS];
    int worker;                // which one made it, from 0
    double decoding, encoding; // seconds that the threads beside its own were busy
};

// Writes the times of a segment of job `id` into the work folder. Where that is not possible, a
// warning tells so. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_times_save(ksr_context *ctx, const char *folder, int number, const char *id,
                          const struct ksr_times *times);

// Gathers what the segments' files tell into the folder's times.json. Segments without one, or with
// one of another job, are left out; so are those that cannot be read, with a warning, as for what
// cannot be written. devices: `size` bytes, see struct ksr_result. Returns KSR_OK, KSR_E_NOMEM
// (logged).
ksr_status ksr_times_gather(ksr_context *ctx, const struct ksr_job *job, char *devices,
                            size_t size);

// Copies the folder's times.json to `path`. path: NULL = not wanted. Where the folder has none, a
// warning tells so.
ksr_status ksr_times_copy(ksr_context *ctx, const struct ksr_job *job, const char *path);

// Whether a copy that `options` want, if they do, could be written at the end of the job.
// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_PARAM (something else stands there; all logged), KSR_E_NOMEM.
ksr_status ksr_times_check(ksr_context *ctx, const struct ksr_run_options *options,
                           const char *input_path, const char *output_path);

// Reads a file of times of a film of `frames` frames. job: its name; NULL = not known.
// *out: an array of objects, rising in "first", owned: "first", "frames", "seconds" {part: number},
// and "device", where it is known.
// Returns KSR_OK, KSR_E_PARAM (it is none, or of another run; logged), KSR_E_NOMEM.
ksr_status ksr_times_load(ksr_context *ctx, const char *path, const char *job, int64_t frames,
                          json_t **out);

#endif
