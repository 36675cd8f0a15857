// The kernels of the stages; see stages.h.

#include "vulkan/stages.h"

#include <string.h>

// In the order of enum ksr_gpu_stage. A row of a workgroup is 64 bytes of samples.
static const struct ksr_gpu_kernel_info kernels[KSR_GPU_STAGES] = {
    {"normalize", 32, 8, sizeof(struct ksr_gpu_normalize), NULL, 0, 0},
};

ksr_status ksr_gpu_stages_create(struct ksr_gpu *gpu, struct ksr_gpu_stages *out)
{
    ksr_status status = KSR_OK;
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < KSR_GPU_STAGES && status == KSR_OK; i++)
        status = ksr_gpu_kernel_create(gpu, &out->kernel[i], &kernels[i]);
    if (status != KSR_OK)
        ksr_gpu_stages_free(gpu, out);
    return status;
}

void ksr_gpu_stages_free(struct ksr_gpu *gpu, struct ksr_gpu_stages *stages)
{
    for (int i = 0; i < KSR_GPU_STAGES; i++)
        ksr_gpu_kernel_free(gpu, &stages->kernel[i]);
}

void ksr_gpu_record_normalize(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                              const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                              const struct ksr_normalize_params *params)
{
    const struct ksr_gpu_normalize p = {*dst, *src, params->limit};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_NORMALIZE], &p, dst->width, dst->height, 1);
}
