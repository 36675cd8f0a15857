// Running a job: ksr_plan(), ksr_work(), ksr_join(); ksr_upscale() does all three on one machine.
//
//     input -> plan -> segments -> work (decode, stages, encode) -> join -> check -> output
//
// Finished segments are kept in a work folder, by default `OUTPUT.kizunasr`, so calling
// ksr_upscale() again with the same job resumes where the last call ended. The output gets its name
// only when it is complete and checked.
//
// On several machines: call ksr_plan() once, ksr_work() any number of times on any machine with any
// segments, ksr_join() once. The output's bytes are the same in every case.
//
// Thread-safety: calls with different contexts may run at once, also for the same work folder: a
// lock in the folder lets several ksr_work() run together; any other call on the folder meanwhile
// returns KSR_E_BUSY.

#ifndef KIZUNASR_JOB_H
#define KIZUNASR_JOB_H

#include "kizunasr/config.h"

#ifdef __cplusplus
extern "C" {
#endif

// How to run a job. Nothing here changes the output's bytes, with one exception: with ONNX Runtime,
// `threads` and `device` may change them. They are then part of the job like its configuration, and
// ksr_work() uses those of the plan. All zero = defaults. Strings are borrowed during the call.
struct ksr_run_options {
    int threads; // threads per worker for the stages, 1..64; 0 = automatic
    int workers; // segments processed at once, 1..64; 0 = by cores and memory
    // Devices that run the stages (docs/tasks/gpu.md): "auto", "all", or "cpu", "vulkan" (the
    // fastest GPU) and "vulkan:N" with commas between; with ONNX Runtime its name for one ("cuda",
    // ...). NULL = "auto".
    const char *device;
    const char *work_dir; // work folder; NULL = output path + ".kizunasr"
    bool keep_work;       // keep the work folder after success
    bool fresh;           // delete what an earlier run left and start over
    bool overwrite;       // replace an existing output
    // File for the provenance record (docs/provenance.md), written by ksr_upscale() and ksr_join();
    // NULL = none. An older record is replaced, any other file only with `overwrite`. If an older
    // record matches the job and the existing output, ksr_upscale() has nothing to do.
    const char *provenance;
    const char *onnxruntime_library; // path of ONNX Runtime; NULL = searched for
    // File for the time that each stage took, segment by segment, as JSON for ksr_report(), written
    // by ksr_upscale() and ksr_join(); NULL = none. Replaces files like `provenance`.
    const char *stage_times;
    // Put the output in place even if its check fails: a warning says what failed, and so does the
    // record. For ksr_upscale() and ksr_join().
    bool accept;
    // Give the output the modification time of the input (of an image sequence: of its latest
    // file). For ksr_upscale() and ksr_join().
    bool keep_date;
    // If the input is "-" (standard input) or a pipe, ksr_upscale() and ksr_plan() copy its data
    // into the work folder first: at most this many bytes; 0 = the free space there, less a
    // twentieth.
    int64_t spool_limit;
};

// The result of a successful call.
struct ksr_result {
    int64_t frames;          // frames in the output
    int64_t frames_repeated; // of those, repeats of the previous frame (on_frame_error)
    int64_t frames_skipped;  // input frames without an output frame (on_frame_error)
    int segments;            // segments of the video
    int segments_reused;     // of those, finished by an earlier run
    int width, height;       // of the output, in pixels
    int64_t output_size;     // bytes; 0 after plan and work
    int warnings;            // warnings logged during the call
    bool already_done;       // the output existed, written by this very job; nothing was done
    char engine[96]; // engine of the model, "native" or "ONNX Runtime 1.30.0 on cpu, 2 threads";
                     // "" without AI
    bool accepted;   // the output's check failed, and options->accept put it in place
    // What the stages ran on, in earlier runs too: "cpu", "NVIDIA H200 (NVIDIA 580.65.06)", or
    // several, "NVIDIA H200 (NVIDIA 580.65.06): 240 frames, cpu: 121 frames"; cut short where it is
    // too long. Set by ksr_upscale() and ksr_join(); "" = not known.
    char devices[224];
};

// Runs the whole job: plans it or resumes it, encodes the missing segments, joins and checks the
// output.
// ctx: may be NULL. config, options (NULL = defaults): borrowed during the call.
// result: filled in on success, unchanged on failure; may be NULL.
// Returns
//   KSR_OK           the output is in place and has passed the quick check, or was accepted
//   KSR_E_PARAM      an invalid setting, or a combination that does not work
//   KSR_E_EXISTS     the output exists, and options->overwrite is not set
//   KSR_E_NOT_FOUND  the input does not exist
//   KSR_E_INPUT      the input is unreadable, damaged or has no video
//   KSR_E_OUTPUT     the output or the work folder cannot be written
//   KSR_E_MODEL      the AI model is missing or unusable
//   KSR_E_MISMATCH   the work folder belongs to another job or was made by other versions
//   KSR_E_BUSY       another run has locked the work folder
//   KSR_E_PROCESS    decoding, filtering or encoding failed
//   KSR_E_VERIFY     the check failed: the finished file is kept as "OUTPUT.part", and so is the
//                    work folder; ksr_join() with options->accept puts the file in place
//   KSR_E_NOMEM, KSR_E_CANCELLED
// Finished work is kept after every failure; the same call resumes it.
KSR_API KSR_MUST_USE ksr_status ksr_upscale(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_run_options *options,
                                            struct ksr_result *result);

// Checks everything that can be checked before the work and writes the work folder. A folder that
// already holds this very job is kept.
// ctx, config, options, result: as for ksr_upscale(); result->segments is the number of segments.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_EXISTS, KSR_E_NOT_FOUND, KSR_E_INPUT, KSR_E_OUTPUT,
// KSR_E_MODEL, KSR_E_MISMATCH, KSR_E_BUSY, KSR_E_PROCESS, KSR_E_NOMEM, KSR_E_CANCELLED, for the
// same reasons as ksr_upscale().
KSR_API KSR_MUST_USE ksr_status ksr_plan(ksr_context *ctx,
                                         const struct ksr_processor_config *config,
                                         const struct ksr_run_options *options,
                                         struct ksr_result *result);

// Checks and plans like ksr_plan(), but writes nothing.
// ctx, config, options: as for ksr_upscale().
// *json: what ksr_upscale() would do, as indented JSON: paths, sizes, encoder options, what happens
// to each stream, every segment and whether it is finished (docs/manual.md). Owned by the caller,
// free with ksr_free(); NULL on failure.
// Returns what ksr_plan() returns.
KSR_API KSR_MUST_USE ksr_status ksr_dry_run(ksr_context *ctx,
                                            const struct ksr_processor_config *config,
                                            const struct ksr_run_options *options, char **json);

// Encodes the given segments, or all that are missing. Any number of calls may run at once, on all
// machines that have the folder and the input at the same paths.
// ctx: may be NULL. folder: a work folder written by ksr_plan().
// segments: `count` numbers from 0; may be NULL if count is 0, which means all that are missing.
// options: NULL = defaults; only threads, workers, device and onnxruntime_library are used.
// result: filled in on success, unchanged on failure; may be NULL.
// Returns KSR_OK, KSR_E_PARAM (a segment that does not exist), KSR_E_NOT_FOUND (the input),
// KSR_E_INPUT (the folder is not a work folder; the input is unreadable), KSR_E_OUTPUT (the folder
// cannot be written),
// KSR_E_MODEL, KSR_E_MISMATCH (planned with other versions, or the input or the model has changed),
// KSR_E_BUSY, KSR_E_PROCESS, KSR_E_NOMEM, KSR_E_CANCELLED. Finished segments are kept in any case.
KSR_API KSR_MUST_USE ksr_status ksr_work(ksr_context *ctx, const char *folder, const int *segments,
                                         size_t count, const struct ksr_run_options *options,
                                         struct ksr_result *result);

// Joins the finished segments with the other streams to the output, checks it, renames it into
// place and removes the folder (unless options->keep_work).
// ctx: may be NULL. folder: a work folder in which all segments are finished. options: NULL =
// defaults.
// result: filled in on success, unchanged on failure; may be NULL.
// Returns KSR_OK, KSR_E_EXISTS, KSR_E_NOT_FOUND, KSR_E_INPUT, KSR_E_OUTPUT, KSR_E_MISMATCH,
// KSR_E_BUSY, KSR_E_PROCESS (segments are missing, or audio cannot be re-encoded), KSR_E_VERIFY (as
// ksr_upscale()), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_join(ksr_context *ctx, const char *folder,
                                         const struct ksr_run_options *options,
                                         struct ksr_result *result);

// *out: the path of a job's work folder, "OUTPUT.kizunasr" or options->work_dir (options may be
// NULL). Owned by the caller, free with ksr_free(). Does not access the file system.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_work_folder(const char *output_path,
                                                const struct ksr_run_options *options, char **out);

#ifdef __cplusplus
}
#endif

#endif
