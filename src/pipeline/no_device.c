// What stands for device.c and vulkan.c where Vulkan is not built in; see device.h.

#include <stdio.h>
#include <string.h>

#include "pipeline/device.h"

bool ksr_device_is_gpu(const char *name)
{
    return name && strncmp(name, "vulkan", 6) == 0;
}

ksr_status ksr_device_check(ksr_context *ctx, const char *name)
{
    return ksr_device_is_gpu(name) || strcmp(name, "cpu") == 0
               ? KSR_OK
               : ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not built in (cpu, vulkan, vulkan:N)",
                          name);
}

int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    (void)list;
    snprintf(reason, KSR_DEVICE_TEXT, "this program was built without Vulkan");
    return 0;
}

ksr_status ksr_device_open(ksr_context *ctx, const char *name, ksr_device **out)
{
    *out = NULL;
    if (ksr_device_is_gpu(name))
        ksr_log(ctx, KSR_LOG_WARNING,
                "device: the processor runs the stages: this program was built without Vulkan");
    return ksr_device_check(ctx, name);
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
