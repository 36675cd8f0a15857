// Choosing how a network runs on a GPU: by the fastest tier that computes what the processor does;
// see net.h.

#include <stdio.h>
#include <string.h>

#include "core/cpu.h"
#include "core/mem.h"
#include "stages/dispatch.h"
#include "vulkan/net.h"
#include "vulkan/tested.h"

// No multiples of workgroups, with several of them in both directions.
#define WIDTH  45
#define HEIGHT 27

static size_t plane_bytes(const struct ksr_plane *p)
{
    return (size_t)p->stride * (size_t)p->height * sizeof(uint16_t);
}

// A ramp, with noise that reaches the extremes in the right half.
static void draw(const struct ksr_plane *p)
{
    uint32_t random = 20011;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            random = random * 1664525 + 1013904223;
            const int noise = (int)(random >> 17);
            p->data[y * p->stride + x] =
                (uint16_t)(x < p->width / 2 ? 5000 + 300 * x + 200 * y + noise % 512
                           : noise % 3 == 0 ? (noise & 8 ? KSR_SAMPLE_MAX : 0)
                                            : noise);
        }
}

// Makes `large` of `small` on the GPU.
static ksr_status run(struct ksr_gpu *gpu, const struct ksr_gpu_net *g,
                      const struct ksr_plane *large, const struct ksr_plane *small)
{
    const size_t in = plane_bytes(small), out = plane_bytes(large);
    struct ksr_gpu_commands commands;
    struct ksr_gpu_buffer mapped = {0}, scratch = {0};
    ksr_status status = ksr_gpu_commands_create(gpu, gpu->compute, &commands);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &scratch, KSR_GPU_LOCAL,
                                       ksr_gpu_net_scratch(g, WIDTH, HEIGHT));
    if (status == KSR_OK) // which both read and write
        status = ksr_gpu_buffer_create(gpu, &mapped, KSR_GPU_DOWNLOAD, in + out);
    if (status == KSR_OK)
        status = ksr_gpu_begin(&commands);
    if (status == KSR_OK) {
        const struct ksr_gpu_plane src = {mapped.address, (int)small->stride, WIDTH, HEIGHT};
        const struct ksr_gpu_plane dst = {mapped.address + in, (int)large->stride, 2 * WIDTH,
                                          2 * HEIGHT};
        commands.most_groups = KSR_GPU_TEST_GROUPS;
        memcpy(mapped.map, small->data, in);
        ksr_gpu_net_rows(&commands, g, &dst, &src, &scratch, 0, 2 * HEIGHT);
        status = ksr_gpu_submit(&commands, NULL, 0);
    }
    if (status == KSR_OK)
        status = ksr_gpu_wait(&commands);
    if (status == KSR_OK)
        memcpy(large->data, (char *)mapped.map + in, out);
    ksr_gpu_buffer_free(gpu, &mapped);
    ksr_gpu_buffer_free(gpu, &scratch);
    ksr_gpu_commands_free(&commands);
    return status;
}

static bool equal_planes(const struct ksr_plane *a, const struct ksr_plane *b)
{
    for (int y = 0; y < a->height; y++)
        if (memcmp(a->data + y * a->stride, b->data + y * b->stride,
                   (size_t)a->width * sizeof(uint16_t)) != 0)
            return false;
    return true;
}

ksr_status ksr_gpu_net_check(struct ksr_gpu *gpu, const struct ksr_gpu_net *g, const ksr_net *net)
{
    const struct ksr_layout one = {.width = WIDTH, .height = HEIGHT, .planes = 1};
    const struct ksr_layout two = {.width = 2 * WIDTH, .height = 2 * HEIGHT, .planes = 1};
    struct ksr_frame small = {0}, wanted = {0}, made = {0};
    char test[KSR_HASH_TEXT + 32];
    snprintf(test, sizeof(test), "%s %d %s", net->hash, net->variant,
             ksr_gpu_net_tier_name(g->tier));
    const enum ksr_gpu_result kept = ksr_gpu_recall(gpu, test);
    if (kept != KSR_GPU_UNTESTED)
        return kept == KSR_GPU_PASSED ? KSR_OK : KSR_E_PROCESS;
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    ksr_status status = KSR_OK;
    if (!scratch || !ksr_frame_alloc(&small, &one) || !ksr_frame_alloc(&wanted, &two) ||
        !ksr_frame_alloc(&made, &two))
        status = ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "test a network");
    if (status == KSR_OK) {
        struct ksr_stage_table table;
        ksr_stage_table_init(&table, ksr_cpu_level());
        draw(&small.plane[0]);
        table.net_rows(&wanted.plane[0], &small.plane[0], net, scratch, 0, 2 * HEIGHT);
        status = run(gpu, g, &made.plane[0], &small.plane[0]);
    }
    if (status == KSR_OK && !equal_planes(&wanted.plane[0], &made.plane[0])) {
        snprintf(gpu->trouble, sizeof(gpu->trouble), "it computes a network wrong by %s",
                 ksr_gpu_net_tier_name(g->tier));
        status = KSR_E_PROCESS;
        ksr_gpu_keep(gpu, test, KSR_GPU_WRONG);
    } else if (status == KSR_OK) {
        ksr_gpu_keep(gpu, test, KSR_GPU_PASSED);
    }
    ksr_frame_free(&small);
    ksr_frame_free(&wanted);
    ksr_frame_free(&made);
    ksr_aligned_free(scratch);
    return status;
}

ksr_status ksr_gpu_net_choose(struct ksr_gpu *gpu, struct ksr_gpu_net *out, const ksr_net *net,
                              char refused[KSR_GPU_REASON])
{
    ksr_status status = KSR_E_PROCESS;
    refused[0] = 0;
    for (int tier = ksr_gpu_net_best_tier(gpu); tier >= 0 && status == KSR_E_PROCESS; tier--) {
        status = ksr_gpu_net_create(gpu, out, net, (enum ksr_gpu_net_tier)tier);
        if (status == KSR_OK)
            status = ksr_gpu_net_check(gpu, out, net);
        if (status != KSR_OK) {
            ksr_gpu_net_free(gpu, out);
            memcpy(refused, gpu->trouble, KSR_GPU_REASON);
        }
    }
    return status;
}
