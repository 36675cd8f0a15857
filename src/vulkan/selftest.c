// The test of a GPU; see selftest.h.

#include "vulkan/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "stages/kept.h"
#include "vulkan/drawing.h"
#include "vulkan/tested.h"

#define TEST "stages" // its name in tested.h

// No multiples of workgroups.
#define WIDTH  77
#define HEIGHT 53
#define LINES  13                         // rows of stairs
#define PLANE  ((size_t)192 * 2 * HEIGHT) // samples of the largest, with some to spare

enum { SRC, SRC_2, DST, DST_2, SPARE, PLANES }; // the last one is not compared

// One comparison: planes in the GPU's memory and the same by plain C.
struct trial {
    struct ksr_gpu *gpu;
    const struct ksr_gpu_stages *stages;
    struct ksr_gpu_commands commands;
    struct ksr_gpu_buffer local, upload, download;
    uint16_t *samples; // of all planes, as plain C has them
    struct ksr_plane plane[PLANES];
    struct ksr_gpu_plane gpu_plane[PLANES];
    struct ksr_stage_table c;
    struct ksr_gpu_fit fit;
    ksr_resampler *resampler;
    struct ksr_gpu_drawing drawing;
    struct ksr_descale_axis axes[4]; // along rows and along columns: to the drawing, and back
    void *scratch;                   // of ksr_descale_rows()
    ksr_resampler *kept;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    return *state ^= *state << 5;
}

static const struct ksr_layout fitted = {.width = 49, .height = 31, .planes = 1};

// A soft ground with noise in the left part, below with dark lines that have bright rims; in the
// right, slanted lines without anti-aliasing, few enough to leave the votes of edges to the rims,
// and below them lines and single samples of the extremes.
static int drawn(int x, int y, uint32_t random)
{
    const int noise = (int)(random >> 8) % 600, ground = 9000 + 150 * x + 90 * y;
    static const int rims[16] = {0, 0, 0, 0, 900, 2000, -9000, -9000, -9000, 2000, 900};
    if (y < LINES && x >= WIDTH / 2)
        return (3 * y + x) / 8 % 2 ? 6000 : 25000;
    if (x < WIDTH / 2)
        return ground + (y < HEIGHT / 2 ? noise : rims[x % 16] + noise / 8);
    return (x + y) % 7 == 0 || random % 5 == 0 ? (random & 1 << 12 ? KSR_SAMPLE_MAX : 0)
                                               : (int)(random >> 9) % (KSR_SAMPLE_MAX + 1);
}

static void set_plane(struct trial *t, int i, int width, int height)
{
    const ptrdiff_t stride = ksr_plane_stride(width);
    t->plane[i] = (struct ksr_plane){t->samples + (size_t)i * PLANE, stride, width, height};
    t->gpu_plane[i] = (struct ksr_gpu_plane){t->local.address + (size_t)i * PLANE * 2, (int)stride,
                                             width, height};
}

// Draws both sources, the second one like the first but for some noise, and clears the results.
static void draw(struct trial *t, int scale)
{
    uint32_t random = 20011;
    for (int i = 0; i < PLANES; i++)
        set_plane(t, i, i < DST ? WIDTH : scale * WIDTH, i < DST ? HEIGHT : scale * HEIGHT);
    memset(t->samples, 0, PLANES * PLANE * sizeof(uint16_t));
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const int v = drawn(x, y, next_random(&random));
            const int other = v + (int)(next_random(&random) >> 9) % 256;
            t->plane[SRC].data[y * t->plane[SRC].stride + x] = (uint16_t)v;
            t->plane[SRC_2].data[y * t->plane[SRC_2].stride + x] =
                (uint16_t)ksr_min(other, KSR_SAMPLE_MAX);
        }
    memcpy(t->upload.map, t->samples, PLANES * PLANE * sizeof(uint16_t));
}

// --- The kernels, each by the GPU and by plain C ---

static void normalize(struct trial *t)
{
    const struct ksr_normalize_params p =
        ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = 0.3});
    ksr_gpu_normalize(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.normalize_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void chroma_shift(struct trial *t)
{
    const struct ksr_chroma_shift_params p = {-21, 38};
    ksr_gpu_chroma_shift(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.chroma_shift_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void deblock(struct trial *t)
{
    const struct ksr_deblock_params p = {.limit = 2048, .x = 3, .y = 6};
    ksr_gpu_deblock(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.deblock_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void dehalo(struct trial *t)
{
    const struct ksr_dehalo_params p =
        ksr_dehalo_params_make(&(struct ksr_pipeline_config){.dehalo = 0.5});
    ksr_gpu_dehalo(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.dehalo_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

// Bands of three codes on the left.
static void deband(struct trial *t)
{
    const struct ksr_deband_params p =
        ksr_deband_params_make(&(struct ksr_pipeline_config){.deband = 1});
    ksr_gpu_deband(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.deband_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void structure(struct trial *t)
{
    const struct ksr_structure_params p =
        ksr_structure_params_make(&(struct ksr_pipeline_config){.structure_smoothing = 0.5});
    ksr_gpu_structure(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.structure_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void antialias(struct trial *t)
{
    const struct ksr_antialias_params p = {.strength = 256};
    ksr_gpu_antialias(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.antialias_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void upscale(struct trial *t)
{
    const struct ksr_layout layout = {
        .planes = 3, .chroma_shift_x = 1, .chroma_shift_y = 1, .siting_y = KSR_SITING_CENTRED};
    const struct ksr_upscale_params p = ksr_upscale_params_make(&layout, 1);
    ksr_gpu_upscale(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.upscale_rows(&t->plane[DST], &t->plane[SRC], &p, 0, 2 * HEIGHT);
}

// The doubled source is luma.
static void guide(struct trial *t)
{
    const struct ksr_layout layout = {
        .planes = 3, .chroma_shift_x = 1, .chroma_shift_y = 1, .siting_y = KSR_SITING_CENTRED};
    const struct ksr_guide_params p = ksr_guide_params_make(
        &(struct ksr_pipeline_config){.guided_chroma = 1, .denoise = 0.5}, &layout);
    ksr_gpu_learned(&t->commands, t->stages, &t->gpu_plane[DST_2], &t->gpu_plane[SRC]);
    ksr_gpu_barrier(&t->commands);
    ksr_gpu_guided(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC_2],
                   &t->gpu_plane[DST_2], &p);
    t->c.learned_rows(&t->plane[DST_2], &t->plane[SRC], 0, 2 * HEIGHT);
    t->c.guided_rows(&t->plane[DST], &t->plane[SRC_2], &t->plane[DST_2], &p, 0, 2 * HEIGHT);
}

static void learned(struct trial *t)
{
    ksr_gpu_learned(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC]);
    t->c.learned_rows(&t->plane[DST], &t->plane[SRC], 0, 2 * HEIGHT);
}

static const struct ksr_pipeline_config strong = {
    .sharpening = 1, .line_darkening = 0.6, .contrast_boost = 1.3, .saturation_boost = 1.4};

static void enhance_luma(struct trial *t)
{
    const struct ksr_enhance_params p = ksr_enhance_params_make(&strong, false);
    ksr_gpu_enhance_luma(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.enhance_luma_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

static void enhance_chroma(struct trial *t)
{
    const struct ksr_enhance_params p = ksr_enhance_params_make(&strong, false);
    ksr_gpu_enhance_chroma(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p);
    t->c.enhance_chroma_rows(&t->plane[DST], &t->plane[SRC], &p, 0, HEIGHT);
}

// The number goes where the first samples of DST are.
static void changed(struct trial *t)
{
    struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0.5, .motion_threshold = 0.02});
    p.changed = 100;
    ksr_gpu_changed(&t->commands, t->stages, &t->gpu_plane[SRC], &t->gpu_plane[SRC_2], &p,
                    t->gpu_plane[DST].data);
    const int64_t count =
        t->c.temporal_changed_rows(&t->plane[SRC], &t->plane[SRC_2], &p, 0, HEIGHT);
    t->plane[DST].data[0] = (uint16_t)count;
    t->plane[DST].data[1] = (uint16_t)(count >> 16);
}

static void temporal(struct trial *t)
{
    const struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0.5, .motion_threshold = 0.2});
    ksr_gpu_temporal(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC_2],
                     &t->gpu_plane[SRC], &p, p.weight, t->gpu_plane[DST_2].data, 1);
    t->c.temporal_rows(&t->plane[DST], &t->plane[SRC_2], &t->plane[SRC], &p, p.weight, 0, HEIGHT);
}

// As in an output of twice the size. The table is where the plane that is not compared is.
static void grain(struct trial *t)
{
    const struct ksr_grain grain = {
        .amount = 100, .luma = {900, 500, 0, 300, 200, 700, 800, 100}, .alike = {60}};
    const struct ksr_grain_params p =
        ksr_grain_params_make(&grain, false, 0, (int[]){1, 2}, (int[]){2, 3});
    const int64_t frame = INT64_C(1) << 33;
    ksr_gpu_grain_table((int32_t *)t->upload.map + SPARE * PLANE / 2, &p);
    ksr_gpu_grain(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], &p,
                  t->gpu_plane[SPARE].data, frame);
    t->c.grain_rows(&t->plane[DST], &t->plane[SRC], &p, frame, 0, HEIGHT);
}

// Words of 10 bits, and something above them.
static void unpack(struct trial *t)
{
    const int stride = 2 * t->gpu_plane[SRC].stride;
    const struct ksr_gpu_codes codes = {t->gpu_plane[SRC].data, stride, 2, 10, 0};
    const struct ksr_code_plane code = {(uint8_t *)t->plane[SRC].data, stride, 10};
    ksr_gpu_unpack(&t->commands, t->stages, &t->gpu_plane[DST], &codes);
    ksr_unpack_rows(&t->plane[DST], &code, 0, HEIGHT);
}

// From full-range chroma of 10 bits to 8, with dither.
static void pack(struct trial *t)
{
    const struct ksr_pack_params p = {
        .source_bits = 10, .scale = true, .chroma = true, .dither = true};
    const int stride = 2 * t->gpu_plane[DST].stride;
    const struct ksr_gpu_codes codes = {t->gpu_plane[DST].data, stride, 1, 8, 0};
    const struct ksr_code_plane code = {(uint8_t *)t->plane[DST].data, stride, 8};
    ksr_gpu_pack(&t->commands, t->stages, &codes, &t->gpu_plane[SRC], &p);
    ksr_pack_rows(&code, &t->plane[SRC], &p, 0, HEIGHT);
}

// To Y, Cb, Cr; the last plane is black.
static void rgb(struct trial *t)
{
    const struct ksr_frame frame = {.layout = {.width = WIDTH, .height = HEIGHT, .planes = 3},
                                    .plane = {t->plane[SRC], t->plane[SRC_2], t->plane[DST]}};
    ksr_gpu_rgb_to_ycc(&t->commands, t->stages, &t->gpu_plane[SRC]);
    ksr_rgb_to_ycc_rows(&frame, 0, HEIGHT);
}

static void resample(struct trial *t)
{
    const struct ksr_layout layout = {.width = WIDTH, .height = HEIGHT, .planes = 1};
    const struct ksr_frame from = {.layout = layout, .plane = {t->plane[SRC]}};
    struct ksr_frame to = {.layout = fitted};
    set_plane(t, DST, fitted.width, fitted.height);
    set_plane(t, SPARE, WIDTH, fitted.height);
    to.plane[0] = t->plane[DST];
    ksr_gpu_fit_columns(&t->commands, t->stages, &t->fit, 0, &t->gpu_plane[SPARE],
                        &t->gpu_plane[SRC]);
    ksr_gpu_barrier(&t->commands);
    ksr_gpu_fit_rows(&t->commands, t->stages, &t->fit, 0, &t->gpu_plane[DST], &t->gpu_plane[SPARE]);
    const struct ksr_row_sink gather = ksr_resampler_sink(t->resampler), sink = ksr_frame_sink(&to);
    gather.rows(gather.opaque, 0, &from.plane[0], 0, HEIGHT);
    ksr_resampler_run(t->resampler, &sink);
}

// --- Composite video: SRC, and SRC_2 around it ---

static void composite_smooth(struct trial *t)
{
    ksr_gpu_composite_smooth(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC]);
    t->c.composite_smooth_rows(&t->plane[DST], &t->plane[SRC], 0, HEIGHT);
}

// DST_2: how still it is, of all frames around.
static void composite(struct trial *t)
{
    const struct ksr_gpu_plane *const around[] = {&t->gpu_plane[SRC_2], &t->gpu_plane[SRC], NULL,
                                                  &t->gpu_plane[SRC_2]};
    struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES] = {{t->plane[SRC_2], t->plane[DST_2]},
                                                               {t->plane[SRC], t->plane[DST_2]}};
    frames[3] = frames[0];
    const struct ksr_temporal_params p = ksr_composite_params_make(1);
    ksr_gpu_temporal_still(&t->commands, t->stages, &t->gpu_plane[DST_2], &t->gpu_plane[SRC_2],
                           &t->gpu_plane[SRC], &p);
    ksr_gpu_barrier(&t->commands);
    ksr_gpu_composite(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC], around,
                      &t->gpu_plane[DST_2], 0, 0, 0);
    t->c.temporal_still_rows(&t->plane[DST_2], &t->plane[SRC_2], &t->plane[SRC], &p, 0, HEIGHT);
    t->c.composite_rows(&t->plane[DST], &t->plane[SRC], frames, 0, 0, 0, HEIGHT);
}

// --- Descaling, and what the drawing does not bring back ---

static const struct ksr_layout source = {.width = WIDTH, .height = HEIGHT, .planes = 1},
                               drawing = {.width = 52, .height = 36, .planes = 1},
                               doubled = {.width = 2 * WIDTH, .height = 2 * HEIGHT, .planes = 1};

// Fills plane `to` with the drawing of SRC; SPARE is between the passes.
static void descale_to(struct trial *t, int to)
{
    set_plane(t, to, drawing.width, drawing.height);
    set_plane(t, SPARE, WIDTH, drawing.height);
    ksr_gpu_descale(&t->commands, t->stages, &t->gpu_plane[SPARE], &t->gpu_plane[SRC],
                    &t->drawing.down[1], true);
    ksr_gpu_barrier(&t->commands);
    ksr_gpu_descale(&t->commands, t->stages, &t->gpu_plane[to], &t->gpu_plane[SPARE],
                    &t->drawing.down[0], false);
    ksr_gpu_barrier(&t->commands);
    t->c.descale_rows(&t->plane[to], &t->plane[SRC], &t->axes[0], &t->axes[1], t->scratch, 0,
                      drawing.height);
}

static void descale(struct trial *t)
{
    descale_to(t, DST);
}

// SRC_2 becomes the drawing; SPARE is the drawing enlarged, on the GPU along columns alone.
static void mark_to(struct trial *t, int to)
{
    descale_to(t, SRC_2);
    set_plane(t, to, ksr_kept_cells(WIDTH), ksr_kept_cells(HEIGHT));
    set_plane(t, SPARE, drawing.width, HEIGHT);
    ksr_gpu_descale(&t->commands, t->stages, &t->gpu_plane[SPARE], &t->gpu_plane[SRC_2],
                    &t->drawing.up[1], true);
    ksr_gpu_barrier(&t->commands);
    ksr_gpu_kept_marks(&t->commands, t->stages, &t->gpu_plane[to], &t->gpu_plane[SRC],
                       &t->gpu_plane[SPARE], &t->drawing.up[0]);
    ksr_gpu_barrier(&t->commands);
    set_plane(t, SPARE, WIDTH, HEIGHT);
    t->c.descale_rows(&t->plane[SPARE], &t->plane[SRC_2], &t->axes[2], &t->axes[3], t->scratch, 0,
                      HEIGHT);
    for (int y = 0; y < HEIGHT; y += KSR_KEPT_CELL)
        ksr_kept_mark_row(&t->plane[to], &t->plane[SRC], &t->plane[SPARE], y);
}

static void kept_marks(struct trial *t)
{
    mark_to(t, DST);
}

static void weigh_to(struct trial *t, int to)
{
    mark_to(t, DST_2);
    set_plane(t, to, t->plane[DST_2].width, t->plane[DST_2].height);
    set_plane(t, SPARE, t->plane[DST_2].width, t->plane[DST_2].height);
    ksr_gpu_kept_weights(&t->commands, t->stages, &t->gpu_plane[to], &t->gpu_plane[DST_2]);
    ksr_gpu_barrier(&t->commands);
    ksr_kept_weigh(&t->plane[to], &t->plane[SPARE], &t->plane[DST_2]);
}

static void kept_weights(struct trial *t)
{
    weigh_to(t, DST);
}

// Over black.
static void kept(struct trial *t)
{
    const struct ksr_gpu_drawing *d = &t->drawing;
    struct ksr_frame to = {.layout = doubled};
    int32_t x[2 * WIDTH], y[2 * HEIGHT];
    weigh_to(t, SRC_2);
    ksr_gpu_kept(&t->commands, t->stages, &t->gpu_plane[DST], &t->gpu_plane[SRC],
                 &t->gpu_plane[SRC_2], d->x[0], d->y[0], &d->kept, 0);
    set_plane(t, SPARE, doubled.width, doubled.height);
    to.plane[0] = t->plane[SPARE];
    const struct ksr_row_sink gather = ksr_resampler_sink(t->kept), sink = ksr_frame_sink(&to);
    gather.rows(gather.opaque, 0, &t->plane[SRC], 0, HEIGHT);
    ksr_resampler_run(t->kept, &sink);
    for (int i = 0; i < doubled.width; i++)
        x[i] = ksr_kept_place(i, 0, WIDTH, doubled.width);
    for (int i = 0; i < doubled.height; i++)
        y[i] = ksr_kept_place(i, 0, HEIGHT, doubled.height);
    ksr_kept_rows(&t->plane[DST], &t->plane[SPARE], &t->plane[SRC_2], x, y, 0, doubled.height);
}

static const struct kernel {
    const char *name;
    int scale;
    void (*run)(struct trial *t);
} trials[] = {
    {"normalize", 1, normalize},
    {"chroma_shift", 1, chroma_shift},
    {"deband", 1, deband},
    {"deblock", 1, deblock},
    {"dehalo", 1, dehalo},
    {"structure", 1, structure},
    {"antialias", 1, antialias},
    {"upscale", 2, upscale},
    {"learned", 2, learned},
    {"guide", 2, guide},
    {"enhance_luma", 1, enhance_luma},
    {"enhance_chroma", 1, enhance_chroma},
    {"changed", 1, changed},
    {"temporal", 1, temporal},
    {"resample", 1, resample},
    {"composite_smooth", 1, composite_smooth},
    {"composite", 1, composite},
    {"descale", 1, descale},
    {"kept_marks", 1, kept_marks},
    {"kept_weights", 1, kept_weights},
    {"kept", 2, kept},
    {"grain", 1, grain},
    {"unpack", 1, unpack},
    {"pack", 1, pack},
    {"rgb", 1, rgb},
};

// --- The test ---

static ksr_status run_trial(struct trial *t, const struct kernel *kernel)
{
    const size_t bytes = PLANES * PLANE * sizeof(uint16_t);
    struct ksr_gpu_commands *c = &t->commands;
    draw(t, kernel->scale);
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    c->most_groups = KSR_GPU_TEST_GROUPS;
    ksr_gpu_copy(c, &t->local, 0, &t->upload, 0, bytes);
    ksr_gpu_barrier(c);
    kernel->run(t);
    ksr_gpu_barrier(c);
    ksr_gpu_copy(c, &t->download, 0, &t->local, 0, bytes);
    status = ksr_gpu_submit(c, NULL, 0);
    if (status == KSR_OK)
        status = ksr_gpu_wait(c);
    if (status == KSR_OK && memcmp(t->download.map, t->samples, SPARE * PLANE * 2) != 0) {
        snprintf(t->gpu->trouble, sizeof(t->gpu->trouble), "%.120s computes '%s' wrong",
                 t->gpu->info.name, kernel->name);
        ksr_gpu_keep(t->gpu, TEST, KSR_GPU_WRONG);
        status = KSR_E_PROCESS;
    }
    return status;
}

static bool prepare_drawing(struct trial *t)
{
    t->scratch = ksr_aligned_calloc(ksr_descale_scratch(WIDTH));
    t->kept = ksr_resampler_create(&source, &doubled, NULL);
    return t->scratch && t->kept &&
           ksr_descale_axis_make(&t->axes[0], KSR_KERNEL_BICUBIC, WIDTH, drawing.width) &&
           ksr_descale_axis_make(&t->axes[1], KSR_KERNEL_BICUBIC, HEIGHT, drawing.height) &&
           ksr_descale_axis_make(&t->axes[2], KSR_KERNEL_BICUBIC, drawing.width, WIDTH) &&
           ksr_descale_axis_make(&t->axes[3], KSR_KERNEL_BICUBIC, drawing.height, HEIGHT);
}

static ksr_status prepare(struct trial *t)
{
    const size_t bytes = PLANES * PLANE * sizeof(uint16_t);
    struct ksr_gpu *gpu = t->gpu;
    t->samples = ksr_aligned_calloc(bytes);
    t->resampler = ksr_resampler_create(&source, &fitted, NULL);
    if (!t->samples || !t->resampler || !prepare_drawing(t))
        return ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "test it");
    ksr_status status = ksr_gpu_fit_create(gpu, &t->fit, &source, &fitted);
    if (status == KSR_OK)
        status = ksr_gpu_drawing_create(gpu, &t->drawing, &source, &drawing, &doubled,
                                        KSR_KERNEL_BICUBIC, &(struct ksr_chroma_shift_params){0});
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->compute, &t->commands);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &t->local, KSR_GPU_LOCAL, bytes);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &t->upload, KSR_GPU_UPLOAD, bytes);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &t->download, KSR_GPU_DOWNLOAD, bytes);
    return status;
}

static void finish(struct trial *t)
{
    ksr_gpu_commands_free(&t->commands);
    ksr_gpu_buffer_free(t->gpu, &t->local);
    ksr_gpu_buffer_free(t->gpu, &t->upload);
    ksr_gpu_buffer_free(t->gpu, &t->download);
    ksr_gpu_fit_free(t->gpu, &t->fit);
    ksr_resampler_destroy(&t->resampler);
    ksr_gpu_drawing_free(t->gpu, &t->drawing);
    for (int i = 0; i < 4; i++)
        ksr_descale_axis_free(&t->axes[i]);
    ksr_aligned_free(t->scratch);
    ksr_resampler_destroy(&t->kept);
    ksr_aligned_free(t->samples);
}

ksr_status ksr_gpu_selftest(struct ksr_gpu *gpu, const struct ksr_gpu_stages *stages)
{
    struct trial t = {.gpu = gpu, .stages = stages};
    const enum ksr_gpu_result kept = ksr_gpu_recall(gpu, TEST);
    if (kept != KSR_GPU_UNTESTED)
        return kept == KSR_GPU_PASSED ? KSR_OK : KSR_E_PROCESS;
    ksr_stage_table_init(&t.c, KSR_CPU_C);
    ksr_status status = prepare(&t);
    for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]) && status == KSR_OK; i++)
        status = run_trial(&t, &trials[i]);
    if (status == KSR_OK)
        ksr_gpu_keep(gpu, TEST, KSR_GPU_PASSED);
    finish(&t);
    return status;
}
