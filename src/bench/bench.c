// The measurements of ksr_bench(); see bench.h.
//
// One picture of lines, ramps and grain is made, and everything is measured on it: each stage alone
// on one thread over whole planes, so that its bytes go through memory; all stages fused, as a run
// has them, on more and more threads; the networks; and the ceilings.

#include "kizunasr/bench.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peak.h"
#include "bench/runs.h"
#include "config/json.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/pool.h"
#include "frame/tile.h"

enum { LEAST_TIMES = 3, MOST_TIMES = 1000, COPY_BYTES = 64 << 20 };

// --- Time ---

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ksr_bench_measure(const struct ksr_bench_state *b, void (*call)(void *arg), void *arg)
{
    double times[MOST_TIMES];
    int count = 0;
    call(arg); // warms up
    const double end = ksr_clock() + b->seconds;
    while (count < MOST_TIMES && (count < LEAST_TIMES || ksr_clock() < end)) {
        if (ksr_check_cancel(b->ctx) != KSR_OK)
            return NAN;
        const double start = ksr_clock();
        call(arg);
        times[count++] = ksr_clock() - start;
    }
    qsort(times, (size_t)count, sizeof(times[0]), by_size);
    return times[count / 2];
}

// --- The picture ---

static int picture_sample(int x, int y, uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    const int grain = (int)(*random >> 30);
    const int line = (x + 2 * y) % 97 < 3 || (3 * x - y) % 131 == 0;
    return line ? 24 + grain : 60 + (x + y) / 16 % 160 + grain;
}

static size_t plane_bytes(const struct ksr_plane *plane)
{
    return (size_t)plane->width * (size_t)plane->height;
}

static size_t frame_bytes(const struct ksr_frame *frame)
{
    size_t bytes = 0;
    for (int i = 0; i < frame->layout.planes; i++)
        bytes += plane_bytes(&frame->plane[i]);
    return bytes;
}

// Returns plane i of codes that have the sizes of `frame`.
static struct ksr_code_plane code_plane(uint8_t *codes, const struct ksr_frame *frame, int i)
{
    for (int k = 0; k < i; k++)
        codes += plane_bytes(&frame->plane[k]);
    return (struct ksr_code_plane){codes, frame->plane[i].width, 8};
}

static bool make_pictures(struct ksr_bench_state *b)
{
    const struct ksr_layout layout = {.width = b->width,
                                      .height = b->height,
                                      .planes = 3,
                                      .chroma_shift_x = 1,
                                      .chroma_shift_y = 1,
                                      .siting_y = KSR_SITING_CENTRED};
    const struct ksr_layout twice = ksr_layout_scaled(&layout, 2);
    uint32_t random = 1;
    if (!ksr_frame_alloc(&b->small, &layout) || !ksr_frame_alloc(&b->big, &twice) ||
        !ksr_frame_alloc(&b->before, &twice) || !ksr_frame_alloc(&b->memory[0], &twice) ||
        !ksr_frame_alloc(&b->memory[1], &twice))
        return false;
    b->codes_in = malloc(frame_bytes(&b->small));
    b->codes_out = malloc(4 * frame_bytes(&b->big)); // 4x, too
    if (!b->codes_in || !b->codes_out)
        return false;
    for (int i = 0; i < 3; i++) {
        const struct ksr_code_plane code = code_plane(b->codes_in, &b->small, i);
        for (int y = 0; y < b->small.plane[i].height; y++)
            for (int x = 0; x < b->small.plane[i].width; x++)
                code.data[y * code.stride + x] = (uint8_t)picture_sample(x, y, &random);
        b->frames->unpack_rows(&b->small.plane[i], &code, 0, b->small.plane[i].height);
    }
    return true;
}

// --- Stages, one by one ---

// What a stage is measured with.
struct stage_run {
    struct ksr_bench_state *b;
    const struct stage *stage;
    struct ksr_pipeline_config on; // every stage that is off by default is on
    struct ksr_descale_axis down[2], up[2];
    void *scratch; // of ksr_descale_rows()
};

struct stage {
    const char *name;
    int planes; // 1: luma alone, 3: all
    int reads;  // samples read for each one of the output, in quarters
    bool small; // works on the picture before the upscale
    bool usual; // on by default
    void (*run)(const struct stage_run *r, int plane);
};

static void run_unpack(const struct stage_run *r, int i)
{
    struct ksr_bench_state *b = r->b;
    const struct ksr_code_plane code = code_plane(b->codes_in, &b->small, i);
    b->frames->unpack_rows(&b->small.plane[i], &code, 0, b->small.plane[i].height);
}

// Plane i of memory k, as large as that of the small picture.
static struct ksr_plane small_memory(const struct stage_run *r, int k, int i)
{
    struct ksr_plane out = r->b->memory[k].plane[i];
    out.width = r->b->small.plane[i].width;
    out.height = r->b->small.plane[i].height;
    return out;
}

static void run_normalize(const struct stage_run *r, int i)
{
    const struct ksr_normalize_params params = ksr_normalize_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.normalize_rows(&out, small, &params, 0, small->height);
}

static void run_composite(const struct stage_run *r, int i)
{
    const struct ksr_temporal_params params = ksr_composite_params_make(0.5);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i), held = small_memory(r, 1, 0);
    struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES];
    const int shift = i > 0 ? 1 : 0;
    if (i == 0)
        r->b->stages.composite_smooth_rows(&out, small, 0, small->height);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++) {
        frames[k] = (struct ksr_composite_frame){*small, held};
        if (i == 0)
            r->b->stages.temporal_still_rows(&held, small, small, &params, 0, small->height);
    }
    r->b->stages.composite_rows(&out, small, frames, shift, shift, 0, small->height);
}

// From 1080 rows to 720, say, and back, as what was not drawn at that size is found.
static void run_descale(const struct stage_run *r, int i)
{
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane again = small_memory(r, 1, i);
    struct ksr_plane drawn = r->b->memory[0].plane[i];
    drawn.width = r->down[0].size;
    drawn.height = r->down[1].size;
    r->b->stages.descale_rows(&drawn, small, &r->down[0], &r->down[1], r->scratch, 0, drawn.height);
    r->b->stages.descale_rows(&again, &drawn, &r->up[0], &r->up[1], r->scratch, 0, again.height);
}

static void run_chroma_shift(const struct stage_run *r, int i)
{
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_layout *layout = &r->b->small.layout;
    const struct ksr_chroma_shift_params params =
        ksr_chroma_shift_params_make(&r->on, layout, layout);
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.chroma_shift_rows(&out, small, &params, 0, small->height);
}

static void run_deblock(const struct stage_run *r, int i)
{
    const struct ksr_deblock_params params = ksr_deblock_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.deblock_rows(&out, small, &params, 0, small->height);
}

static void run_dehalo(const struct stage_run *r, int i)
{
    const struct ksr_dehalo_params params = ksr_dehalo_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.dehalo_rows(&out, small, &params, 0, small->height);
}

static void run_deband(const struct stage_run *r, int i)
{
    const struct ksr_deband_params params = ksr_deband_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.deband_rows(&out, small, &params, 0, small->height);
}

static void run_structure(const struct stage_run *r, int i)
{
    const struct ksr_structure_params params = ksr_structure_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.structure_rows(&out, small, &params, 0, small->height);
}

static void run_antialias(const struct stage_run *r, int i)
{
    const struct ksr_antialias_params params = ksr_antialias_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    const struct ksr_plane out = small_memory(r, 0, i);
    r->b->stages.antialias_rows(&out, small, &params, 0, small->height);
}

static void run_learned(const struct stage_run *r, int i)
{
    r->b->stages.learned_rows(&r->b->big.plane[i], &r->b->small.plane[i], 0,
                              r->b->big.plane[i].height);
}

static void run_chroma(const struct stage_run *r, int i)
{
    const struct ksr_upscale_params params = ksr_upscale_params_make(&r->b->small.layout, i);
    if (i > 0)
        r->b->stages.upscale_rows(&r->b->big.plane[i], &r->b->small.plane[i], &params, 0,
                                  r->b->big.plane[i].height);
}

static void run_guided(const struct stage_run *r, int i)
{
    const struct ksr_guide_params params = ksr_guide_params_make(&r->on, &r->b->small.layout);
    if (i > 0)
        r->b->stages.guided_rows(&r->b->big.plane[i], &r->b->small.plane[i], &r->b->small.plane[0],
                                 &params, 0, r->b->big.plane[i].height);
}

static void run_enhance(const struct stage_run *r, int i)
{
    const struct ksr_enhance_params params = ksr_enhance_params_make(&r->on, false);
    const struct ksr_plane *src = &r->b->big.plane[i], *dst = &r->b->memory[0].plane[i];
    if (i == 0)
        r->b->stages.enhance_luma_rows(dst, src, &params, 0, src->height);
    else
        r->b->stages.enhance_chroma_rows(dst, src, &params, 0, src->height);
}

static void run_grain(const struct stage_run *r, int i)
{
    const struct ksr_grain grain = {.amount = 100,
                                    .luma = {200, 300, 400, 400, 400, 400, 300, 200},
                                    .chroma = 200,
                                    .alike = {40, 40}};
    const struct ksr_plane *src = &r->b->big.plane[i];
    const struct ksr_grain_params params =
        ksr_grain_params_make(&grain, false, i, (int[]){1, 1}, (int[]){2, 2});
    r->b->stages.grain_rows(&r->b->memory[0].plane[i], src, &params, 0, 0, src->height);
}

static void run_temporal(const struct stage_run *r, int i)
{
    const struct ksr_temporal_params params = ksr_temporal_params_make(&r->on);
    const struct ksr_plane *small = &r->b->small.plane[i];
    for (int k = 0; k < 2; k++) {
        struct ksr_plane out = r->b->memory[k].plane[i], memory = r->b->before.plane[i];
        out.width = memory.width = small->width;
        out.height = memory.height = small->height;
        r->b->stages.temporal_rows(&out, &memory, small, &params, params.weight, 0, small->height);
    }
}

static void run_pack(const struct stage_run *r, int i)
{
    struct ksr_bench_state *b = r->b;
    const struct ksr_code_plane code = code_plane(b->codes_out, &b->big, i);
    const struct ksr_pack_params params = {.source_bits = 8, .chroma = i > 0, .dither = true};
    b->frames->pack_rows(&code, &b->big.plane[i], &params, 0, b->big.plane[i].height);
}

static const struct stage stages[] = {
    {"unpack", 3, 2, true, true, run_unpack},
    {"composite", 3, 24, true, false, run_composite},
    {"descale", 1, 4, true, false, run_descale},
    {"chroma shift", 2, 4, true, false, run_chroma_shift},
    {"deblock", 3, 4, true, false, run_deblock},
    {"dehalo", 1, 4, true, false, run_dehalo},
    {"normalize", 3, 4, true, true, run_normalize},
    {"deband", 3, 4, true, false, run_deband},
    {"structure", 1, 4, true, false, run_structure},
    {"antialias", 1, 4, true, false, run_antialias},
    {"luma upscale", 1, 1, false, true, run_learned},
    {"chroma upscale", 2, 1, false, true, run_chroma},
    {"guided chroma", 2, 5, false, false, run_guided},
    {"enhance", 3, 4, false, false, run_enhance},
    {"temporal", 3, 16, true, false, run_temporal},
    {"grain", 3, 4, false, false, run_grain},
    {"pack", 3, 2, false, true, run_pack},
};

static void run_stage(void *arg)
{
    const struct stage_run *r = arg;
    const int first = r->stage->planes == 2 ? 1 : 0;
    for (int i = first; i < first + r->stage->planes; i++)
        r->stage->run(r, i);
}

// Bytes that a stage reads and writes at least: 2 a sample, 1 a code.
static double stage_bytes(const struct ksr_bench_state *b, const struct stage *stage)
{
    const struct ksr_frame *frame = stage->small ? &b->small : &b->big;
    double samples = 0;
    const int first = stage->planes == 2 ? 1 : 0;
    for (int i = first; i < first + stage->planes; i++)
        samples += (double)plane_bytes(&frame->plane[i]);
    const double written = stage->run == run_pack ? 1 : stage->run == run_temporal ? 4 : 2;
    const double read = stage->run == run_unpack ? 1 : 2.0 * stage->reads / 4;
    return samples * (read + written);
}

static bool make_axes(struct stage_run *r)
{
    const int size[2] = {r->b->width, r->b->height};
    bool ok = true;
    for (int i = 0; i < 2 && ksr_bench_can_descale(r->b); i++)
        ok = ok &&
             ksr_descale_axis_make(&r->down[i], KSR_KERNEL_BICUBIC, size[i], size[i] * 2 / 3) &&
             ksr_descale_axis_make(&r->up[i], KSR_KERNEL_BICUBIC, size[i] * 2 / 3, size[i]);
    r->scratch = ksr_aligned_calloc(ksr_descale_scratch(r->b->width));
    return ok && r->scratch;
}

static void free_axes(struct stage_run *r)
{
    for (int i = 0; i < 2; i++) {
        ksr_descale_axis_free(&r->down[i]);
        ksr_descale_axis_free(&r->up[i]);
    }
    ksr_aligned_free(r->scratch);
}

static ksr_status measure_stages(struct stage_run *r, json_t *list)
{
    struct ksr_bench_state *b = r->b;
    for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (stages[i].run == run_descale && !ksr_bench_can_descale(b))
            continue;
        r->stage = &stages[i];
        const double time = ksr_bench_measure(b, run_stage, r), bytes = stage_bytes(b, &stages[i]);
        if (isnan(time))
            return KSR_E_CANCELLED;
        ksr_json_append(list,
                        json_pack("{s:s,s:b,s:f,s:f,s:f}", "name", stages[i].name, "default",
                                  stages[i].usual, "ms", time * 1e3, "megabytes", bytes / 1e6,
                                  "gigabytes_per_second", bytes / time / 1e9),
                        &b->lost);
    }
    return KSR_OK;
}

static ksr_status bench_stages(struct ksr_bench_state *b)
{
    json_t *list = json_array();
    struct stage_run r = {.b = b, .on = ksr_bench_config(true)};
    ksr_json_set(b->root, "stages", list, &b->lost);
    const ksr_status status = make_axes(&r) ? measure_stages(&r, list) : ksr_fail_memory(b->ctx);
    free_axes(&r);
    return status;
}

// --- Ceilings ---

struct copy_run {
    uint8_t *from, *to;
    ksr_pool *pool;
    int threads;
};

static void copy_part(void *arg, int i, int thread)
{
    const struct copy_run *r = arg;
    const size_t part = COPY_BYTES / (size_t)r->threads;
    (void)thread;
    memcpy(r->to + (size_t)i * part, r->from + (size_t)i * part, part);
}

static void run_copy(void *arg)
{
    struct copy_run *r = arg;
    ksr_pool_run(r->pool, copy_part, r, r->threads);
}

struct multiply_run {
    enum ksr_cpu_level level;
    const char *what;
    double operations;
    bool there;
    ksr_pool *pool;
    int threads;
};

static void multiply_part(void *arg, int i, int thread)
{
    struct multiply_run *r = arg;
    double operations;
    (void)thread;
    const bool there = ksr_ceiling_multiply(r->level, r->what, &operations);
    if (i == 0) {
        r->operations = operations;
        r->there = there;
    }
}

static void run_multiply(void *arg)
{
    struct multiply_run *r = arg;
    ksr_pool_run(r->pool, multiply_part, r, r->threads);
}

static ksr_status bench_ceilings(struct ksr_bench_state *b)
{
    struct copy_run copy = {malloc(COPY_BYTES), malloc(COPY_BYTES), NULL, b->threads};
    ksr_pool *pool = b->threads > 1 ? ksr_pool_create(b->threads) : NULL;
    json_t *ceilings = json_object();
    ksr_status status = copy.from && copy.to ? KSR_OK : ksr_fail_memory(b->ctx);
    ksr_json_set(b->root, "ceilings", ceilings, &b->lost);
    if (status == KSR_OK) {
        memset(copy.from, 1, COPY_BYTES);
        copy.pool = pool;
        const double time = ksr_bench_measure(b, run_copy, &copy); // read and written
        ksr_json_set(ceilings, "copy_gigabytes_per_second",
                     json_real(2.0 * COPY_BYTES / time / 1e9), &b->lost);
        status = isnan(time) ? KSR_E_CANCELLED : KSR_OK;
    }
    static const char *const kinds[] = {"int16", "int8"};
    for (int i = 0; i < 2 && status == KSR_OK; i++) {
        char name[64];
        struct multiply_run run = {
            .level = ksr_cpu_level(), .what = kinds[i], .pool = pool, .threads = b->threads};
        const double time = ksr_bench_measure(b, run_multiply, &run);
        snprintf(name, sizeof(name), "%s_gigamultiplications_per_second", kinds[i]);
        ksr_json_set(ceilings, name,
                     run.there ? json_real(run.operations * b->threads / time / 1e9) : json_null(),
                     &b->lost);
        status = isnan(time) ? KSR_E_CANCELLED : KSR_OK;
    }
    free(copy.from);
    free(copy.to);
    ksr_pool_destroy(&pool);
    return status;
}

// --- The machine ---

static void describe_machine(struct ksr_bench_state *b)
{
    char line[256], name[128] = "unknown";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", 10) == 0) {
            snprintf(name, sizeof(name), "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file)
        fclose(file);
    ksr_json_set(b->root, "processor", json_string(name), &b->lost);
    ksr_json_set(b->root, "level", json_string(ksr_cpu_level_name((int)ksr_cpu_level())), &b->lost);
    ksr_json_set(b->root, "threads", json_integer(b->threads), &b->lost);
    ksr_json_set(b->root, "width", json_integer(b->width), &b->lost);
    ksr_json_set(b->root, "height", json_integer(b->height), &b->lost);
    ksr_json_set(b->root, "version", json_string(ksr_version()), &b->lost);
}

static ksr_status read_options(ksr_context *ctx, const struct ksr_bench_options *o,
                               struct ksr_bench_state *b)
{
    static const struct ksr_bench_options none;
    o = o ? o : &none;
    *b = (struct ksr_bench_state){.ctx = ctx,
                                  .width = o->width ? o->width : 1920,
                                  .height = o->height ? o->height : 1080,
                                  .threads = o->threads ? o->threads : ksr_min(ksr_cpu_count(), 64),
                                  .seconds = o->seconds > 0 ? o->seconds : 1,
                                  .device = o->device};
    if (b->width < 16 || b->width > 16384 || b->height < 16 || b->height > 16384)
        return ksr_fail(ctx, KSR_E_PARAM, "size: '%dx%d' is not valid (16 to 16384)", b->width,
                        b->height);
    if (b->threads < 1 || b->threads > 64)
        return ksr_fail(ctx, KSR_E_PARAM, "threads: '%d' is not valid (1 to 64)", b->threads);
    if (!(o->seconds >= 0 && o->seconds <= 60))
        return ksr_fail(ctx, KSR_E_PARAM, "seconds: '%g' is not valid (0.01 to 60)", o->seconds);
    return KSR_OK;
}

ksr_status ksr_bench(ksr_context *ctx, const struct ksr_bench_options *options, char **json)
{
    struct ksr_bench_state b;
    if (!json)
        return ksr_fail(ctx, KSR_E_PARAM, "json is NULL");
    *json = NULL;
    ksr_status status = read_options(ctx, options, &b);
    if (status != KSR_OK)
        return status;
    ksr_stage_table_init(&b.stages, ksr_cpu_level());
    b.frames = ksr_frame_table(ksr_cpu_level());
    b.root = json_object();
    describe_machine(&b);
    status = make_pictures(&b) ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = bench_ceilings(&b);
    if (status == KSR_OK)
        status = bench_stages(&b);
    if (status == KSR_OK)
        status = ksr_bench_runs(&b);
    if (status == KSR_OK && b.lost)
        status = ksr_fail_memory(ctx);
    ksr_memory_watch();
    if (status == KSR_OK)
        status =
            ksr_json_text(ctx, json_incref(b.root), JSON_INDENT(2) | JSON_REAL_PRECISION(5), json);
    json_decref(b.root);
    ksr_frame_free(&b.small);
    ksr_frame_free(&b.big);
    ksr_frame_free(&b.before);
    ksr_frame_free(&b.memory[0]);
    ksr_frame_free(&b.memory[1]);
    free(b.codes_in);
    free(b.codes_out);
    return status;
}
