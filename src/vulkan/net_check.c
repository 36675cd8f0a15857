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

// What the network reads and what it makes; of chroma all three planes each, of which it makes U
// and V.
struct scene {
    struct ksr_frame small, wanted, made;
};

static size_t plane_bytes(const struct ksr_plane *p)
{
    return (size_t)p->stride * (size_t)p->height * sizeof(uint16_t);
}

static size_t frame_bytes(const struct ksr_frame *f)
{
    size_t bytes = 0;
    for (int i = 0; i < f->layout.planes; i++)
        bytes += plane_bytes(&f->plane[i]);
    return bytes;
}

// Copies a frame's planes to a buffer, or back, from byte `at` on.
static void copy_frame(struct ksr_frame *f, const struct ksr_gpu_buffer *buffer, size_t at,
                       bool back)
{
    for (int i = 0; i < f->layout.planes; i++) {
        struct ksr_plane *p = &f->plane[i];
        char *mapped = (char *)buffer->map + at;
        if (back)
            memcpy(p->data, mapped, plane_bytes(p));
        else
            memcpy(mapped, p->data, plane_bytes(p));
        at += plane_bytes(p);
    }
}

static void find_planes(const struct ksr_frame *f, uint64_t address,
                        struct ksr_gpu_plane out[KSR_MAX_PLANES])
{
    for (int i = 0; i < f->layout.planes; i++) {
        const struct ksr_plane *p = &f->plane[i];
        out[i] = (struct ksr_gpu_plane){address, (int)p->stride, p->width, p->height};
        address += plane_bytes(p);
    }
}

// A ramp, with noise that reaches the extremes in the right half.
static void draw(const struct ksr_frame *f)
{
    uint32_t random = 20011;
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            for (int x = 0; x < f->plane[i].width; x++) {
                random = random * 1664525 + 1013904223;
                const int noise = (int)(random >> 17);
                f->plane[i].data[y * f->plane[i].stride + x] =
                    (uint16_t)(x < f->plane[i].width / 2 ? 5000 + 300 * x + 200 * y + noise % 512
                               : noise % 3 == 0          ? (noise & 8 ? KSR_SAMPLE_MAX : 0)
                                                         : noise);
            }
}

// Of odd sizes: the last samples of chroma have no second one of luma beside or below them.
static bool make_scene(struct scene *s, bool chroma)
{
    struct ksr_layout small = {.width = WIDTH, .height = HEIGHT, .planes = 1};
    if (chroma)
        small = (struct ksr_layout){.width = 2 * WIDTH - 1,
                                    .height = 2 * HEIGHT - 1,
                                    .planes = 3,
                                    .chroma_shift_x = 1,
                                    .chroma_shift_y = 1};
    struct ksr_layout large = {.width = 2 * WIDTH, .height = 2 * HEIGHT, .planes = 1};
    if (chroma)
        large = (struct ksr_layout){.width = small.width, .height = small.height, .planes = 3};
    if (!ksr_frame_alloc(&s->small, &small) || !ksr_frame_alloc(&s->wanted, &large) ||
        !ksr_frame_alloc(&s->made, &large))
        return false;
    draw(&s->small);
    draw(&s->wanted);
    draw(&s->made);
    return true;
}

static void free_scene(struct scene *s)
{
    ksr_frame_free(&s->small);
    ksr_frame_free(&s->wanted);
    ksr_frame_free(&s->made);
}

static void run_cpu(struct scene *s, const ksr_net *net, void *scratch)
{
    const struct ksr_plane *in = s->small.plane, *out = s->wanted.plane;
    const struct ksr_net_chroma src = {{in[1], in[2]}, in[0]};
    struct ksr_stage_table table;
    ksr_stage_table_init(&table, ksr_cpu_level());
    if (net->chroma)
        table.net_chroma_rows(&out[1], &src, net, scratch, 0, out[1].height);
    else
        table.net_rows(out, in, net, scratch, 0, out->height);
}

static void record(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *g,
                   const struct scene *s, const struct ksr_gpu_buffer *mapped,
                   const struct ksr_gpu_buffer *scratch)
{
    struct ksr_gpu_plane in[KSR_MAX_PLANES], out[KSR_MAX_PLANES];
    find_planes(&s->small, mapped->address, in);
    find_planes(&s->made, mapped->address + frame_bytes(&s->small), out);
    const struct ksr_gpu_net_chroma src = {{in[1], in[2]}, in[0]};
    if (g->chroma)
        ksr_gpu_net_chroma_rows(commands, g, &out[1], &src, scratch, 0, out[1].height);
    else
        ksr_gpu_net_rows(commands, g, out, in, scratch, 0, out->height);
}

static ksr_status run_gpu(struct ksr_gpu *gpu, const struct ksr_gpu_net *g, struct scene *s)
{
    const size_t in = frame_bytes(&s->small), out = frame_bytes(&s->made);
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
        commands.most_groups = KSR_GPU_TEST_GROUPS;
        copy_frame(&s->small, &mapped, 0, false);
        copy_frame(&s->made, &mapped, in, false);
        record(&commands, g, s, &mapped, &scratch);
        status = ksr_gpu_submit(&commands, NULL, 0);
    }
    if (status == KSR_OK)
        status = ksr_gpu_wait(&commands);
    if (status == KSR_OK)
        copy_frame(&s->made, &mapped, in, true);
    ksr_gpu_buffer_free(gpu, &mapped);
    ksr_gpu_buffer_free(gpu, &scratch);
    ksr_gpu_commands_free(&commands);
    return status;
}

static bool equal_frames(const struct ksr_frame *a, const struct ksr_frame *b)
{
    for (int i = 0; i < a->layout.planes; i++)
        for (int y = 0; y < a->plane[i].height; y++)
            if (memcmp(a->plane[i].data + y * a->plane[i].stride,
                       b->plane[i].data + y * b->plane[i].stride,
                       (size_t)a->plane[i].width * sizeof(uint16_t)) != 0)
                return false;
    return true;
}

ksr_status ksr_gpu_net_check(struct ksr_gpu *gpu, const struct ksr_gpu_net *g, const ksr_net *net)
{
    struct scene s = {0};
    char test[KSR_HASH_TEXT + 32];
    snprintf(test, sizeof(test), "%s %d %s", net->hash, net->variant,
             ksr_gpu_net_tier_name(g->tier));
    const enum ksr_gpu_result kept = ksr_gpu_recall(gpu, test);
    if (kept != KSR_GPU_UNTESTED)
        return kept == KSR_GPU_PASSED ? KSR_OK : KSR_E_PROCESS;
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    ksr_status status = KSR_OK;
    if (!scratch || !make_scene(&s, net->chroma))
        status = ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "test a network");
    if (status == KSR_OK) {
        run_cpu(&s, net, scratch);
        status = run_gpu(gpu, g, &s);
    }
    if (status == KSR_OK && !equal_frames(&s.wanted, &s.made)) {
        snprintf(gpu->trouble, sizeof(gpu->trouble), "it computes a network wrong by %s",
                 ksr_gpu_net_tier_name(g->tier));
        status = KSR_E_PROCESS;
        ksr_gpu_keep(gpu, test, KSR_GPU_WRONG);
    } else if (status == KSR_OK) {
        ksr_gpu_keep(gpu, test, KSR_GPU_PASSED);
    }
    free_scene(&s);
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
