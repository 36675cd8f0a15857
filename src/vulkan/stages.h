// The kernels of the stages, on whole planes: each records what the row function of its name in
// stages/dispatch.h computes, to the bit.

#ifndef KSR_VULKAN_STAGES_H
#define KSR_VULKAN_STAGES_H

#include "stages/dispatch.h"
#include "vulkan/kernel.h"
#include "vulkan/shaders/params.h"

enum ksr_gpu_stage {
    KSR_GPU_NORMALIZE,
    KSR_GPU_STAGES,
};

struct ksr_gpu_stages {
    struct ksr_gpu_kernel kernel[KSR_GPU_STAGES];
};

// Makes all kernels; free with ksr_gpu_stages_free(). Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS
// with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_stages_create(struct ksr_gpu *gpu, struct ksr_gpu_stages *out);
void ksr_gpu_stages_free(struct ksr_gpu *gpu, struct ksr_gpu_stages *stages);

// Each fills all of dst.
void ksr_gpu_record_normalize(struct ksr_gpu_commands *commands,
                              const struct ksr_gpu_stages *stages, const struct ksr_gpu_plane *dst,
                              const struct ksr_gpu_plane *src,
                              const struct ksr_normalize_params *params);

#endif
