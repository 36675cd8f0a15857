// The device, the model and the memory of a run; see machine.h.

#include "job/machine.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/mem.h"
#include "job/devices.h"
#include "job/key.h"
#include "media/encode/encoder.h"
#include "pipeline/recipe.h"

#define MOST_FAILURES 3 // of a worker's GPU, then the processor runs its stages

// What one worker holds, in bytes per pixel of the output: 1645 MiB at 3840x2160 with libx264 at
// medium, the whole program with one worker, less what the program itself takes.
#define WORKER_BYTES_PER_PIXEL 200

struct ksr_machine {
    const struct ksr_manifest *manifest;
    const struct ksr_run_options *options;
    const struct ksr_pipeline_config *config;
    bool onnx;          // with a model in ONNX Runtime: one for each worker
    ksr_engine *engine; // with a network of ours: that of all workers
    pthread_mutex_t lock;
    // Under `lock`:
    struct ksr_devices devices; // `open` has those that are lent to nobody
    int loans;                  // handed out so far
};

// --- The machine ---

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
    ksr_status status = ksr_devices_open(ctx, options->device, m->onnx, &m->devices);
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
    ksr_devices_close(&(*machine)->devices);
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
    if (strcmp(m->config->descale, "off") != 0) // up to 4 times the drawing, and frames beside it
        bytes += (long long)in->width * in->height * 200;
    if (m->config->composite > 0) // frames that are kept, in 15 bits
        bytes += (long long)in->width * in->height * 64;
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
    const int devices =
        m->devices.gpus + m->devices.cpu; // with fewer workers one of them would be idle
    long long workers = m->options->workers;
    if (workers <= 0) {
        workers = usual_workers(m);
        workers = workers < devices ? devices : workers;
    }
    if (workers > segments)
        workers = segments;
    return workers < 1 ? 1 : workers > 64 ? 64 : (int)workers;
}

bool ksr_machine_is_mixed(const ksr_machine *m)
{
    return m->devices.gpus + m->devices.cpu > 1;
}

// One worker on each GPU, then one on the processor if it is wanted, then more on the GPUs.
ksr_status ksr_machine_lend(ksr_context *ctx, ksr_machine *m, struct ksr_loan *out)
{
    *out = (struct ksr_loan){.engine = m->engine};
    if (m->onnx) {
        const ksr_status status = ksr_manifest_engine(ctx, m->manifest, m->options, &out->engine);
        if (status != KSR_OK)
            return status;
    }
    pthread_mutex_lock(&m->lock);
    const int loan = m->loans++;
    const bool gpu = m->devices.gpus > 0 && !(m->devices.cpu && loan == m->devices.gpus);
    const int which = gpu ? loan % m->devices.gpus : 0;
    if (gpu) {
        out->device = m->devices.open[which];
        m->devices.open[which] = NULL;
    }
    pthread_mutex_unlock(&m->lock);
    char reason[KSR_DEVICE_TEXT];
    out->gpu = m->devices.gpu[which];
    out->number = loan;
    if (gpu && !out->device)
        out->device = ksr_device_open(out->gpu, reason);
    if (gpu && !out->device)
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s", reason);
    return KSR_OK;
}

void ksr_machine_take_back(ksr_machine *m, struct ksr_loan *loan)
{
    if (loan->engine != m->engine)
        ksr_engine_close(&loan->engine);
    ksr_device_close(&loan->device);
    *loan = (struct ksr_loan){0};
}

bool ksr_machine_renew(ksr_context *ctx, struct ksr_loan *loan)
{
    char reason[KSR_DEVICE_TEXT];
    if (!ksr_device_has_failed(loan->device) || ++loan->failures >= MOST_FAILURES)
        return false;
    ksr_device_close(&loan->device);
    loan->device = ksr_device_open(loan->gpu, reason);
    if (loan->device)
        ksr_log(ctx, KSR_LOG_INFO, "device: %s is tried again", ksr_device_name(loan->device));
    else
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s", reason);
    return true;
}
