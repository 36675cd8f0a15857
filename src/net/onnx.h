// One .onnx model in ONNX Runtime: what it takes and gives, found out by looking and by trying.
//
// The runtime reads the file; nothing of its format is read here. What the runtime tells is
// checked, and short runs on small pictures find the rest: the scale, what sizes must be multiples
// of, and which value is white.

#ifndef KSR_NET_ONNX_H
#define KSR_NET_ONNX_H

#include "core/hash.h"
#include "net/ort.h"

#define KSR_ONNX_TEXT 48

struct ksr_onnx_params {
    const char *path;
    const char *name;    // for messages
    const char *library; // of the runtime; NULL = looked for
    const char *device;  // "cpu", "cuda", ... or a provider's name; NULL = cpu
    bool only;           // that device or none: no falling back to the CPU
    int threads;         // inside the model, 1..64
    int white;           // value of white: 1 or 255; 0 = found out
};

// Thread-safety: one thread at a time per object.
typedef struct ksr_onnx {
    ksr_ort *ort;
    OrtSession *session;
    OrtMemoryInfo *memory;
    char *input, *output;   // names
    bool half_in, half_out; // float16
    uint16_t *half[2];      // such numbers, on the way in and out
    size_t half_room[2];
    int channels;             // 1 or 3: [1, channels, height, width], and as many come out
    int width, height;        // the only size it takes; 0 = any
    int multiple;             // of sizes; 1 where the size is fixed
    int scale;                // 1 .. 4
    int white;                // 1 or 255
    int wanted_white;         // as asked for; 0 = found out
    char hash[KSR_HASH_TEXT]; // of the file
    const struct ksr_ort_device *device; // that runs it
    ksr_context *home; // keeps it after closing, for the next one of that key; NULL = nobody does
    char *key;         // the file's content and all that it was opened with
} ksr_onnx;

// *out: free with ksr_onnx_close(), while ctx is there: it keeps what was opened without a warning,
// so that the next film, or the worker after the check, need not load the model again. Returns
// KSR_OK, KSR_E_MODEL (logged), KSR_E_PARAM (an unknown device; logged), KSR_E_NOMEM.
ksr_status ksr_onnx_open(ksr_context *ctx, const struct ksr_onnx_params *params, ksr_onnx **out);
void ksr_onnx_close(ksr_onnx **onnx);

enum ksr_onnx_result {
    KSR_ONNX_DONE,
    KSR_ONNX_NO_MEMORY,
    KSR_ONNX_FAILED,
};

// Runs the model on a picture: in [channels][height][width], out the same at `scale` times the
// size; nothing else is written to. message: why not, where it fails.
enum ksr_onnx_result ksr_onnx_run(ksr_onnx *onnx, const float *in, int width, int height,
                                  float *out, char *message, size_t size);

#endif
