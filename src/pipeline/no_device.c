// What stands for device.c and vulkan.c where Vulkan is not built in; see device.h.

#include <string.h>

#include "pipeline/device.h"

ksr_status ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out)
{
    *out = NULL;
    if (strncmp(name, "vulkan", 6) == 0)
        ksr_log(ctx, KSR_LOG_WARNING, "no GPU is used: this program was built without Vulkan");
    else if (strcmp(name, "cpu") != 0)
        return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not cpu, vulkan or vulkan:N", name);
    return KSR_OK;
}

void ksr_device_close(ksr_device **device)
{
    (void)device;
}

const char *ksr_device_name(const ksr_device *device)
{
    (void)device;
    return "cpu";
}

ksr_pipeline *ksr_pipeline_create_device(ksr_context *ctx, ksr_device *device,
                                         const struct ksr_recipe *recipe, ksr_pool *pool)
{
    (void)ctx;
    (void)device;
    (void)recipe;
    (void)pool;
    return NULL;
}
