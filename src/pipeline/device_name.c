// What --device may be; see device.h. The same with and without Vulkan.

#include <stdlib.h>
#include <string.h>

#include "pipeline/device.h"

static bool is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

// Reads one of the names with commas between.
static bool add_name(struct ksr_device_choice *choice, const char *name, size_t length)
{
    int index = KSR_DEVICE_FASTEST;
    if (is(name, length, "cpu")) {
        choice->cpu = true;
        return true;
    }
    if (length > 7 && memcmp(name, "vulkan:", 7) == 0) {
        index = 0;
        for (size_t i = 7; i < length && index < KSR_DEVICE_MOST; i++)
            index = name[i] >= '0' && name[i] <= '9' ? index * 10 + name[i] - '0' : KSR_DEVICE_MOST;
    } else if (!is(name, length, "vulkan")) {
        return false;
    }
    if (index >= KSR_DEVICE_MOST || choice->gpus == KSR_DEVICE_MOST)
        return false;
    choice->gpu[choice->gpus++] = index;
    return true;
}

static bool read_names(struct ksr_device_choice *choice, const char *names)
{
    *choice = (struct ksr_device_choice){0};
    choice->automatic = !names || strcmp(names, "auto") == 0;
    choice->all = choice->cpu = names && strcmp(names, "all") == 0;
    if (choice->automatic || choice->all)
        return true;
    for (;;) {
        const size_t length = strcspn(names, ",");
        if (!add_name(choice, names, length))
            return false;
        if (!names[length])
            return true;
        names += length + 1;
    }
}

const char *ksr_device_provider(const char *names)
{
    struct ksr_device_choice choice;
    const bool ours = read_names(&choice, names) && names && strcmp(names, "cpu") != 0;
    return ours ? NULL : names;
}

ksr_status ksr_device_choose(ksr_context *ctx, const char *names, bool onnx,
                             struct ksr_device_choice *out)
{
    if (read_names(out, names))
        return KSR_OK;
    *out = (struct ksr_device_choice){.cpu = true};
    if (onnx && strncmp(names, "vulkan", 6) != 0 && !strchr(names, ','))
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not one of auto, all, cpu, vulkan, vulkan:N",
                    names);
}
