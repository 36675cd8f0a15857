// Opening a GPU; see device.h. Where Vulkan is not built in, no_device.c is in place of this.

#include "pipeline/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/device_parts.h"
#include "vulkan/selftest.h"
#include "vulkan/tested.h"

_Static_assert(KSR_DEVICE_TEXT == KSR_GPU_REASON && KSR_DEVICE_MOST == KSR_GPU_MOST &&
                   KSR_GPU_FASTEST == KSR_DEVICE_FASTEST,
               "texts and numbers are copied");

bool ksr_device_may_exist(void)
{
    return ksr_gpu_may_exist();
}

int ksr_device_rank(int order[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    struct ksr_gpu_info gpus[KSR_GPU_MOST];
    const int count = ksr_gpu_list(gpus, reason);
    return count > 0 ? ksr_gpu_rank(gpus, count, order, reason) : 0;
}

ksr_device *ksr_device_open(int index, char reason[KSR_DEVICE_TEXT])
{
    ksr_device *device = calloc(1, sizeof(*device));
    if (!device) {
        snprintf(reason, KSR_GPU_REASON, "out of memory");
        return NULL;
    }
    ksr_status status = ksr_gpu_open(&device->gpu, index, reason);
    if (status == KSR_OK) {
        device->gpu->keeps_results = true;
        status = ksr_gpu_stages_create(device->gpu, &device->stages);
        if (status == KSR_OK)
            status = ksr_gpu_selftest(device->gpu, &device->stages);
        memcpy(reason, device->gpu->trouble, KSR_GPU_REASON);
        snprintf(device->name, sizeof(device->name), "%s (%s)", device->gpu->info.name,
                 device->gpu->info.driver);
        snprintf(device->id, sizeof(device->id), "vulkan:%d", device->gpu->index);
    }
    if (status != KSR_OK)
        ksr_device_close(&device);
    return device;
}

int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT])
{
    struct ksr_gpu_info gpus[KSR_GPU_MOST];
    const int count = ksr_gpu_list(gpus, reason);
    ksr_gpu_forget_results();
    for (int i = 0; i < count; i++) {
        struct ksr_device_info *d = &list[i];
        *d = (struct ksr_device_info){.memory = gpus[i].memory, .software = gpus[i].software};
        snprintf(d->name, sizeof(d->name), "vulkan:%d", i);
        memcpy(d->gpu, gpus[i].name, sizeof(d->gpu));
        memcpy(d->driver, gpus[i].driver, sizeof(d->driver));
        memcpy(d->trouble, gpus[i].refused, sizeof(d->trouble));
        ksr_device *device = d->trouble[0] ? NULL : ksr_device_open(i, d->trouble);
        if (device)
            d->trouble[0] = 0;
        ksr_device_close(&device);
    }
    return count;
}

bool ksr_device_has_failed(const ksr_device *device)
{
    return device && device->failed;
}

void ksr_device_close(ksr_device **device)
{
    if (!device || !*device)
        return;
    if ((*device)->gpu) {
        ksr_device_free_nets(*device);
        ksr_gpu_stages_free((*device)->gpu, &(*device)->stages);
    }
    ksr_gpu_close(&(*device)->gpu);
    free(*device);
    *device = NULL;
}

const char *ksr_device_id(const ksr_device *device)
{
    return device ? device->id : "cpu";
}

const char *ksr_device_name(const ksr_device *device)
{
    return device ? device->name : "cpu";
}

static void free_net(ksr_device *device, struct ksr_device_network *kept)
{
    kept->hash[0] = 0;
    ksr_gpu_net_free(device->gpu, &kept->net);
}

void ksr_device_free_nets(ksr_device *device)
{
    for (int i = 0; i < KSR_DEVICE_USES; i++)
        free_net(device, &device->network[i]);
}

ksr_status ksr_device_net(ksr_context *ctx, ksr_device *device, enum ksr_device_use use,
                          const ksr_net *net, const struct ksr_gpu_net **out)
{
    char refused[KSR_GPU_REASON];
    struct ksr_device_network *kept = &device->network[use];
    *out = &kept->net;
    if (kept->hash[0] && strcmp(kept->hash, net->hash) == 0 && kept->variant == net->variant)
        return KSR_OK;
    free_net(device, kept);
    const ksr_status status = ksr_gpu_net_choose(device->gpu, &kept->net, net, refused);
    if (status != KSR_OK)
        return status;
    if (refused[0])
        ksr_log(ctx, KSR_LOG_WARNING, "device: %s: a slower way is taken: %s",
                device->gpu->info.name, refused);
    memcpy(kept->hash, net->hash, sizeof(kept->hash));
    kept->variant = net->variant;
    return KSR_OK;
}

void ksr_device_add_kernel(ksr_device *device, const char *name, double seconds)
{
    struct ksr_device_times *times = &device->times;
    int i = 0;
    while (i < times->kernels && times->kernel[i].name != name)
        i++;
    if (i == KSR_DEVICE_KERNELS)
        return;
    if (i == times->kernels)
        times->kernel[times->kernels++] = (struct ksr_device_kernel){name, 0};
    times->kernel[i].seconds += seconds;
}

void ksr_device_take_times(ksr_device *device, struct ksr_device_times *out)
{
    *out = device->times;
    device->times = (struct ksr_device_times){0};
}
