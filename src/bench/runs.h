// All stages together, as a run has them, from bytes to bytes: on the processor here, on GPUs in
// gpus.c.

#ifndef KSR_BENCH_RUNS_H
#define KSR_BENCH_RUNS_H

#include <jansson.h>

#include "config/config.h"
#include "core/log.h"
#include "frame/dispatch.h"
#include "pipeline/pipeline.h"
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

// Returns the default configuration, with a number where the default is to measure a source; or
// one with every stage on.
struct ksr_pipeline_config ksr_bench_config(bool all);

// Returns whether the picture is large enough to have been enlarged from two thirds of its size.
bool ksr_bench_can_descale(const struct ksr_bench_state *b);

// What is done to frames.
struct ksr_bench_case {
    const char *name;
    struct ksr_pipeline_config config;
    ksr_engine engine;
    double multiplications; // of a network in a frame
};

// Frames that go through a pipeline.
struct ksr_bench_run {
    struct ksr_bench_state *b;
    ksr_pipeline *pipeline;
    ksr_pool *pool;
    int64_t frame;
    int64_t made;                 // frames pulled since frame 0
    ksr_status status;            // of the last frame
    struct ksr_raw_frame in, out; // b->codes_in, b->codes_out
    size_t out_bytes;
    bool rows; // codes are not described, so that the processor unpacks and packs them
};

// device: NULL = the processor. Returns what ksr_pipeline_create() returns; close it in any case.
KSR_MUST_USE ksr_status ksr_bench_open_run(struct ksr_bench_run *r, struct ksr_bench_state *b,
                                           const struct ksr_bench_case *c, int threads,
                                           struct ksr_device *device);
void ksr_bench_close_run(struct ksr_bench_run *r);

// Pushes a frame, and pulls one as soon as enough are under way. arg: a struct ksr_bench_run.
void ksr_bench_run_frame(void *arg);

// Makes the first frames anew; returns a hash of the last one, which does not depend on what was
// measured. r->status is KSR_OK, and stays so unless a frame fails.
uint64_t ksr_bench_run_result(struct ksr_bench_run *r);

// Returns what all runs have in common. seconds: of a frame.
json_t *ksr_bench_entry(struct ksr_bench_state *b, const struct ksr_bench_case *c, int threads,
                        double seconds);

// Adds "runs" and "gpus" to b->root. Returns KSR_OK, KSR_E_PARAM, KSR_E_MODEL, KSR_E_NOMEM,
// KSR_E_PROCESS, KSR_E_CANCELLED (logged).
KSR_MUST_USE ksr_status ksr_bench_runs(struct ksr_bench_state *b);

#endif
