// The main job: plan, work, join; and ksr_upscale(), which is the three on one machine.
//
//     input -> plan -> segments -> work (decode, stages, encode) -> join -> check -> output
//
// Finished segments stay in a work folder, `OUTPUT.kizunasr` unless told otherwise, so calling
// ksr_upscale() again with the same job goes on where the last call ended. The output appears
// under its name only when it is whole and checked.
//
// On several machines: ksr_plan() once, ksr_work() any number of times anywhere with any
// segments, ksr_join() once. The output's bytes are the same in every case.

#ifndef KIZUNASR_JOB_H
#define KIZUNASR_JOB_H

#include "kizunasr/config.h"

#ifdef __cplusplus
extern "C" {
#endif

// How a job is run. Nothing here changes the output's bytes, except that a model which ONNX Runtime
// runs may give other ones with other threads or on another device: then both belong to the job
// like its configuration, and ksr_work() takes them from the plan. All zero = defaults.
struct ksr_run_options {
    int threads;          // threads inside one worker's stages, 1..64; 0 = chosen
    int workers;          // segments in work at once, 1..64; 0 = as cores and memory allow
    const char *device;   // "cpu", or with ONNX Runtime "cuda", "tensorrt", ...; NULL = "cpu"
    const char *work_dir; // work folder; NULL = output path + ".kizunasr". Borrowed
    bool keep_work;       // leave the work folder after success
    bool fresh;           // delete what an earlier run left and start over
    bool overwrite;       // replace an output that exists
    // File for the provenance record (docs/provenance.md); NULL = none. Borrowed. An older record
    // is replaced, any other file only with `overwrite`. ksr_upscale() and ksr_join() write it, and
    // ksr_upscale() finds the job already done if an older record says so of the output that
    // stands.
    const char *provenance;
    const char *onnxruntime_library; // path of ONNX Runtime; NULL = looked for. Borrowed
    // File for how long each stage took, segment by segment, as JSON for ksr_report(); NULL = none.
    // Borrowed. Replaces like `provenance`. ksr_upscale() and ksr_join() write it.
    const char *stage_times;
    // Puts the output in place even where its check fails: a warning says what failed, and so does
    // the record. For ksr_upscale() and ksr_join().
    bool accept;
    // Gives the output the modification time of the input; of an image sequence, its latest file's.
    // For ksr_upscale() and ksr_join().
    bool keep_date;
    // Where the input is "-" (standard input) or a pipe, ksr_upscale() and ksr_plan() copy its data
    // into the work folder first: at most so many bytes; 0 = what is free there, less a twentieth.
    int64_t spool_limit;
};

// What a finished call did.
struct ksr_result {
    int64_t frames;          // frames in the output
    int64_t frames_repeated; // of those, repeats of the frame before (on_frame_error)
    int64_t frames_skipped;  // input frames without an output frame (on_frame_error)
    int segments;            // segments of the film
    int segments_reused;     // of those, finished by an earlier run
    int width, height;       // of the output, in pixels
    int64_t output_size;     // bytes; 0 after plan and work
    int warnings;            // warnings logged during the call
    bool already_done;       // the output was there, written by this very job; nothing was done
    char engine[96];         // what ran the model: "native", "ONNX Runtime 1.30.0 on cpu, 2 threads";
                             // empty without AI
    bool accepted;           // the check of the output failed, and options->accept put it in place
};

// The whole job. config and options (NULL = defaults) are read only during the call.
// result: filled on success, may be NULL.
// Returns KSR_OK when the output stands and has passed the quick check, else any other status.
// After KSR_E_VERIFY the finished file is kept as "OUTPUT.part", and so is the work folder:
// ksr_join() with options->accept puts it in place.
// After KSR_E_CANCELLED, or a crash, the same call resumes.
KSR_API KSR_MUST_USE ksr_status ksr_upscale(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_run_options *options,
                                            struct ksr_result *result);

// Checks everything that can be checked before the work and writes the work folder.
// result->segments: the number of segments. Keeps a folder that already holds this very job.
KSR_API KSR_MUST_USE ksr_status ksr_plan(ksr_context *ctx,
                                         const struct ksr_processor_config *config,
                                         const struct ksr_run_options *options,
                                         struct ksr_result *result);

// Checks and plans like ksr_plan(), but writes nothing.
// *json: what ksr_upscale() would do, owned by the caller, free with ksr_free(): paths, sizes,
// encoder options, what happens to each stream, every segment and whether it is finished; see
// docs/manual.md for its members.
KSR_API KSR_MUST_USE ksr_status ksr_dry_run(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_run_options *options, char **json);

// Makes the segments in `segments` (numbers from 0), or all that are missing when count is 0.
// folder: a work folder written by ksr_plan(). Any number of calls may run at once, on any
// machines that see the folder and the input under the same paths.
KSR_API KSR_MUST_USE ksr_status ksr_work(ksr_context *ctx, const char *folder, const int *segments,
                                         size_t count, const struct ksr_run_options *options,
                                         struct ksr_result *result);

// Joins the finished segments with the other streams into the output, checks it, renames it into
// place and removes the folder (unless options->keep_work).
// Returns KSR_E_PROCESS when segments are missing, KSR_E_VERIFY as ksr_upscale() does.
KSR_API KSR_MUST_USE ksr_status ksr_join(ksr_context *ctx, const char *folder,
                                         const struct ksr_run_options *options,
                                         struct ksr_result *result);

// *out: the work folder of a job, "OUTPUT.kizunasr" or options->work_dir; free with ksr_free().
KSR_API KSR_MUST_USE ksr_status ksr_work_folder(const char *output_path,
                                                const struct ksr_run_options *options, char **out);

#ifdef __cplusplus
}
#endif

#endif
