// GPUs beside the processor; see gpus.h.

#include "bench/gpus.h"

#include <string.h>
#include <time.h>

#include "config/json.h"
#include "core/clock.h"
#include "pipeline/warm.h"

enum { LEAST_FRAMES = 5 }; // that a GPU is measured with, and warms up with

// --- One run ---

// What a frame takes, in seconds, of each part of its way. They work at the same time, so the
// longest one limits the speed.
struct figures {
    double all;
    struct ksr_device_times gpu;
    double processor; // all threads together
};

// Seconds that all threads have worked.
static double processor_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_frames(struct ksr_bench_run *r, ksr_device *device, double limit,
                       struct figures *out)
{
    const double begin = ksr_clock(), worked = processor_clock();
    int frames = 0;
    while (r->status == KSR_OK && (frames < LEAST_FRAMES || ksr_clock() < begin + limit)) {
        ksr_bench_run_frame(r);
        frames++;
        if (r->status == KSR_OK)
            r->status = ksr_check_cancel(r->b->ctx);
    }
    out->all = (ksr_clock() - begin) / frames;
    out->processor = (processor_clock() - worked) / frames;
    ksr_device_take_times(device, &out->gpu);
    out->gpu.upload /= frames;
    out->gpu.download /= frames;
    for (int i = 0; i < out->gpu.kernels; i++)
        out->gpu.kernel[i].seconds /= frames;
}

// Makes frames until the GPU is warm, and as many as it wants are under way.
static void warm_up(struct ksr_bench_run *r)
{
    struct ksr_warmth warmth = {0};
    bool cold = true;
    for (int frames = 0; r->status == KSR_OK && (frames < LEAST_FRAMES || cold); frames++) {
        const double begin = ksr_clock();
        ksr_bench_run_frame(r);
        cold = ksr_warm_up(&warmth, ksr_clock() - begin);
        if (r->status == KSR_OK)
            r->status = ksr_check_cancel(r->b->ctx);
    }
}

// Returns whether the GPU made all frames. If not, a warning has said why the processor stands in.
static bool measure(struct ksr_bench_run *r, ksr_device *device, struct figures *out)
{
    warm_up(r);
    ksr_device_take_times(device, &out->gpu); // so that none are left
    if (r->pipeline->device)
        run_frames(r, device, r->b->seconds, out);
    return r->status == KSR_OK && r->pipeline->device;
}

// Runs frames of a case; *measured: the GPU made them.
static ksr_status run_case(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                           ksr_device *device, bool rows, uint64_t result, struct figures *out,
                           bool *measured)
{
    struct ksr_bench_run r;
    ksr_status status = ksr_bench_open_run(&r, b, c, b->threads, device);
    *measured = false;
    if (status == KSR_OK) {
        memset(b->codes_out, 0, r.out_bytes);
        r.rows = rows;
        *measured = measure(&r, device, out);
        status = r.status;
    }
    const bool same = status != KSR_OK || ksr_bench_run_result(&r) == result;
    status = status == KSR_OK ? r.status : status;
    if (status == KSR_OK && !same)
        status = ksr_fail(b->ctx, KSR_E_PROCESS,
                          "device: %s gives another result than the processor for '%s'",
                          ksr_device_name(device), c->name);
    ksr_bench_close_run(&r);
    return status;
}

// Returns the list of kernels; *all: their time.
static json_t *kernels_of(const struct ksr_device_times *times, bool *lost, double *all)
{
    json_t *list = json_array();
    *all = 0;
    for (int i = 0; i < times->kernels; i++)
        *all += times->kernel[i].seconds;
    for (int i = 0; i < times->kernels; i++) {
        const struct ksr_device_kernel *k = &times->kernel[i];
        ksr_json_append(list,
                        json_pack("{s:s,s:f,s:f}", "name", k->name, "ms", k->seconds * 1e3, "share",
                                  k->seconds / *all),
                        lost);
    }
    return list;
}

static json_t *entry_of(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                        const struct figures *f)
{
    double all;
    json_t *entry = ksr_bench_entry(b, c, b->threads, f->all);
    json_t *kernels = kernels_of(&f->gpu, &b->lost, &all);
    ksr_json_set(entry, "upload_ms", json_real(f->gpu.upload * 1e3), &b->lost);
    ksr_json_set(entry, "kernels_ms", json_real(all * 1e3), &b->lost);
    ksr_json_set(entry, "download_ms", json_real(f->gpu.download * 1e3), &b->lost);
    ksr_json_set(entry, "processor_ms", json_real(f->processor * 1e3), &b->lost);
    ksr_json_set(entry, "kernels", kernels, &b->lost);
    return entry;
}

// --- Networks ---

static json_t *layers_of(const struct ksr_bench_state *b, const ksr_net *net,
                         const struct ksr_device_way *way, bool *lost)
{
    json_t *list = json_array();
    for (int i = 0; i < net->layers; i++) {
        const struct ksr_net_layer *l = &net->layer[i];
        const double count = ksr_net_layer_multiplications(l) * b->width * b->height;
        json_t *entry =
            json_pack("{s:s,s:i,s:i,s:i,s:f}", "kernel", way->kernel[i], "side", l->side, "inputs",
                      l->inputs, "outputs", l->channels, "ms", way->layer[i] * 1e3);
        if (way->layer[i] > 0)
            ksr_json_set(entry, "gigamultiplications_per_second",
                         json_real(count / way->layer[i] / 1e9), lost);
        ksr_json_append(list, entry, lost);
    }
    return list;
}

static ksr_status add_ways(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                           struct ksr_bench_gpu *gpu, json_t *entry)
{
    struct ksr_device_way ways[KSR_DEVICE_WAYS];
    int count;
    const ksr_status status = ksr_device_measure_ways(b->ctx, gpu->device, c->engine.net, b->width,
                                                      b->height, b->seconds, ways, &count);
    json_t *list = json_array();
    for (int i = 0; i < count && status == KSR_OK; i++)
        ksr_json_append(list,
                        json_pack("{s:s,s:f,s:f,s:o}", "multiplies_by", ways[i].name, "ms",
                                  ways[i].seconds * 1e3, "megabytes", (double)ways[i].memory / 1e6,
                                  "layers", layers_of(b, c->engine.net, &ways[i], &b->lost)),
                        &b->lost);
    ksr_json_set(entry, "ways", list, &b->lost);
    return status;
}

// --- All of it ---

ksr_status ksr_bench_gpu_run(struct ksr_bench_state *b, const struct ksr_bench_case *c,
                             struct ksr_bench_gpu *gpu, uint64_t result)
{
    struct figures codes, rows;
    bool measured;
    ksr_status status = run_case(b, c, gpu->device, false, result, &codes, &measured);
    if (status == KSR_OK && measured)
        status = run_case(b, c, gpu->device, true, result, &rows, &measured);
    if (status != KSR_OK || !measured)
        return status;
    json_t *entry = entry_of(b, c, &codes);
    ksr_json_set(entry, "rows_frames_per_second", json_real(1 / rows.all), &b->lost);
    if (c->engine.net)
        status = add_ways(b, c, gpu, entry);
    ksr_json_append(gpu->runs, entry, &b->lost);
    return status;
}

// --- GPUs ---

static ksr_status add_gpu(struct ksr_bench_state *b, struct ksr_bench_gpu *gpu, int index,
                          json_t *list)
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

ksr_status ksr_bench_open_gpus(struct ksr_bench_state *b, struct ksr_bench_gpu gpu[KSR_DEVICE_MOST],
                               int *count)
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
