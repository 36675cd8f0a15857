// Opening devices; see devices.h.

#include "job/devices.h"

static void say_unused(ksr_context *ctx, ksr_log_level level, int index, const char *reason)
{
    if (index == KSR_DEVICE_FASTEST)
        ksr_log(ctx, level, "device: vulkan is not used: %s", reason);
    else
        ksr_log(ctx, level, "device: vulkan:%d is not used: %s", index, reason);
}

// Returns whether it can be used.
static bool add_gpu(struct ksr_devices *d, int index, char reason[KSR_DEVICE_TEXT])
{
    ksr_device *device = ksr_device_open(index, reason);
    if (!device)
        return false;
    d->gpu[d->gpus] = index;
    d->open[d->gpus++] = device;
    return true;
}

// The fastest GPU that can be used. That there is none is usual, and worth no warning.
static void find_gpu(ksr_context *ctx, struct ksr_devices *d)
{
    int order[KSR_DEVICE_MOST];
    char reason[KSR_DEVICE_TEXT] = "no GPU is found";
    const int count = ksr_device_may_exist() ? ksr_device_rank(order, reason) : 0;
    for (int i = 0; i < count && d->gpus == 0; i++)
        if (!add_gpu(d, order[i], reason))
            say_unused(ctx, KSR_LOG_INFO, order[i], reason);
    if (count == 0)
        ksr_log(ctx, KSR_LOG_DEBUG, "device: the processor runs the stages: %s", reason);
}

// Those that were named. The processor stands in where none of them can be used.
static void open_gpus(ksr_context *ctx, struct ksr_devices *d,
                      const struct ksr_device_choice *choice)
{
    char reason[KSR_DEVICE_TEXT];
    for (int i = 0; i < choice->gpus; i++)
        if (!add_gpu(d, choice->gpu[i], reason) && choice->gpus > 1)
            say_unused(ctx, KSR_LOG_WARNING, choice->gpu[i], reason);
    if (d->gpus == 0 && choice->gpus > 0)
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s", reason);
}

static void open_all(ksr_context *ctx, struct ksr_devices *d, struct ksr_device_choice *choice)
{
    char reason[KSR_DEVICE_TEXT];
    choice->gpus = ksr_device_rank(choice->gpu, reason);
    if (choice->gpus == 0)
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s", reason);
    open_gpus(ctx, d, choice);
}

static void say_devices(ksr_context *ctx, const struct ksr_devices *d)
{
    for (int i = 0; i < d->gpus; i++)
        ksr_log(ctx, KSR_LOG_INFO, "stages run on %s", ksr_device_name(d->open[i]));
    if (d->gpus > 0 && d->cpu)
        ksr_log(ctx, KSR_LOG_INFO, "stages run on the processor, too");
}

ksr_status ksr_devices_open(ksr_context *ctx, const char *names, bool onnx, struct ksr_devices *out)
{
    struct ksr_device_choice choice;
    const ksr_status status = ksr_device_choose(ctx, names, onnx, &choice);
    *out = (struct ksr_devices){0};
    if (status != KSR_OK)
        return status;
    // With a model in ONNX Runtime, which no GPU of ours runs, only those named are opened.
    if (choice.all && !onnx)
        open_all(ctx, out, &choice);
    else if (choice.automatic && !onnx)
        find_gpu(ctx, out);
    else
        open_gpus(ctx, out, &choice);
    out->cpu = choice.cpu || out->gpus == 0;
    say_devices(ctx, out);
    return KSR_OK;
}

void ksr_devices_close(struct ksr_devices *devices)
{
    for (int i = 0; i < devices->gpus; i++)
        ksr_device_close(&devices->open[i]);
    *devices = (struct ksr_devices){0};
}
