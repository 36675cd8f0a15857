// Measures the speed of this machine: each stage, all stages together, the networks, on the
// processor and on GPUs, and the peak rates of memory, bus and arithmetic. Reads no files except
// the bundled models, and writes none.

#ifndef KIZUNASR_BENCH_H
#define KIZUNASR_BENCH_H

#include "kizunasr/context.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ksr_bench_options { // all zero = defaults
    int width, height;     // of the input frame in pixels, 16 .. 16384; 0 = 1920x1080
    int threads;           // maximum number of threads, 1 .. 64; 0 = one per processor
    double seconds;        // time for each figure, 0.01 .. 60; 0 = 1
    const char *device;    // GPUs that are measured too, as in struct ksr_run_options; "cpu" = none
};

// Runs all measurements; takes one to three minutes with the defaults.
// options: NULL = defaults; read only during the call.
// *json: an indented JSON object, owned by the caller, free with ksr_free(); NULL on failure.
// docs/manual.md has its members. Times are the median of the repetitions that fit into `seconds`,
// at least three.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_MODEL (a bundled model cannot be read), KSR_E_NOMEM,
// KSR_E_PROCESS (a GPU that was named cannot be used, or gives another result than the processor),
// KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_bench(ksr_context *ctx, const struct ksr_bench_options *options,
                                          char **json);

#ifdef __cplusplus
}
#endif

#endif
