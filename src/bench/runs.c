// All stages together, from bytes to bytes; see runs.h.
//
// On the processor with more and more threads, then on each GPU, whose results must be the same.

#include "bench/runs.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "config/json.h"
#include "core/clock.h"
#include "core/hash.h"
#include "net/library.h"
#include "pipeline/device.h"

#define DENOISE 0.2 // the strength of stage 1 that is measured

enum { LEAST_FRAMES = 10 }; // that a GPU is measured with

// A GPU, and what was measured of it.
struct gpu {
    ksr_device *device;
    struct ksr_device_peaks peaks;
    json_t *runs; // of the result, borrowed
};

// What is measured, and with what.
struct bench_case {
    const char *name; // "filters" or that of a network
    struct ksr_pipeline_config config;
    ksr_engine engine;
    double multiplications; // of a frame
};

struct ksr_pipeline_config ksr_bench_config(void)
{
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.denoise = DENOISE;
    return config;
}

// --- Frames ---

struct run {
    struct ksr_bench_state *b;
    ksr_pipeline *pipeline;
    ksr_pool *pool;
    int64_t frame;
    ksr_status status;            // of the last frame
    struct ksr_raw_frame in, out; // the codes
    size_t in_bytes, out_bytes;
};

static struct ksr_code_plane codes_of(const struct ksr_raw_frame *raw, int plane)
{
    return (struct ksr_code_plane){raw->plane[plane].data, raw->plane[plane].stride, 8};
}

static void source_rows(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1)
{
    const struct run *r = opaque;
    const struct ksr_code_plane code = codes_of(&r->in, plane);
    r->b->frames->unpack_rows(dst, &code, y0, y1);
}

static void sink_rows(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    const struct run *r = opaque;
    const struct ksr_code_plane code = codes_of(&r->out, plane);
    r->b->frames->pack_rows(&code, src, &r->out.plane[plane].pack, y0, y1);
}

static void run_frame(void *arg)
{
    struct run *r = arg;
    const struct ksr_row_source source = {source_rows, r, &r->in};
    const struct ksr_row_sink sink = {sink_rows, r, &r->out};
    r->status = ksr_pipeline_push(r->b->ctx, r->pipeline, r->frame++, &source, false);
    if (r->status == KSR_OK && r->pipeline->held > r->pipeline->delay)
        r->status = ksr_pipeline_pull(r->b->ctx, r->pipeline, &sink);
}

// Describes 8-bit codes, planes one after the other.
static struct ksr_raw_frame describe(uint8_t *codes, const struct ksr_layout *layout, size_t *bytes)
{
    struct ksr_raw_frame raw = {0};
    *bytes = 0;
    for (int i = 0; i < layout->planes; i++) {
        const int width = ksr_layout_plane_width(layout, i);
        raw.plane[i] =
            (struct ksr_raw_plane){.data = codes + *bytes,
                                   .stride = width,
                                   .step = 1,
                                   .bytes = 1,
                                   .bits = 8,
                                   .pack = {.source_bits = 8, .chroma = i > 0, .dither = true}};
        *bytes += (size_t)width * (size_t)ksr_layout_plane_height(layout, i);
    }
    return raw;
}

static ksr_status open_run(struct run *r, struct ksr_bench_state *b, struct bench_case *c,
                           int threads, ksr_device *device)
{
    struct ksr_recipe recipe = {0};
    *r = (struct run){.b = b, .pool = threads > 1 ? ksr_pool_create(threads) : NULL};
    if (!ksr_recipe_make(&recipe, &b->small.layout, &c->config, &c->engine) ||
        (threads > 1 && !r->pool))
        return ksr_fail_memory(b->ctx);
    r->in = describe(b->codes_in, &recipe.input, &r->in_bytes);
    r->out = describe(b->codes_out, &recipe.output, &r->out_bytes);
    return ksr_pipeline_create(b->ctx, &recipe, device, r->pool, &r->pipeline);
}

static void close_run(struct run *r)
{
    ksr_pipeline_destroy(&r->pipeline);
    ksr_pool_destroy(&r->pool);
}

// Returns what all runs have in common.
static json_t *entry_of(const struct bench_case *c, int threads, double seconds, bool *lost)
{
    json_t *entry =
        json_pack("{s:s,s:i,s:i,s:f,s:f}", "name", c->name, "scale", ksr_recipe_scale(&c->config),
                  "threads", threads, "ms", seconds * 1e3, "frames_per_second", 1 / seconds);
    if (c->multiplications > 0)
        ksr_json_set(entry, "gigamultiplications_per_second",
                     json_real(c->multiplications / seconds / 1e9), lost);
    return entry;
}

// --- The processor ---

// One, two, four ... threads, and as many as there are.
static int next_threads(const struct ksr_bench_state *b, int threads)
{
    return threads < b->threads && 2 * threads > b->threads ? b->threads : 2 * threads;
}

// *result: a hash of the frame that is made.
static ksr_status bench_processor(struct ksr_bench_state *b, struct bench_case *c, json_t *list,
                                  uint64_t *result)
{
    ksr_status status = KSR_OK;
    for (int threads = 1; threads <= b->threads && status == KSR_OK;
         threads = next_threads(b, threads)) {
        struct run r;
        double seconds = NAN;
        status = open_run(&r, b, c, threads, NULL);
        if (status == KSR_OK) {
            seconds = ksr_bench_measure(b, run_frame, &r);
            status = isnan(seconds) ? KSR_E_CANCELLED : r.status;
        }
        if (status == KSR_OK)
            ksr_json_append(list, entry_of(c, threads, seconds, &b->lost), &b->lost);
        *result = status == KSR_OK ? ksr_hash64(b->codes_out, r.out_bytes) : 0;
        close_run(&r);
    }
    return status;
}

// --- GPUs ---

// Seconds that all threads have worked.
static double processor_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// *seconds, *worked: for a frame, by the clock and of all threads.
static int run_frames(struct run *r, double limit, double *seconds, double *worked)
{
    const double begin = ksr_clock(), before = processor_clock();
    int frames = 0;
    while (r->status == KSR_OK && (frames < LEAST_FRAMES || ksr_clock() < begin + limit)) {
        run_frame(r);
        frames++;
        if (r->status == KSR_OK)
            r->status = ksr_check_cancel(r->b->ctx);
    }
    *seconds = (ksr_clock() - begin) / frames;
    *worked = (processor_clock() - before) / frames;
    return frames;
}

static json_t *kernels_of(const struct ksr_device_time *times, int count, int frames, bool *lost,
                          double *all)
{
    json_t *list = json_array();
    *all = 0;
    for (int i = 0; i < count; i++)
        *all += times[i].seconds / frames;
    for (int i = 0; i < count; i++)
        ksr_json_append(list,
                        json_pack("{s:s,s:f,s:f}", "name", times[i].name, "ms",
                                  times[i].seconds / frames * 1e3, "share",
                                  times[i].seconds / frames / *all),
                        lost);
    return list;
}

// What a frame takes of each part of the way: they work at the same time, so the longest one limits
// the speed.
static void add_parts(json_t *entry, const struct run *r, const struct ksr_device_peaks *peaks,
                      double kernels, double worked, bool *lost)
{
    ksr_json_set(entry, "upload_ms", json_real((double)r->in_bytes / peaks->upload * 1e3), lost);
    ksr_json_set(entry, "kernels_ms", json_real(kernels * 1e3), lost);
    ksr_json_set(entry, "download_ms", json_real((double)r->out_bytes / peaks->download * 1e3),
                 lost);
    ksr_json_set(entry, "processor_ms", json_real(worked * 1e3), lost);
}

// Adds an entry, unless the processor stands in for the GPU, of which a warning has said why.
static void measure_gpu(struct run *r, const struct bench_case *c, struct gpu *gpu)
{
    struct ksr_bench_state *b = r->b;
    struct ksr_device_time times[KSR_DEVICE_TIMES];
    double seconds, worked, kernels;
    run_frames(r, 0, &seconds, &worked); // warms up
    if (!r->pipeline->device)
        return;
    ksr_device_take_times(gpu->device, times);
    const int frames = run_frames(r, b->seconds, &seconds, &worked);
    const int count = ksr_device_take_times(gpu->device, times);
    if (r->status != KSR_OK || !r->pipeline->device)
        return;
    json_t *entry = entry_of(c, b->threads, seconds, &b->lost);
    json_t *list = kernels_of(times, count, frames, &b->lost, &kernels);
    add_parts(entry, r, &gpu->peaks, kernels, worked, &b->lost);
    ksr_json_set(entry, "kernels", list, &b->lost);
    ksr_json_append(gpu->runs, entry, &b->lost);
}

// result: a hash of the processor's frame.
static ksr_status bench_gpu(struct ksr_bench_state *b, struct bench_case *c, struct gpu *gpu,
                            uint64_t result)
{
    struct run r;
    ksr_status status = open_run(&r, b, c, b->threads, gpu->device);
    if (status == KSR_OK) {
        memset(b->codes_out, 0, r.out_bytes);
        measure_gpu(&r, c, gpu);
        status = r.status;
    }
    if (status == KSR_OK && ksr_hash64(b->codes_out, r.out_bytes) != result)
        status = ksr_fail(b->ctx, KSR_E_PROCESS,
                          "device: %s gives another result than the processor for '%s'",
                          ksr_device_name(gpu->device), c->name);
    close_run(&r);
    return status;
}

static ksr_status add_gpu(struct ksr_bench_state *b, struct gpu *gpu, int index, json_t *list)
{
    char reason[KSR_DEVICE_TEXT];
    gpu->device = ksr_device_open(index, reason);
    if (!gpu->device)
        return ksr_fail(b->ctx, KSR_E_PROCESS, "device: %s", reason);
    const ksr_status status = ksr_device_measure(b->ctx, gpu->device, b->seconds, &gpu->peaks);
    if (status != KSR_OK)
        return status;
    gpu->runs = json_array();
    ksr_json_append(list,
                    json_pack("{s:s,s:f,s:f,s:s,s:f,s:o}", "name", ksr_device_name(gpu->device),
                              "upload_gigabytes_per_second", gpu->peaks.upload / 1e9,
                              "download_gigabytes_per_second", gpu->peaks.download / 1e9,
                              "multiplies_by", gpu->peaks.way, "gigamultiplications_per_second",
                              gpu->peaks.multiplications / 1e9, "runs", gpu->runs),
                    &b->lost);
    return b->lost ? ksr_fail_memory(b->ctx) : KSR_OK;
}

// Opens the GPUs that are wanted, *count of them even after a failure.
static ksr_status open_gpus(struct ksr_bench_state *b, struct gpu gpu[KSR_DEVICE_MOST], int *count)
{
    struct ksr_device_choice choice;
    char reason[KSR_DEVICE_TEXT];
    json_t *list = json_array();
    ksr_json_set(b->root, "gpus", list, &b->lost);
    *count = 0;
    ksr_status status = ksr_device_choose(b->ctx, b->device, false, &choice);
    if (status == KSR_OK && (choice.all || (choice.automatic && ksr_device_may_exist())))
        choice.gpus = ksr_device_rank(choice.gpu, reason);
    if (status == KSR_OK && choice.all && choice.gpus == 0)
        ksr_log(b->ctx, KSR_LOG_WARNING, "device: only the processor is measured: %s", reason);
    if (status == KSR_OK && choice.automatic && choice.gpus > 1)
        choice.gpus = 1;
    for (int i = 0; i < choice.gpus && status == KSR_OK; i++)
        status = add_gpu(b, &gpu[(*count)++], choice.gpu[i], list);
    return status;
}

// --- All runs ---

static ksr_status bench_case(struct ksr_bench_state *b, const char *name, int scale, json_t *list,
                             struct gpu *gpu, int gpus)
{
    struct bench_case c = {.name = name, .config = ksr_bench_config()};
    const bool network = strcmp(name, "filters") != 0;
    uint64_t result = 0;
    c.config.shader_scale = scale;
    c.config.use_ai = network;
    ksr_status status = network ? ksr_model_load(b->ctx, name, &c.engine.net) : KSR_OK;
    if (network && status == KSR_OK)
        c.multiplications = ksr_net_multiplications(c.engine.net) * b->width * b->height;
    if (status == KSR_OK)
        status = bench_processor(b, &c, list, &result);
    for (int i = 0; i < gpus && status == KSR_OK; i++)
        status = bench_gpu(b, &c, &gpu[i], result);
    ksr_net_destroy(&c.engine.net);
    return status;
}

ksr_status ksr_bench_runs(struct ksr_bench_state *b)
{
    static const struct {
        const char *name;
        int scale;
    } cases[] = {{"filters", 2},       {"filters", 4},    {"anime-fast", 2},
                 {"anime-quality", 2}, {"anime-best", 2}, {"anime-ultra", 2}};
    struct gpu gpu[KSR_DEVICE_MOST] = {{0}};
    int gpus;
    json_t *list = json_array();
    ksr_json_set(b->root, "runs", list, &b->lost);
    ksr_status status = open_gpus(b, gpu, &gpus);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) && status == KSR_OK; i++)
        status = bench_case(b, cases[i].name, cases[i].scale, list, gpu, gpus);
    for (int i = 0; i < gpus; i++)
        ksr_device_close(&gpu[i].device);
    return status;
}
