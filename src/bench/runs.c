// All stages together, from bytes to bytes; see runs.h.
//
// On the processor with more and more threads, then on each GPU, whose results must be the same.

#include "bench/runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/gpus.h"
#include "config/json.h"
#include "core/hash.h"
#include "frame/tile.h"
#include "net/library.h"
#include "stages/descale.h"

#define DENOISE       0.2 // the strength of stage 1 that is measured
#define RESULT_FRAMES 4   // that are made for a result
#define GRAIN         "1:3,4,4,4,4,3,3,2:0.5:1:0.5"

struct ksr_pipeline_config ksr_bench_config(bool all)
{
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.denoise = DENOISE;
    if (!all)
        return config;
    config.chroma_shift_x = 1;
    config.chroma_shift_y = 0.5;
    config.deblock = 0.5;
    config.dehalo = 0.5;
    config.deband = 0.25;
    config.structure_smoothing = 0.5;
    config.antialias = 1;
    config.guided_chroma = 1;
    config.sharpening = 0.5;
    config.line_darkening = 0.3;
    config.contrast_boost = 1.1;
    config.saturation_boost = 1.1;
    config.enable_temporal = true;
    return config;
}

bool ksr_bench_can_descale(const struct ksr_bench_state *b)
{
    return ksr_min(b->width, b->height) * 2 / 3 >= KSR_DESCALE_LEAST;
}

// --- Frames ---

static struct ksr_code_plane codes_of(const struct ksr_raw_frame *raw, int plane)
{
    return (struct ksr_code_plane){raw->plane[plane].data, raw->plane[plane].stride, 8};
}

static void source_rows(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1)
{
    const struct ksr_bench_run *r = opaque;
    const struct ksr_code_plane code = codes_of(&r->in, plane);
    r->b->frames->unpack_rows(dst, &code, y0, y1);
}

static void sink_rows(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_bench_run *r = opaque;
    const struct ksr_code_plane code = codes_of(&r->out, plane);
    r->b->frames->pack_rows(&code, src, &r->out.plane[plane].pack, y0, y1);
}

void ksr_bench_run_frame(void *arg)
{
    struct ksr_bench_run *r = arg;
    const struct ksr_row_source source = {source_rows, r, r->rows ? NULL : &r->in};
    const struct ksr_row_sink sink = {sink_rows, r, r->rows ? NULL : &r->out};
    r->status = ksr_pipeline_push(r->b->ctx, r->pipeline, r->frame++, &source, false);
    if (r->status == KSR_OK && r->pipeline->held > r->pipeline->delay)
        r->status = ksr_pipeline_pull(r->b->ctx, r->pipeline, &sink);
    r->made += r->frame > r->pipeline->delay;
}

uint64_t ksr_bench_run_result(struct ksr_bench_run *r)
{
    ksr_pipeline_reset(r->pipeline);
    r->frame = 0;
    r->made = 0;
    while (r->status == KSR_OK && r->made < RESULT_FRAMES)
        ksr_bench_run_frame(r);
    return ksr_hash64(r->b->codes_out, r->out_bytes);
}

// Describes 8-bit codes, planes one after the other without space between rows, as all is hashed.
static struct ksr_raw_frame describe(uint8_t *codes, const struct ksr_layout *layout, size_t *bytes)
{
    struct ksr_raw_frame raw = ksr_raw_codes(layout);
    *bytes = 0;
    for (int i = 0; i < layout->planes; i++) {
        const int width = ksr_layout_plane_width(layout, i);
        raw.plane[i].data = codes + *bytes;
        raw.plane[i].stride = width;
        *bytes += (size_t)width * (size_t)ksr_layout_plane_height(layout, i);
    }
    return raw;
}

ksr_status ksr_bench_open_run(struct ksr_bench_run *r, struct ksr_bench_state *b,
                              const struct ksr_bench_case *c, int threads,
                              struct ksr_device *device)
{
    struct ksr_recipe recipe = {0};
    size_t in_bytes;
    *r = (struct ksr_bench_run){.b = b, .pool = threads > 1 ? ksr_pool_create(threads) : NULL};
    if (!ksr_recipe_make(&recipe, &b->small.layout, &c->config, &c->engine) ||
        (threads > 1 && !r->pool))
        return ksr_fail_memory(b->ctx);
    r->in = describe(b->codes_in, &recipe.input, &in_bytes);
    r->out = describe(b->codes_out, &recipe.output, &r->out_bytes);
    return ksr_pipeline_create(b->ctx, &recipe, device, r->pool, &r->pipeline);
}

void ksr_bench_close_run(struct ksr_bench_run *r)
{
    ksr_pipeline_destroy(&r->pipeline);
    ksr_pool_destroy(&r->pool);
}

json_t *ksr_bench_entry(struct ksr_bench_state *b, const struct ksr_bench_case *c, int threads,
                        double seconds)
{
    json_t *entry =
        json_pack("{s:s,s:i,s:i,s:f,s:f}", "name", c->name, "scale", ksr_recipe_scale(&c->config),
                  "threads", threads, "ms", seconds * 1e3, "frames_per_second", 1 / seconds);
    if (c->multiplications > 0)
        ksr_json_set(entry, "gigamultiplications_per_second",
                     json_real(c->multiplications / seconds / 1e9), &b->lost);
    return entry;
}

// --- The processor ---

// One, two, four ... threads, and as many as there are.
static int next_threads(const struct ksr_bench_state *b, int threads)
{
    return threads < b->threads && 2 * threads > b->threads ? b->threads : 2 * threads;
}

// *result: a hash of the frame that is made.
static ksr_status bench_processor(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                                  json_t *list, uint64_t *result)
{
    ksr_status status = KSR_OK;
    for (int threads = 1; threads <= b->threads && status == KSR_OK;
         threads = next_threads(b, threads)) {
        struct ksr_bench_run r;
        double seconds = NAN;
        status = ksr_bench_open_run(&r, b, c, threads, NULL);
        if (status == KSR_OK) {
            seconds = ksr_bench_measure(b, ksr_bench_run_frame, &r);
            status = isnan(seconds) ? KSR_E_CANCELLED : r.status;
        }
        if (status == KSR_OK)
            ksr_json_append(list, ksr_bench_entry(b, c, threads, seconds), &b->lost);
        if (status == KSR_OK) {
            *result = ksr_bench_run_result(&r);
            status = r.status;
        }
        ksr_bench_close_run(&r);
    }
    return status;
}

// --- All runs ---

struct row {
    const char *name;
    int scale;
    bool all, temporal, restores, network, chroma;
};

static const struct row rows[] = {
    {.name = "filters", .scale = 2},
    {.name = "filters", .scale = 4},
    {.name = "stages 1 to 4", .scale = 2, .all = true},
    {.name = "all stages", .scale = 2, .all = true, .temporal = true},
    {.name = "restoration", .scale = 2, .restores = true},
};

// What is done to whole frames around the chains. drawn: text that the configuration borrows.
static void restore(const struct ksr_bench_state *b, struct ksr_pipeline_config *config,
                    char drawn[32])
{
    snprintf(drawn, 32, "%dx%d:bicubic", b->width * 2 / 3, b->height * 2 / 3);
    if (ksr_bench_can_descale(b))
        config->descale = drawn;
    config->composite = 0.2;
    config->grain = GRAIN;
}

static ksr_status bench_row(struct ksr_bench_state *b, const struct row *row, json_t *list,
                            struct ksr_bench_gpu *gpu, int gpus)
{
    char drawn[32];
    struct ksr_bench_case c = {.name = row->name, .config = ksr_bench_config(row->all)};
    uint64_t result = 0;
    c.config.shader_scale = row->scale;
    c.config.use_ai = row->network;
    c.config.enable_temporal = row->temporal;
    if (row->restores)
        restore(b, &c.config, drawn);
    ksr_net **net = row->chroma ? &c.engine.chroma : &c.engine.net;
    ksr_status status = row->network ? ksr_model_load(b->ctx, c.name, NULL, net) : KSR_OK;
    if (row->network && status == KSR_OK)
        c.multiplications = ksr_net_pixel_multiplications(*net) * b->width * b->height;
    if (status == KSR_OK)
        status = bench_processor(b, &c, list, &result);
    for (int i = 0; i < gpus && status == KSR_OK; i++)
        status = ksr_bench_gpu_run(b, &c, &gpu[i], result);
    ksr_net_destroy(net);
    return status;
}

ksr_status ksr_bench_runs(struct ksr_bench_state *b)
{
    struct ksr_bench_gpu gpu[KSR_DEVICE_MOST] = {{0}};
    int gpus;
    json_t *list = json_array();
    ksr_json_set(b->root, "runs", list, &b->lost);
    ksr_status status = ksr_bench_open_gpus(b, gpu, &gpus);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && status == KSR_OK; i++)
        status = bench_row(b, &rows[i], list, gpu, gpus);
    for (size_t i = 0; i < ksr_network_count && status == KSR_OK; i++) {
        const struct row row = {.name = ksr_networks[i].name,
                                .scale = 2,
                                .network = true,
                                .chroma = ksr_networks[i].enlarges_chroma};
        // Others have the shape of one of these. Beside one of chroma filters enlarge luma.
        if (ksr_network_is_chosen(&ksr_networks[i]) || row.chroma)
            status = bench_row(b, &row, list, gpu, gpus);
    }
    for (int i = 0; i < gpus; i++)
        ksr_device_close(&gpu[i].device);
    return status;
}
