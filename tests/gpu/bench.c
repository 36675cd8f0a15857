// Times the shipped networks on a GPU, kernel by kernel, and compares a whole picture with the
// processor.
//
//     gpu-bench [WIDTH HEIGHT]
//
// KSR_TEST_GPU=N takes GPU number N, else the first that is no software device. KSR_TEST_MODELS
// names the folder of models.

#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "vulkan/net.h"

#define FRAMES  8 // in one submission
#define ROUNDS  20
#define SECONDS 10 // after which no further round is begun

struct picture {
    struct ksr_plane plane;
    size_t bytes;
};

// All that a network is timed with.
struct place {
    struct ksr_gpu *gpu;
    struct ksr_gpu_commands commands;
    struct picture small, large;
    struct ksr_gpu_buffer src, dst, upload, download, scratch;
};

static void must(struct place *p, ksr_status status)
{
    if (status == KSR_OK)
        return;
    printf("error: %s\n", p->gpu->trouble);
    exit(1);
}

static struct picture make_picture(int width, int height)
{
    struct picture p = {{NULL, ksr_plane_stride(width), width, height}, 0};
    p.bytes = (size_t)p.plane.stride * (size_t)height * sizeof(uint16_t);
    p.plane.data = ksr_aligned_calloc(p.bytes);
    if (!p.plane.data)
        abort();
    return p;
}

static struct ksr_gpu_plane on_gpu(const struct picture *p, const struct ksr_gpu_buffer *buffer)
{
    return (struct ksr_gpu_plane){buffer->address, (int)p->plane.stride, p->plane.width,
                                  p->plane.height};
}

// Noise on a ramp: values as a picture has them, none like another.
static void fill(struct picture *p)
{
    uint32_t random = 1;
    for (int y = 0; y < p->plane.height; y++)
        for (int x = 0; x < p->plane.width; x++)
            p->plane.data[y * p->plane.stride + x] =
                (uint16_t)((x * 13 + y * 7) % 28000 + (int)(check_random(&random) >> 20));
}

static void open_place(struct place *p, int width, int height)
{
    const char *wanted = getenv("KSR_TEST_GPU");
    char reason[KSR_GPU_REASON];
    if (ksr_gpu_open(&p->gpu, wanted ? atoi(wanted) : KSR_GPU_FASTEST, reason) != KSR_OK) {
        printf("error: %s\n", reason);
        exit(1);
    }
    p->small = make_picture(width, height);
    p->large = make_picture(2 * width, 2 * height);
    fill(&p->small);
    must(p, ksr_gpu_commands_create(p->gpu, p->gpu->compute, &p->commands));
    must(p, ksr_gpu_buffer_create(p->gpu, &p->src, KSR_GPU_LOCAL, p->small.bytes));
    must(p, ksr_gpu_buffer_create(p->gpu, &p->upload, KSR_GPU_UPLOAD, p->small.bytes));
    must(p, ksr_gpu_buffer_create(p->gpu, &p->dst, KSR_GPU_LOCAL, p->large.bytes));
    must(p, ksr_gpu_buffer_create(p->gpu, &p->download, KSR_GPU_DOWNLOAD, p->large.bytes));
    memcpy(p->upload.map, p->small.plane.data, p->small.bytes);
    must(p, ksr_gpu_begin(&p->commands));
    ksr_gpu_copy(&p->commands, &p->src, 0, &p->upload, 0, p->small.bytes);
    must(p, ksr_gpu_submit(&p->commands, NULL, 0));
    must(p, ksr_gpu_wait(&p->commands));
}

static void close_place(struct place *p)
{
    ksr_gpu_buffer_free(p->gpu, &p->src);
    ksr_gpu_buffer_free(p->gpu, &p->upload);
    ksr_gpu_buffer_free(p->gpu, &p->dst);
    ksr_gpu_buffer_free(p->gpu, &p->download);
    ksr_gpu_commands_free(&p->commands);
    ksr_gpu_close(&p->gpu);
    ksr_aligned_free(p->small.plane.data);
    ksr_aligned_free(p->large.plane.data);
}

// --- Times ---

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Returns the seconds of a submission of so many frames.
static double run_frames(struct place *p, const struct ksr_gpu_net *net, int frames)
{
    const struct ksr_gpu_plane dst = on_gpu(&p->large, &p->dst), src = on_gpu(&p->small, &p->src);
    must(p, ksr_gpu_begin(&p->commands));
    ksr_gpu_mark(&p->commands, "begin");
    for (int i = 0; i < frames; i++) {
        ksr_gpu_barrier(&p->commands);
        ksr_gpu_net_rows(&p->commands, net, &dst, &src, &p->scratch, 0, dst.height);
    }
    const double begin = now();
    must(p, ksr_gpu_submit(&p->commands, NULL, 0));
    must(p, ksr_gpu_wait(&p->commands));
    return now() - begin;
}

// Prints the time of each kernel in the frame in which it took least, and its multiplications.
static void print_kernels(struct place *p, const ksr_net *net)
{
    const double pixels = (double)p->small.plane.width * p->small.plane.height;
    for (int i = 0; i < net->layers; i++) {
        const struct ksr_net_layer *l = &net->layer[i];
        double best = 1e9;
        for (int mark = 1 + i; mark < p->commands.marks; mark += net->layers) {
            const double time = ksr_gpu_mark_seconds(&p->commands, mark);
            best = time < best ? time : best;
        }
        const double products = pixels * l->inputs * l->outputs * l->side * l->side;
        printf("    %-10s %dx%d %2d->%-2d %8.3f ms %8.2f T/s multiplications\n",
               p->commands.mark[1 + i], l->side, l->side, l->inputs, l->outputs, best * 1e3,
               products / best * 1e-12);
    }
}

static bool same_as_processor(struct place *p, const ksr_net *net)
{
    const struct tables t = check_tables(ksr_cpu_level());
    void *memory = ksr_aligned_calloc(ksr_net_scratch(net));
    if (!memory)
        abort();
    t.stage.net_rows(&p->large.plane, &p->small.plane, net, memory, 0, p->large.plane.height);
    ksr_aligned_free(memory);
    must(p, ksr_gpu_begin(&p->commands));
    ksr_gpu_copy(&p->commands, &p->download, 0, &p->dst, 0, p->large.bytes);
    must(p, ksr_gpu_submit(&p->commands, NULL, 0));
    must(p, ksr_gpu_wait(&p->commands));
    const struct ksr_plane *large = &p->large.plane;
    for (int y = 0; y < large->height; y++)
        if (memcmp(large->data + y * large->stride, (uint16_t *)p->download.map + y * large->stride,
                   (size_t)large->width * sizeof(uint16_t)) != 0)
            return false;
    return true;
}

static bool bench_net(struct place *p, const char *name, enum ksr_gpu_net_tier tier)
{
    ksr_net *net = gpu_load_net(name);
    struct ksr_gpu_net on_it;
    const double begin = now();
    must(p, ksr_gpu_net_create(p->gpu, &on_it, net, tier));
    const double compiled = now() - begin;
    const size_t size = ksr_gpu_net_scratch(&on_it, p->small.plane.width, p->small.plane.height);
    must(p, ksr_gpu_buffer_create(p->gpu, &p->scratch, KSR_GPU_LOCAL, size));
    run_frames(p, &on_it, 1);
    const bool same = same_as_processor(p, net);
    double best = 1e9;
    for (int i = 0; i < ROUNDS && now() - begin < SECONDS; i++) {
        const double time = run_frames(p, &on_it, FRAMES) / FRAMES;
        best = time < best ? time : best;
    }
    printf("%s, %s: %.3f ms, %.1f frames/s, %.0f MiB, compiled in %.2f s, %s\n", name,
           ksr_gpu_net_tier_name(tier), best * 1e3, 1 / best, (double)size / (1 << 20), compiled,
           same ? "equal to the processor" : "NOT EQUAL to the processor");
    print_kernels(p, net);
    ksr_gpu_buffer_free(p->gpu, &p->scratch);
    ksr_gpu_net_free(p->gpu, &on_it);
    ksr_net_destroy(&net);
    return same;
}

int main(int argc, char **argv)
{
    struct place p = {0};
    bool same = true;
    const int width = argc == 3 ? atoi(argv[1]) : 1920, height = argc == 3 ? atoi(argv[2]) : 1080;
    if ((argc != 1 && argc != 3) || width < 1 || height < 1) {
        fprintf(stderr, "usage: gpu-bench [WIDTH HEIGHT]\n");
        return 2;
    }
    open_place(&p, width, height);
    printf("%s, %s; %dx%d\n", p.gpu->info.name, p.gpu->info.driver, width, height);
    for (int i = 0; i < p.gpu->shape_count; i++)
        printf("matrices %dx%dx%d\n", p.gpu->shapes[i].m, p.gpu->shapes[i].n, p.gpu->shapes[i].k);
    for (int tier = KSR_GPU_NET_TIERS - 1; tier >= 0; tier--)
        if (ksr_gpu_net_has_tier(p.gpu, (enum ksr_gpu_net_tier)tier)) {
            same &= bench_net(&p, "anime-quality", (enum ksr_gpu_net_tier)tier);
            same &= bench_net(&p, "anime-fast", (enum ksr_gpu_net_tier)tier);
        }
    close_place(&p);
    return !same;
}
