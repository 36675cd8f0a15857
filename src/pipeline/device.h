// Where stages and networks run, if not on the processor: a GPU with its kernels, tested and ready.

#ifndef KSR_PIPELINE_DEVICE_H
#define KSR_PIPELINE_DEVICE_H

#include "core/log.h"
#include "core/pool.h"
#include "pipeline/pipeline.h"

// Thread-safety: one thread at a time; pipelines that were made with it are used by that thread
// too.
typedef struct ksr_device ksr_device;

// --- Names: what --device may be (device_name.c) ---

// Checks a name: "cpu", "vulkan" (the first GPU that is no software device), "vulkan:N" (number N
// of ksr_device_list()) or NULL. onnx: the job runs a model in ONNX Runtime, so any other name
// passes, too, which ONNX Runtime's side looks at. Returns KSR_OK, KSR_E_PARAM (logged).
KSR_MUST_USE ksr_status ksr_device_check(ksr_context *ctx, const char *name, bool onnx);

// Returns whether a name is one of a GPU, "vulkan" or "vulkan:N", or is meant as such.
bool ksr_device_is_gpu(const char *name);

// Returns whether it is one; *index: N, -1 for the first.
bool ksr_device_index(const char *name, int *index);

// Returns what ONNX Runtime is asked for: the name, NULL where it is one of a GPU of ours.
const char *ksr_device_provider(const char *name);

// --- GPUs ---

// Opens a GPU by a name that has passed the check. Every kernel is compared with plain C on small
// frames. *out: close with ksr_device_close(); NULL: it is not there or fails the test, which a
// warning says, and the processor stands in for it.
void ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out);

#define KSR_DEVICE_TEXT 256
#define KSR_DEVICE_MOST 16

// What a GPU is.
struct ksr_device_info {
    char name[16]; // as ksr_device_open() takes it
    char gpu[KSR_DEVICE_TEXT], driver[KSR_DEVICE_TEXT];
    uint64_t memory;               // bytes
    bool software;                 // it is none, and only used by its number
    char trouble[KSR_DEVICE_TEXT]; // why it cannot be used; empty: it has passed the test
};

// Lists all GPUs, and tests those that can be used. Returns how many; if 0, `reason` says why.
int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT]);

// Closes it, sets it to NULL; accepts NULL and a pointer to NULL. Its pipelines must be gone.
void ksr_device_close(ksr_device **device);

// Returns its name and driver, such as "NVIDIA H100 80GB HBM3 (NVIDIA 580.65)"; "cpu" for NULL.
// Valid as long as it is.
const char *ksr_device_name(const ksr_device *device);

// Returns an executor that has up to three frames under way on a GPU. What the GPU fails at is made
// by the processor, with a warning. Returns NULL where the device cannot do this recipe, or lacks
// memory for it (which it warns of), or is not usable any more.
ksr_pipeline *ksr_pipeline_create_device(ksr_context *ctx, ksr_device *device,
                                         const struct ksr_recipe *recipe, ksr_pool *pool);

#endif
