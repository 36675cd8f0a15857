// Looking at files: what is in one (probe), and whether an output matches its input (verify).

#ifndef KIZUNASR_INSPECT_H
#define KIZUNASR_INSPECT_H

#include "kizunasr/context.h"

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

// Compares a finished output with its input: frame count, every timestamp, all streams, every
// copied packet; decodes every frame of the output.
// *json: an indented JSON object with "passed" and "checks" [{"name", "passed", "detail"}], owned
// by the caller, free with ksr_free(); also set when the verification fails.
// Returns KSR_OK (all checks passed), KSR_E_VERIFY (some did not), KSR_E_PARAM, KSR_E_INPUT (one
// of the files is missing, unreadable or without video), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_verify(ksr_context *ctx, const char *input_path,
                                           const char *output_path, char **json);

#ifdef __cplusplus
}
#endif

#endif
