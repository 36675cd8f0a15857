// What stands for device.c and vulkan.c where Vulkan is not built in; see device.h.

#include <stdio.h>

#include "pipeline/device.h"

int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    (void)list;
    snprintf(reason, KSR_DEVICE_TEXT, "this program was built without Vulkan");
    return 0;
}

bool ksr_device_may_exist(void)
{
    return false;
}

int ksr_device_rank(int order[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    (void)order;
    return ksr_device_list(NULL, reason);
}

ksr_device *ksr_device_open(int index, char reason[KSR_DEVICE_TEXT])
{
    (void)index;
    ksr_device_list(NULL, reason);
    return NULL;
}

bool ksr_device_has_failed(const ksr_device *device)
{
    (void)device;
    return false;
}

void ksr_device_close(ksr_device **device)
{
    (void)device;
}

const char *ksr_device_id(const ksr_device *device)
{
    (void)device;
    return "cpu";
}

const char *ksr_device_name(const ksr_device *device)
{
    (void)device;
    return "cpu";
}

ksr_status ksr_device_measure(ksr_context *ctx, ksr_device *device, double seconds,
                              struct ksr_device_peaks *out)
{
    (void)ctx;
    (void)device;
    (void)seconds;
    (void)out;
    return KSR_E_PROCESS;
}

ksr_status ksr_device_measure_ways(ksr_context *ctx, ksr_device *device, const ksr_net *net,
                                   int width, int height, double seconds,
                                   struct ksr_device_way out[KSR_DEVICE_WAYS], int *count)
{
    (void)ctx;
    (void)device;
    (void)net;
    (void)width;
    (void)height;
    (void)seconds;
    (void)out;
    *count = 0;
    return KSR_E_PROCESS;
}

void ksr_device_take_times(ksr_device *device, struct ksr_device_times *out)
{
    (void)device;
    *out = (struct ksr_device_times){0};
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
