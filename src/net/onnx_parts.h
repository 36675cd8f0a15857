// What the files of one .onnx model (onnx.h) share: onnx.c opens and closes it, onnx_inspect.c
// finds out what it takes and gives, onnx_run.c runs it.

#ifndef KSR_NET_ONNX_PARTS_H
#define KSR_NET_ONNX_PARTS_H

#include "net/onnx.h"

#define KSR_ONNX_MESSAGE 512 // room for each `message` below

// Says that a model cannot be used, and returns KSR_E_MODEL.
ksr_status ksr_onnx_unusable(ksr_context *ctx, const char *name, const char *why);

// Takes what the runtime tells of the first input and output, once there is a session. Returns
// KSR_OK, KSR_E_MODEL (logged).
ksr_status ksr_onnx_look(ksr_context *ctx, ksr_onnx *onnx, const char *name);

// Finds channels, multiple, scale and white by running it on small pictures. white: 0 = found out.
// Returns KSR_OK, KSR_E_MODEL (logged).
ksr_status ksr_onnx_try(ksr_context *ctx, ksr_onnx *onnx, const char *name, int white);

// A picture for the model to read; `in` must stay. To be released. Returns NULL with a message.
OrtValue *ksr_onnx_input(ksr_onnx *onnx, const float *in, int width, int height, char *message);

// *result: NULL = the runtime makes it; else where it goes. Returns whether it ran; message: why
// not.
bool ksr_onnx_run_once(ksr_onnx *onnx, OrtValue *input, OrtValue **result, char *message);

#endif
