// Opening a GPU; see device.h. Where Vulkan is not built in, no_device.c is in place of this.

#include "pipeline/device.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/device_parts.h"
#include "vulkan/selftest.h"

// Reads "cpu", "vulkan" and "vulkan:N". Returns false for all else.
static bool parse_name(const char *name, bool *gpu, int *index)
{
    *gpu = strncmp(name, "vulkan", 6) == 0;
    *index = KSR_GPU_FIRST;
    if (!*gpu)
        return strcmp(name, "cpu") == 0;
    if (name[6] == 0)
        return true;
    char *end;
    const long number = strtol(name + 7, &end, 10);
    *index = (int)number;
    return name[6] == ':' && name[7] >= '0' && name[7] <= '9' && *end == 0 && number < KSR_GPU_MOST;
}

ksr_status ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out)
{
    char reason[KSR_GPU_REASON];
    bool gpu;
    int index;
    *out = NULL;
    if (!parse_name(name, &gpu, &index))
        return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not cpu, vulkan or vulkan:N", name);
    if (!gpu)
        return KSR_OK;
    ksr_device *device = calloc(1, sizeof(*device));
    if (!device)
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_gpu_open(&device->gpu, index, reason);
    if (status == KSR_OK) {
        status = ksr_gpu_stages_create(device->gpu, &device->stages);
        if (status == KSR_OK)
            status = ksr_gpu_selftest(device->gpu, &device->stages);
        memcpy(reason, device->gpu->trouble, sizeof(reason));
    }
    if (status != KSR_OK) {
        ksr_log(ctx, KSR_LOG_WARNING, "no GPU is used: %s", reason);
        ksr_device_close(&device);
    }
    *out = device;
    return KSR_OK;
}

void ksr_device_close(ksr_device **device)
{
    if (!device || !*device)
        return;
    if ((*device)->gpu)
        ksr_gpu_stages_free((*device)->gpu, &(*device)->stages);
    ksr_gpu_close(&(*device)->gpu);
    free(*device);
    *device = NULL;
}

const char *ksr_device_name(const ksr_device *device)
{
    return device ? device->gpu->info.name : "cpu";
}
