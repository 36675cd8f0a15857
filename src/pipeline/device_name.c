// What --device may be; see device.h. The same with and without Vulkan.

#include <stdlib.h>
#include <string.h>

#include "pipeline/device.h"

// Reads "cpu", "vulkan" and "vulkan:N". *index: N, -1 without. Returns false for all else.
static bool parse(const char *name, bool *gpu, int *index)
{
    *gpu = ksr_device_is_gpu(name);
    *index = -1;
    if (!*gpu)
        return strcmp(name, "cpu") == 0;
    if (name[6] == 0)
        return true;
    char *end;
    const long number = strtol(name + 7, &end, 10);
    *index = (int)number;
    return name[6] == ':' && name[7] >= '0' && name[7] <= '9' && *end == 0 &&
           number < KSR_DEVICE_MOST;
}

bool ksr_device_is_gpu(const char *name)
{
    return name && strncmp(name, "vulkan", 6) == 0;
}

const char *ksr_device_provider(const char *name)
{
    return ksr_device_is_gpu(name) ? NULL : name;
}

bool ksr_device_index(const char *name, int *index)
{
    bool gpu;
    return parse(name, &gpu, index) && gpu;
}

ksr_status ksr_device_check(ksr_context *ctx, const char *name, bool onnx)
{
    bool gpu;
    int index;
    if (!name || parse(name, &gpu, &index))
        return KSR_OK;
    if (!gpu && onnx)
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not built in (cpu, vulkan, vulkan:N)", name);
}
