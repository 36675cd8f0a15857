// How fast this machine is: the stages one by one, all together, the networks, and the ceilings of
// memory and arithmetic that they stand under. Reads and writes no files but the bundled models.

#ifndef KIZUNASR_BENCH_H
#define KIZUNASR_BENCH_H

#include "kizunasr/context.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ksr_bench_options { // all zero = defaults
    int width, height;     // of the input picture, 16 .. 16384; 0 = 1920x1080
    int threads;           // most threads, 1 .. 64; 0 = one per processor
    double seconds;        // for each figure, 0.01 .. 60; 0 = 1
};

// Measures. options: NULL = defaults.
// *json: an indented JSON object, owned by the caller, free with ksr_free(); docs/manual.md has its
// members. Times are the median of the repetitions that fit into `seconds`, at least three.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_MODEL (a bundled model cannot be read), KSR_E_NOMEM,
// KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_bench(ksr_context *ctx, const struct ksr_bench_options *options,
                                          char **json);

#ifdef __cplusplus
}
#endif

#endif
