// The device, the model and the memory of a run; see machine.h.

#include "job/machine.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/mem.h"
#include "job/key.h"
#include "media/encode/encoder.h"
#include "pipeline/recipe.h"

// What one worker holds, in bytes per pixel of the output: 1645 MiB at 3840x2160 with libx264 at
// medium, the whole program with one worker, less what the program itself takes.
#define WORKER_BYTES_PER_PIXEL 200

struct ksr_machine {
    const struct ksr_manifest *manifest;
    const struct ksr_run_options *options;
    const struct ksr_pipeline_config *config;
    bool onnx;          // with a model in ONNX Runtime: one for each worker
    bool gpu;           // workers run on one
    ksr_engine *engine; // with a network of ours: that of all workers
    pthread_mutex_t lock;
    ksr_device *idle; // under `lock`: open, and lent to nobody
};

static ksr_status open_device(ksr_context *ctx, ksr_machine *m)
{
    const ksr_status status = ksr_device_check(ctx, m->options->device, m->onnx);
    if (status != KSR_OK || !ksr_device_is_gpu(m->options->device))
        return status;
    ksr_device_open(ctx, m->options->device, &m->idle);
    m->gpu = m->idle != NULL;
    if (m->gpu)
        ksr_log(ctx, KSR_LOG_INFO, "stages run on %s", ksr_device_name(m->idle));
    return KSR_OK;
}

ksr_status ksr_machine_open(ksr_context *ctx, const struct ksr_manifest *manifest,
                            const struct ksr_run_options *options, ksr_machine **out)
{
    ksr_machine *m = calloc(1, sizeof(*m));
    *out = NULL;
    if (!m)
        return ksr_fail_memory(ctx);
    pthread_mutex_init(&m->lock, NULL);
    m->manifest = manifest;
    m->options = options;
    m->config = &ksr_config_get(manifest->config)->pipeline;
    m->onnx = m->config->use_ai && ksr_engine_is_onnx(m->config);
    ksr_status status = open_device(ctx, m);
    if (status == KSR_OK && m->config->use_ai && !m->onnx)
        status = ksr_manifest_engine(ctx, manifest, options, &m->engine);
    if (status != KSR_OK)
        ksr_machine_close(&m);
    *out = m;
    return status;
}

void ksr_machine_close(ksr_machine **machine)
{
    if (!machine || !*machine)
        return;
    ksr_device_close(&(*machine)->idle);
    ksr_engine_close(&(*machine)->engine);
    pthread_mutex_destroy(&(*machine)->lock);
    free(*machine);
    *machine = NULL;
}

// Bytes that one worker needs.
static long long worker_bytes(const ksr_machine *m)
{
    const struct ksr_video_format *in = &m->manifest->film.format;
    const struct ksr_video_format *out = &m->manifest->encoder.format;
    const long long scale = ksr_recipe_scale(m->config);
    long long bytes = (long long)out->width * out->height * WORKER_BYTES_PER_PIXEL + (64 << 20);
    if (m->config->fit) // the whole frame before it is scaled down: at most 4 planes of 2 bytes
        bytes += (long long)in->width * in->height * scale * scale * 8;
    return bytes;
}

// As many as processors and memory allow.
static long long usual_workers(const ksr_machine *m)
{
    const int cores = ksr_encoder_cores(m->manifest->encoder.codec);
    const long long memory = ksr_memory_available() * 3 / 4, each = worker_bytes(m);
    if (m->onnx)
        return 1; // whose model has all cores
    const long long workers = (ksr_cpu_count() + cores - 1) / cores;
    return memory > 0 && workers > memory / each ? memory / each : workers;
}

int ksr_machine_workers(const ksr_machine *m, int segments)
{
    long long workers = m->options->workers > 0 ? m->options->workers : usual_workers(m);
    if (workers > segments)
        workers = segments;
    return workers < 1 ? 1 : workers > 64 ? 64 : (int)workers;
}

ksr_status ksr_machine_lend(ksr_context *ctx, ksr_machine *m, struct ksr_loan *out)
{
    *out = (struct ksr_loan){.engine = m->engine};
    if (m->onnx) {
        const ksr_status status = ksr_manifest_engine(ctx, m->manifest, m->options, &out->engine);
        if (status != KSR_OK)
            return status;
    }
    pthread_mutex_lock(&m->lock);
    out->device = m->idle;
    m->idle = NULL;
    pthread_mutex_unlock(&m->lock);
    if (m->gpu && !out->device)
        ksr_device_open(ctx, m->options->device, &out->device);
    return KSR_OK;
}

void ksr_machine_take_back(ksr_machine *m, struct ksr_loan *loan)
{
    if (loan->engine != m->engine)
        ksr_engine_close(&loan->engine);
    ksr_device_close(&loan->device);
    *loan = (struct ksr_loan){0};
}
