// Times whole frames on a GPU, transfers and conversion included, and compares one with the
// processor.
//
//     gpu-frames [WIDTH HEIGHT [THREADS]]
//
// Frames are of 8 bits as a decoder gives them and an encoder takes them. The GPU unpacks and packs
// them; or the processor does ("rows"), as for formats that are converted on the way.
// KSR_TEST_GPU=N takes GPU number N, else the first that is no software device. KSR_TEST_MODELS
// names the folder of models.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/cpu.h"
#include "core/mem.h"
#include "frame/dispatch.h"
#include "gpu.h"
#include "pipeline/device_parts.h"

#define FRAMES  300
#define SECONDS 6 // after which a run ends

// A frame in memory, as decoders and encoders have it.
struct coded {
    struct ksr_raw_frame raw;
    uint8_t *memory;
};

static void make_coded(struct coded *c, const struct ksr_layout *layout)
{
    size_t bytes;
    ksr_raw_block(NULL, layout, NULL, &bytes);
    memset(c, 0, sizeof(*c));
    c->memory = ksr_aligned_calloc(bytes);
    if (!c->memory)
        abort();
    for (int i = 0; i < layout->planes; i++)
        c->raw.plane[i] = (struct ksr_raw_plane){.step = 1, .bytes = 1, .bits = 8};
    c->raw = ksr_raw_block(&c->raw, layout, c->memory, NULL);
    for (int i = 0; i < layout->planes; i++)
        c->raw.plane[i].pack =
            (struct ksr_pack_params){.source_bits = 8, .chroma = i > 0, .dither = true};
}

static void fill(struct coded *c, const struct ksr_layout *layout)
{
    uint32_t random = 1;
    for (int i = 0; i < layout->planes; i++)
        for (int y = 0; y < ksr_layout_plane_height(layout, i); y++)
            for (int x = 0; x < ksr_layout_plane_width(layout, i); x++)
                c->raw.plane[i].data[y * c->raw.plane[i].stride + x] =
                    (uint8_t)((x / 9 * 31 + y / 11 * 57) % 180 + 20 +
                              (check_random(&random) >> 9) % 7);
}

static void pack(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_raw_plane *p = &((const struct coded *)opaque)->raw.plane[plane];
    const struct ksr_code_plane codes = {p->data, p->stride, p->bits};
    ksr_frame_table(ksr_cpu_level())->pack_rows(&codes, src, &p->pack, y0, y1);
}

// What a run reads and writes. rows: the processor converts them.
struct ends {
    struct coded in, out;
    bool rows;
};

// Runs frames until one of the limits; returns how many, or -1 after a failure.
static int run(ksr_pipeline *p, struct ends *e, int frames)
{
    struct ksr_row_source source = ksr_raw_source(&e->in.raw);
    const struct ksr_row_sink sink = {pack, &e->out, e->rows ? NULL : &e->out.raw};
    source.raw = e->rows ? NULL : source.raw;
    const double end = ksr_clock() + SECONDS;
    int pushed = 0;
    bool ok = true;
    for (; pushed < frames && ksr_clock() < end && ok; pushed++) {
        ok = ksr_pipeline_push(NULL, p, pushed, &source, false) == KSR_OK;
        while (p->held > p->delay && ok)
            ok = ksr_pipeline_pull(NULL, p, &sink) == KSR_OK;
    }
    while (p->held > 0 && ok)
        ok = ksr_pipeline_pull(NULL, p, &sink) == KSR_OK;
    return ok ? pushed : -1;
}

// Prints frames per second and the GPU's milliseconds of each task in a frame.
static void measure(ksr_pipeline *p, struct ends *e, const char *what)
{
    static const char *const tasks[KSR_TASKS] = {"convert", "normalize", "structure", "upscale",
                                                 "enhance", "temporal",  "fit"};
    double seconds[KSR_TASKS], all = 0;
    run(p, e, 10);
    ksr_pipeline_take_times(p, seconds);
    const double begin = ksr_clock();
    const int frames = run(p, e, FRAMES);
    const double time = (ksr_clock() - begin) / frames;
    ksr_pipeline_take_times(p, seconds);
    printf("    %-16s %7.1f frames/s, %6.3f ms each; kernels, in ms:", what, 1 / time, time * 1e3);
    for (int i = 0; i < KSR_TASKS; i++) {
        all += seconds[i];
        if (seconds[i] > 0)
            printf(" %s %.3f,", tasks[i], seconds[i] / frames * 1e3);
    }
    printf(" all %.3f\n", all / frames * 1e3);
}

static bool same_codes(const struct coded *a, const struct coded *b,
                       const struct ksr_layout *layout)
{
    size_t bytes;
    ksr_raw_block(&a->raw, layout, NULL, &bytes);
    return memcmp(a->memory, b->memory, bytes) == 0;
}

// Compares a GPU with the processor on a few frames, and times it.
static bool bench_gpu(struct ksr_device *device, const char *name, const struct ksr_recipe *recipe,
                      struct ends *e, const struct coded *expected, ksr_pool *pool)
{
    ksr_pipeline *p = ksr_pipeline_create_device(NULL, device, recipe, pool);
    const bool same = p && run(p, e, 5) == 5 && same_codes(&e->out, expected, &recipe->output);
    if (p)
        measure(p, e, e->rows ? "  rows" : name);
    ksr_pipeline_destroy(&p);
    return same && !device->failed;
}

// With a network, config->ai_model_path names it.
static bool bench(struct ksr_device *device, const char *name, const struct ksr_layout *layout,
                  const struct ksr_pipeline_config *config, ksr_pool *pool)
{
    ksr_engine engine = {.net = config->use_ai ? gpu_load_net(config->ai_model_path) : NULL};
    struct ksr_recipe recipe;
    struct ends cpu = {.rows = true}, gpu;
    if (!ksr_recipe_make(&recipe, layout, config, &engine))
        abort();
    make_coded(&cpu.in, layout);
    fill(&cpu.in, layout);
    make_coded(&cpu.out, &recipe.output);
    gpu = cpu;
    make_coded(&gpu.out, &recipe.output);
    ksr_pipeline *p = ksr_pipeline_create_cpu(&recipe, pool, 0);
    bool same = p && run(p, &cpu, 5) == 5;
    for (int rows = 0; rows < 2; rows++) {
        gpu.rows = rows;
        same &= bench_gpu(device, name, &recipe, &gpu, &cpu.out, pool);
    }
    printf("    %s %s\n", same ? "equal to the processor" : "NOT EQUAL to the processor",
           device->failed ? device->gpu->trouble : "");
    ksr_pipeline_destroy(&p);
    ksr_net_destroy(&engine.net);
    ksr_aligned_free(cpu.in.memory);
    ksr_aligned_free(cpu.out.memory);
    ksr_aligned_free(gpu.out.memory);
    return same;
}

// --- The program ---

static bool bench_all(struct ksr_device *device, int width, int height, ksr_pool *pool)
{
    const struct ksr_layout colour = {
        width, height, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false};
    const struct ksr_layout grey = {.width = width, .height = height, .planes = 1};
    const struct ksr_pipeline_config usual = {
        .shader_scale = 2, .contrast_boost = 1, .saturation_boost = 1};
    struct ksr_pipeline_config all = {.shader_scale = 2,
                                      .denoise = 0.2,
                                      .structure_smoothing = 0.2,
                                      .sharpening = 0.3,
                                      .line_darkening = 0.3,
                                      .contrast_boost = 1.1,
                                      .saturation_boost = 1.1};
    struct ksr_pipeline_config network = {
        .use_ai = true, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1};
    bool same = bench(device, "luma alone", &grey, &usual, pool);
    same &= bench(device, "stage 3", &colour, &usual, pool);
    same &= bench(device, "stages 1 to 4", &colour, &all, pool);
    network.ai_model_path = "anime-quality";
    same &= bench(device, network.ai_model_path, &colour, &network, pool);
    network.ai_model_path = "anime-fast";
    same &= bench(device, network.ai_model_path, &colour, &network, pool);
    all.enable_temporal = true;
    all.temporal_weight = 0.15;
    all.motion_threshold = 0.1;
    return bench(device, "all stages", &colour, &all, pool) && same;
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("KSR_TEST_GPU");
    const int width = argc > 2 ? atoi(argv[1]) : 1920, height = argc > 2 ? atoi(argv[2]) : 1080;
    const int threads = argc > 3 ? atoi(argv[3]) : ksr_cpu_count() < 64 ? ksr_cpu_count() : 64;
    char reason[KSR_GPU_REASON];
    struct ksr_device device = {.gpu = NULL};
    if (argc == 2 || argc > 4 || width < 1 || height < 1 || threads < 1) {
        fprintf(stderr, "usage: gpu-frames [WIDTH HEIGHT [THREADS]]\n");
        return 2;
    }
    if (ksr_gpu_open(&device.gpu, wanted ? atoi(wanted) : KSR_GPU_FASTEST, reason) != KSR_OK ||
        ksr_gpu_stages_create(device.gpu, &device.stages) != KSR_OK) {
        printf("error: %s\n", device.gpu ? device.gpu->trouble : reason);
        return 1;
    }
    ksr_pool *pool = ksr_pool_create(threads);
    printf("%s, %s; %dx%d, %d threads, %s\n", device.gpu->info.name, device.gpu->info.driver, width,
           height, threads, ksr_cpu_level_name(ksr_cpu_level()));
    const bool same = bench_all(&device, width, height, pool);
    ksr_pool_destroy(&pool);
    ksr_gpu_stages_free(device.gpu, &device.stages);
    ksr_gpu_close(&device.gpu);
    return !same;
}
