// A network on a GPU by every way that it can multiply, layer by layer; see device.h.

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/device_parts.h"
#include "pipeline/warm.h"

_Static_assert(KSR_DEVICE_WAYS == KSR_GPU_NET_TIERS, "a way is a tier");

enum { LEAST = 3 }; // times that a frame is made

// What all ways make the same frame of.
struct scene {
    ksr_device *device;
    struct ksr_gpu_commands commands;
    struct ksr_plane noise; // in the processor's memory
    struct ksr_gpu_buffer in, out, read;
    struct ksr_gpu_plane src, dst;
};

// Values none like another, as a video has them: the clock rates of a GPU depend on them.
static bool draw(struct ksr_plane *plane)
{
    uint32_t random = 1;
    plane->stride = ksr_plane_stride(plane->width);
    plane->data =
        ksr_aligned_calloc((size_t)plane->stride * (size_t)plane->height * sizeof(uint16_t));
    for (int y = 0; plane->data && y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            random = random * 1664525u + 1013904223u;
            plane->data[y * plane->stride + x] =
                (uint16_t)((x * 13 + y * 7) % 28000 + (int)(random >> 20));
        }
    return plane->data != NULL;
}

static ksr_status open_scene(struct scene *s)
{
    struct ksr_gpu *gpu = s->device->gpu;
    const int stride = (int)ksr_plane_stride(2 * s->noise.width);
    const size_t out = (size_t)stride * (size_t)(2 * s->noise.height) * sizeof(uint16_t);
    if (!draw(&s->noise))
        return ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "draw a frame");
    ksr_status status = ksr_gpu_commands_create(gpu, gpu->compute, &s->commands);
    if (status == KSR_OK)
        status =
            ksr_gpu_upload(gpu, &s->in, s->noise.data,
                           (size_t)s->noise.stride * (size_t)s->noise.height * sizeof(uint16_t));
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &s->out, KSR_GPU_LOCAL, out);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &s->read, KSR_GPU_DOWNLOAD, out);
    s->src = (struct ksr_gpu_plane){s->in.address, (int)s->noise.stride, s->noise.width,
                                    s->noise.height};
    s->dst =
        (struct ksr_gpu_plane){s->out.address, stride, 2 * s->noise.width, 2 * s->noise.height};
    return status;
}

static void close_scene(struct scene *s)
{
    struct ksr_gpu *gpu = s->device->gpu;
    ksr_gpu_commands_free(&s->commands);
    ksr_gpu_buffer_free(gpu, &s->in);
    ksr_gpu_buffer_free(gpu, &s->out);
    ksr_gpu_buffer_free(gpu, &s->read);
    ksr_aligned_free(s->noise.data);
}

// Makes the frame once; *seconds of all, and of each layer where the GPU has a clock.
static ksr_status run_once(struct scene *s, const struct ksr_gpu_net *net,
                           const struct ksr_gpu_buffer *scratch, double *seconds,
                           double layer[KSR_MODEL_LAYERS])
{
    struct ksr_gpu_commands *c = &s->commands;
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    ksr_gpu_barrier(c);
    ksr_gpu_mark(c, NULL);
    ksr_gpu_net_rows(c, net, &s->dst, &s->src, scratch, 0, s->dst.height);
    ksr_gpu_barrier(c);
    ksr_gpu_copy(c, &s->read, 0, &s->out, 0, s->read.size);
    const double begin = ksr_clock();
    status = ksr_gpu_submit(c, NULL, 0);
    if (status == KSR_OK)
        status = ksr_gpu_wait(c);
    *seconds = ksr_clock() - begin;
    memset(layer, 0, KSR_MODEL_LAYERS * sizeof(layer[0]));
    for (int i = 1; i < c->marks; i++)
        layer[(i - 1) % net->layers] += ksr_gpu_mark_seconds(c, i);
    if (c->marks > 1)
        *seconds = 0;
    for (int i = 0; i < net->layers && c->marks > 1; i++)
        *seconds += layer[i];
    return status;
}

// Makes the frame until the GPU is warm.
static ksr_status warm_up(struct scene *s, const struct ksr_gpu_net *net,
                          const struct ksr_gpu_buffer *scratch)
{
    double begin, seconds, layer[KSR_MODEL_LAYERS];
    struct ksr_warmth warmth = {0};
    ksr_status status;
    do {
        begin = ksr_clock();
        status = run_once(s, net, scratch, &seconds, layer);
    } while (status == KSR_OK && ksr_warm_up(&warmth, ksr_clock() - begin));
    return status;
}

// Notes the shortest time, and those of the layers in that frame.
static ksr_status time_way(struct scene *s, const struct ksr_gpu_net *net,
                           const struct ksr_gpu_buffer *scratch, double limit,
                           struct ksr_device_way *out)
{
    double seconds, layer[KSR_MODEL_LAYERS];
    ksr_status status = warm_up(s, net, scratch);
    const double end = ksr_clock() + limit;
    for (int i = 0; status == KSR_OK && (i < LEAST || ksr_clock() < end); i++) {
        status = run_once(s, net, scratch, &seconds, layer);
        if (i > 0 && seconds >= out->seconds)
            continue;
        out->seconds = seconds;
        memcpy(out->layer, layer, sizeof(layer));
    }
    return status;
}

static uint64_t hash_result(const struct scene *s)
{
    const uint16_t *row = s->read.map;
    uint64_t hash = 0;
    for (int y = 0; y < s->dst.height; y++, row += s->dst.stride)
        hash = hash * 31 + ksr_hash64(row, (size_t)s->dst.width * sizeof(uint16_t));
    return hash;
}

static ksr_status measure_way(struct scene *s, const ksr_net *net, enum ksr_gpu_net_tier tier,
                              double limit, struct ksr_device_way *out, uint64_t *result)
{
    struct ksr_gpu *gpu = s->device->gpu;
    struct ksr_gpu_net on_it = {0};
    struct ksr_gpu_buffer scratch = {0};
    *out = (struct ksr_device_way){.name = ksr_gpu_net_tier_name(tier)};
    ksr_status status = ksr_gpu_net_create(gpu, &on_it, net, tier);
    if (status == KSR_OK)
        status = ksr_gpu_net_check(gpu, &on_it, net);
    if (status == KSR_OK)
        out->memory = ksr_gpu_net_scratch(&on_it, s->src.width, s->src.height);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &scratch, KSR_GPU_LOCAL, out->memory);
    if (status == KSR_OK)
        status = time_way(s, &on_it, &scratch, limit, out);
    if (status == KSR_OK)
        *result = hash_result(s);
    for (int i = 0; i < on_it.layers; i++)
        out->kernel[i] = on_it.kernel[on_it.layer[i].kernel].name;
    ksr_gpu_buffer_free(gpu, &scratch);
    ksr_gpu_net_free(gpu, &on_it);
    return status;
}

ksr_status ksr_device_measure_ways(ksr_context *ctx, ksr_device *device, const ksr_net *net,
                                   int width, int height, double seconds,
                                   struct ksr_device_way out[KSR_DEVICE_WAYS], int *count)
{
    struct ksr_gpu *gpu = device->gpu;
    struct scene s = {.device = device, .noise = {.width = width, .height = height}};
    uint64_t result = 0, first = 0;
    *count = 0;
    const struct ksr_gpu_net *used;
    const enum ksr_device_use use = net->chroma ? KSR_DEVICE_CHROMA : KSR_DEVICE_LUMA;
    ksr_status status = ksr_device_net(ctx, device, use, net, &used);
    if (status == KSR_OK)
        status = open_scene(&s);
    const int fastest = status == KSR_OK ? (int)used->tier : -1;
    for (int tier = fastest; tier >= 0 && status == KSR_OK; tier--) {
        status = ksr_check_cancel(ctx);
        if (status == KSR_OK)
            status =
                measure_way(&s, net, (enum ksr_gpu_net_tier)tier, seconds, &out[*count], &result);
        first = *count == 0 ? result : first;
        if (status == KSR_OK && result != first) {
            snprintf(gpu->trouble, sizeof(gpu->trouble), "two ways make two frames");
            status = KSR_E_PROCESS;
        }
        *count += status == KSR_OK;
    }
    close_scene(&s);
    if (status == KSR_E_NOMEM) {
        ksr_log(ctx, KSR_LOG_WARNING, "device: %s: not all ways of a network are measured: %s",
                device->name, gpu->trouble);
        status = KSR_OK;
    }
    return status == KSR_OK || status == KSR_E_CANCELLED
               ? status
               : ksr_fail(ctx, status, "device: %s: %s", device->name, gpu->trouble);
}
