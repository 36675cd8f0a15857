// All stages together, as a run has them, on the processor and on GPUs.

#ifndef KSR_BENCH_RUNS_H
#define KSR_BENCH_RUNS_H

#include <jansson.h>

#include "config/config.h"
#include "core/log.h"
#include "frame/dispatch.h"
#include "stages/dispatch.h"

// What is measured with, and what comes of it.
struct ksr_bench_state {
    ksr_context *ctx;
    int width, height, threads;
    double seconds;
    const char *device; // as ksr_device_choose() takes it
    struct ksr_stage_table stages;
    const struct ksr_frame_table *frames;
    struct ksr_frame small, big, before, memory[2]; // big and the rest: twice the size
    uint8_t *codes_in, *codes_out;                  // 8 bits a sample, planes one after the other
    json_t *root;
    bool lost; // parts of it: out of memory
};

// Returns the median time of a call in seconds; NAN when the run is cancelled.
double ksr_bench_measure(const struct ksr_bench_state *b, void (*call)(void *arg), void *arg);

// Returns the default configuration, with a number where the default is to measure a source.
struct ksr_pipeline_config ksr_bench_config(void);

// Adds "runs" and "gpus" to b->root. Returns KSR_OK, KSR_E_PARAM, KSR_E_MODEL, KSR_E_NOMEM,
// KSR_E_PROCESS, KSR_E_CANCELLED (logged).
KSR_MUST_USE ksr_status ksr_bench_runs(struct ksr_bench_state *b);

#endif
