// Where stages and networks run, if not on the processor: a GPU with its kernels, tested and ready.

#ifndef KSR_PIPELINE_DEVICE_H
#define KSR_PIPELINE_DEVICE_H

#include "core/log.h"
#include "core/pool.h"
#include "pipeline/pipeline.h"

// Thread-safety: one thread at a time; pipelines that were made with it are used by that thread
// too.
typedef struct ksr_device ksr_device;

// Opens what a name stands for: "cpu" (which gives NULL), "vulkan" (the first GPU that is no
// software device) or "vulkan:N" (number N of ksr_gpu_list()). Every kernel is compared with plain
// C on small frames. A GPU that is not there or fails the test is not used, with a warning that
// says why. *out: close with ksr_device_close(); NULL: the processor. Returns KSR_OK, KSR_E_PARAM
// (logged).
KSR_MUST_USE ksr_status ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out);

// Closes it, sets it to NULL; accepts NULL and a pointer to NULL. Its pipelines must be gone.
void ksr_device_close(ksr_device **device);

// Returns its name, such as "NVIDIA H100 80GB HBM3"; "cpu" for NULL.
const char *ksr_device_name(const ksr_device *device);

// Returns an executor that has up to three frames under way on a GPU. What the GPU fails at is made
// by the processor, with a warning. Returns NULL where the device cannot do this recipe, or lacks
// memory for it (which it warns of), or is not usable any more.
ksr_pipeline *ksr_pipeline_create_device(ksr_context *ctx, ksr_device *device,
                                         const struct ksr_recipe *recipe, ksr_pool *pool);

#endif
