// HTML reports: an output compared with its input, in one self-contained file; and samples of a job
// with an estimate of its time and size.
//
// Thread-safety: calls with different contexts are independent. ctx may be NULL in all functions.

#ifndef KIZUNASR_REPORT_H
#define KIZUNASR_REPORT_H

#include "kizunasr/inspect.h"
#include "kizunasr/job.h"

#ifdef __cplusplus
extern "C" {
#endif

// All zero = defaults. Arrays and strings are borrowed during the call and may be NULL.
struct ksr_report_options {
    struct ksr_verify_options verify; // settings of the run
    const int64_t *frames;            // frames of the output to show, from 0
    size_t frame_count;
    const char *const *times; // times of frames to show, "1:30", from the output's first frame
    size_t time_count;
    int scene_cuts;            // number of cuts to show; 0 = 3, -1 = none
    const char *stage_times;   // the run's timings file; NULL = from a kept work folder, if any
    double estimated_seconds;  // for the whole job, if the output is a sample; 0 = unknown
    double estimated_bytes;    // likewise
    const char *estimate_text; // the estimate as text
    const char *without;       // an output of the same frames, made without restoration: shown too
};

// Compares a finished output with its input as ksr_verify() does, and writes an HTML report to
// `path`, completely or not at all: before/after images of selected frames (the worst, the median,
// scene cuts, requested ones), measures and stage timings over time, streams, checks, settings.
// options: NULL = defaults. passed: set to whether all checks passed; may be NULL. A failed check
// does not make the function fail.
// Returns KSR_OK, KSR_E_PARAM (a frame or time that does not exist, timings of another run),
// KSR_E_NOT_FOUND, KSR_E_INPUT, KSR_E_OUTPUT (the report cannot be written), KSR_E_NOMEM,
// KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_report(ksr_context *ctx, const char *input_path,
                                           const char *output_path,
                                           const struct ksr_report_options *options,
                                           const char *path, bool *passed);

// Options of ksr_preview(). All zero = defaults, but `folder` is required. Borrowed during the
// call.
struct ksr_preview_options {
    int samples;        // ranges spread over the video, 1..16; 0 = 3. One if config->start is set
    double seconds;     // duration of each; 0 = 4
    const char *folder; // folder for samples and reports, created if missing
    struct ksr_run_options run; // threads, workers, device; the rest is ignored
};

// Estimate for the whole job, from the speed and size of the samples.
struct ksr_preview_result {
    int samples;
    int64_t frames, film_frames;             // of the samples, of the whole video
    double frames_per_second;                // over all samples
    double seconds;                          // for the whole job on this machine
    double slowest_seconds, fastest_seconds; // if all of it were like the slowest, fastest sample
    double bytes;                            // of the whole output, including other streams
    double smallest_bytes, largest_bytes;
    bool passed; // all checks of all samples
};

// Upscales samples of a video with the settings of a job, and writes them and their reports to
// options->folder: sample-1.mkv (in the job's container), report-1.html and so on. Existing files
// of these names are replaced. If the settings restore (config/options.toml says which do), each
// sample is also made without that, as sample-1-without.mkv, and its report shows both.
// config: as for ksr_upscale(), but output_path may be NULL.
// result: filled in on success, incomplete on failure; may be NULL.
// Returns what ksr_upscale() and ksr_report() return.
KSR_API KSR_MUST_USE ksr_status ksr_preview(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_preview_options *options,
                                            struct ksr_preview_result *result);

#ifdef __cplusplus
}
#endif

#endif
