// What stands for device.c and vulkan.c where Vulkan is not built in; see device.h.

#include <stdio.h>

#include "pipeline/device.h"

int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    (void)list;
    snprintf(reason, KSR_DEVICE_TEXT, "this program was built without Vulkan");
    return 0;
}

void ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out)
{
    (void)name;
    *out = NULL;
    ksr_log(ctx, KSR_LOG_WARNING,
            "device: the processor runs the stages: this program was built without Vulkan");
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
