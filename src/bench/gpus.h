// GPUs beside the processor: their peak rates, and the same runs.

#ifndef KSR_BENCH_GPUS_H
#define KSR_BENCH_GPUS_H

#include "bench/runs.h"
#include "pipeline/device.h"

// A GPU, and what was measured of it.
struct ksr_bench_gpu {
    ksr_device *device;
    struct ksr_device_peaks peaks;
    json_t *runs; // of the result, borrowed
};

// Opens and measures the GPUs that are wanted, *count of them even after a failure, and adds "gpus"
// to b->root. Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM, KSR_E_PROCESS (logged).
KSR_MUST_USE ksr_status ksr_bench_open_gpus(struct ksr_bench_state *b,
                                            struct ksr_bench_gpu gpu[KSR_DEVICE_MOST], int *count);

// Measures a GPU, and adds an entry to its runs. result: a hash of the processor's frame. Returns
// KSR_OK, KSR_E_NOMEM, KSR_E_CANCELLED; KSR_E_PROCESS if the GPU makes another frame (logged).
KSR_MUST_USE ksr_status ksr_bench_gpu_run(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                                          struct ksr_bench_gpu *gpu, uint64_t result);

#endif
