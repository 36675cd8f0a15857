// A page to look at: an output beside its input, in one HTML file that needs nothing else.

#ifndef KIZUNASR_REPORT_H
#define KIZUNASR_REPORT_H

#include "kizunasr/inspect.h"
#include "kizunasr/job.h"

#ifdef __cplusplus
extern "C" {
#endif

// All zero = defaults. Everything is borrowed.
struct ksr_report_options {
    struct ksr_verify_options verify; // what the run was told
    const int64_t *frames;            // frames of the output to show, from 0
    size_t frame_count;
    const char *const *times; // of frames to show, "1:30", counted from the output's first
    size_t time_count;
    int scene_cuts;            // how many cuts to show; 0 = 3, -1 = none
    const char *stage_times;   // the run's file of that name; NULL = what a kept work folder has
    double estimated_seconds;  // of the whole film, where the output is a sample; 0 = not known
    double estimated_bytes;    // the same
    const char *estimate_text; // in words
};

// Compares a finished output with its input as ksr_verify() does, and writes what was found as a
// page to `path`, whole or not at all: before and after of chosen frames (the worst, the median,
// scene cuts, those asked for), measures and the stages' time over time, streams, checks, settings.
// passed: whether all checks passed; may be NULL. A failed check is no failure of the report.
// Returns KSR_OK, KSR_E_PARAM (a frame or time that is not there, times of another run),
// KSR_E_INPUT, KSR_E_OUTPUT (the page cannot be written), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_report(ksr_context *ctx, const char *input_path,
                                           const char *output_path,
                                           const struct ksr_report_options *options,
                                           const char *path, bool *passed);

// A sample before the long run. All zero = defaults. Borrowed.
struct ksr_preview_options {
    int samples;        // pieces spread over the film, 1..16; 0 = 3. One if config->start is set
    double seconds;     // length of each; 0 = 4
    const char *folder; // where samples and pages go, made if missing; required
    struct ksr_run_options run; // threads, workers, device; the rest is ignored
};

// What the whole film would take, by the samples' own speed and size.
struct ksr_preview_result {
    int samples;
    int64_t frames, film_frames;             // of the samples, of the film
    double frames_per_second;                // of all the samples' work together
    double seconds;                          // for the whole film on this machine
    double slowest_seconds, fastest_seconds; // if all of it were like one of the samples
    double bytes;                            // of the whole output, other streams included
    double smallest_bytes, largest_bytes;
    bool passed; // all checks of all samples
};

// Upscales samples of a film with the settings of a job, and writes them and their reports to
// options->folder: sample-1.mkv (the job's container), report-1.html and so on. What stood there
// under these names is replaced. config->output_path may be NULL.
// Returns what ksr_upscale() and ksr_report() return.
KSR_API KSR_MUST_USE ksr_status ksr_preview(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_preview_options *options,
                                            struct ksr_preview_result *result);

#ifdef __cplusplus
}
#endif

#endif
