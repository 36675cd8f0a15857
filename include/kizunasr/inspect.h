// Examines files: what a file contains (probe), and if an output matches its input (verify); lists
// models and devices.
//
// Thread-safety: calls with different contexts are independent. ctx may be NULL in all functions.

#ifndef KIZUNASR_INSPECT_H
#define KIZUNASR_INSPECT_H

#include "kizunasr/config.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Reads the whole file once and describes it: container, streams, exact frame count, timing and
// colour.
// *json: an indented JSON object, owned by the caller, free with ksr_free(); NULL on failure.
// docs/manual.md has its members.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOT_FOUND, KSR_E_INPUT (unreadable or without video),
// KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_probe(ksr_context *ctx, const char *path, char **json);

// The same, and what frames all over the video show: the size at which it was drawn before it was
// enlarged, and by which kernel, whether it has blocks, halos and dot crawl, and which kind of
// source it is, in the member "picture".
KSR_API KSR_MUST_USE ksr_status ksr_probe_picture(ksr_context *ctx, const char *path, char **json);

// Tells which kind of source a file is, by its codec, its size, and coding noise in frames all over
// it: what ksr_config_source() takes. Logs it with the reason. video: as in struct
// ksr_processor_config. *name: a static string. Returns what ksr_probe() does.
KSR_API KSR_MUST_USE ksr_status ksr_source_find(ksr_context *ctx, const char *path, int video,
                                                const char **name);

// The settings of the run that made an output, as far as they matter for the comparison. All zero =
// unknown except for what the output's work folder says, if it was kept. Strings are borrowed
// during the call; each may be NULL.
struct ksr_verify_options {
    const char *provenance; // the run's provenance record (a file); then leave the rest unset
    const char *start;      // the output is a range of the input, as in struct ksr_processor_config
    const char *duration;
    ksr_deinterlace deinterlace; // if unset, twice the frames are detected as KSR_DEINTERLACE_FIELD
    ksr_inverse_telecine inverse_telecine; // if unset, four fifths of the frames are detected as
                                           // KSR_TELECINE_FILM
    bool frames;                           // include the measures of every frame in the JSON
    bool rotated;                          // made with rotate = "apply"
    bool no_grain;                         // made with film_grain = "off"
    const char *crop;                      // made with this crop
    int video; // made with these tracks, as in struct ksr_processor_config
    const char *audio, *subs;
    const char *sub; // made with these subtitle files; with `provenance`, where its files are
};

// Compares a finished output with its input: frame count, every timestamp, all streams, every
// copied packet, the audio of re-encoded tracks (to a fraction of a millisecond), chapters; decodes
// every frame of both and compares them: similarity, order, position, colours, banding and ringing.
// options: NULL = all zero.
// *json: an indented JSON object with "passed", "checks" [{"name", "passed", "detail"}] and
// "picture" (docs/manual.md), owned by the caller, free with ksr_free(); also set if the
// verification fails, NULL on other failures.
// Returns KSR_OK (all checks passed), KSR_E_VERIFY (some did not), KSR_E_PARAM (options that
// contradict each other or the input), KSR_E_NOT_FOUND, KSR_E_INPUT (one of the files is
// unreadable or without video), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_verify(ksr_context *ctx, const char *input_path,
                                           const char *output_path,
                                           const struct ksr_verify_options *options, char **json);

// Lists the bundled models, or describes the given ones: engine, scale, input and output. An .onnx
// file is run with ONNX Runtime for this.
// names: `count` names or paths; NULL and 0 = all bundled models.
// onnxruntime: path of the runtime; NULL = searched for.
// *json: an indented JSON object with "folder" and "models", owned by the caller, free with
// ksr_free(); NULL on failure. docs/manual.md has its members.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_MODEL (one cannot be used), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_models(ksr_context *ctx, const char *const *names, size_t count,
                                           const char *onnxruntime, char **json);

// Measures how many frames per second the bundled networks make of 1920x1080 on this machine,
// without decoding and encoding, in about a second: on the processor, and on the GPU that a run
// would use. device: as in struct ksr_run_options; NULL = "auto". *json: an indented JSON object
// with "networks", and "choice", what ai_model_path "auto" would choose; owned by the caller, free
// with ksr_free(); NULL on failure. docs/manual.md has its members. Returns KSR_OK, KSR_E_PARAM,
// KSR_E_MODEL (one cannot be used), KSR_E_PROCESS, KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_model_speeds(ksr_context *ctx, const char *device, char **json);

// Lists the devices that can run the stages and models on this machine: the processor, and those of
// ONNX Runtime if it is found.
// onnxruntime: path of the runtime; NULL = searched for.
// *json: an indented JSON object with "devices" and "onnxruntime", owned by the caller, free with
// ksr_free(); NULL on failure. docs/manual.md has its members.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_devices(ksr_context *ctx, const char *onnxruntime, char **json);

#ifdef __cplusplus
}
#endif

#endif
