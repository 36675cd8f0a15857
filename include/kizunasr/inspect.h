// Looking at files: what is in one (probe), and whether an output matches its input (verify).

#ifndef KIZUNASR_INSPECT_H
#define KIZUNASR_INSPECT_H

#include "kizunasr/config.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

// Reads the whole file once and describes it: container, streams, exact frame count, timing and
// colour.
// *json: an indented JSON object, owned by the caller, free with ksr_free(); see docs/manual.md
// for its members.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_INPUT (missing, unreadable or without video), KSR_E_NOMEM,
// KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_probe(ksr_context *ctx, const char *path, char **json);

// What the run that made an output was told, where it matters for comparing. All zero = nothing is
// known but what the output's work folder says, if it was kept. Strings are borrowed.
struct ksr_verify_options {
    const char *provenance; // the run's provenance record (a file); the members below must be unset
    const char *start;      // the output is a piece of the input, as in struct ksr_processor_config
    const char *duration;
    ksr_deinterlace deinterlace; // left out: KSR_DEINTERLACE_FIELD when twice the frames are there
    bool inverse_telecine;       // left out: looked at, when four fifths of the frames are there
    bool frames;                 // the JSON has the measures of every frame
    bool rotated;                // it was made with rotate = "apply"
    bool no_grain;               // and with film_grain = "off"
    const char *crop;            // and with this crop
    int video;                   // and with these tracks, as in struct ksr_processor_config
    const char *audio, *subs;
    const char *sub; // and with these files, likewise; also where those of the record are
};

// Compares a finished output with its input: frame count, every timestamp, all streams, every
// copied packet, the sound of tracks that were encoded anew (to a fraction of a millisecond),
// chapters; decodes every frame of both and compares the pictures: likeness, order, position,
// colours, banding and ringing.
// options: NULL = all zero.
// *json: an indented JSON object with "passed", "checks" [{"name", "passed", "detail"}] and
// "picture" (docs/manual.md), owned by the caller, free with ksr_free(); also set when the
// verification fails.
// Returns KSR_OK (all checks passed), KSR_E_VERIFY (some did not), KSR_E_PARAM (options that
// contradict each other or the input), KSR_E_INPUT (one of the files is missing, unreadable or
// without video), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_verify(ksr_context *ctx, const char *input_path,
                                           const char *output_path,
                                           const struct ksr_verify_options *options, char **json);

// Lists the bundled models, or describes the named ones: what runs them, how large they make a
// picture, what they take. An .onnx file is tried out for that with ONNX Runtime.
// names: `count` names or paths; 0 = all bundled ones, which are not opened. onnxruntime: path of
// the runtime; NULL = looked for. *json: an indented JSON object with "folder" and "models", owned
// by the caller, free with ksr_free(); see docs/manual.md for its members. Returns KSR_OK,
// KSR_E_PARAM, KSR_E_MODEL (one cannot be used), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_models(ksr_context *ctx, const char *const *names, size_t count,
                                           const char *onnxruntime, char **json);

// Lists what can run the stages and models here: the processor, and what ONNX Runtime offers where
// it is found. onnxruntime: path of the runtime; NULL = looked for.
// *json: an indented JSON object with "devices" and "onnxruntime", owned by the caller, free with
// ksr_free(); see docs/manual.md for its members.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_devices(ksr_context *ctx, const char *onnxruntime, char **json);

#ifdef __cplusplus
}
#endif

#endif
