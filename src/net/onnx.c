// One .onnx model in ONNX Runtime: its file, its session, and how it is kept; see onnx.h.

#include "net/onnx_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"

#define MOST_BYTES (2047LL << 20) // of a model's file: what its format can hold

ksr_status ksr_onnx_unusable(ksr_context *ctx, const char *name, const char *why)
{
    return ksr_fail(ctx, KSR_E_MODEL, "unusable model: %s: %s", name, why);
}

// --- The session ---

static bool set_options(const ksr_ort *ort, OrtSessionOptions *options, int threads, char *message)
{
    return !ksr_ort_failed(ort, ort->SetIntraOpNumThreads(options, threads), message,
                           KSR_ONNX_MESSAGE) &&
           !ksr_ort_failed(ort, ort->SetInterOpNumThreads(options, 1), message, KSR_ONNX_MESSAGE) &&
           !ksr_ort_failed(ort,
                           ort->SetSessionGraphOptimizationLevel(options, KSR_ORT_OPTIMIZE_ALL),
                           message, KSR_ONNX_MESSAGE);
}

// Makes the session on one device. Returns whether it is there; message: why not.
static bool start_on(ksr_onnx *m, const char *data, size_t size, int threads,
                     const struct ksr_ort_device *device, char *message)
{
    const ksr_ort *ort = m->ort;
    OrtSessionOptions *options = NULL;
    if (ksr_ort_failed(ort, ort->CreateSessionOptions(&options), message, KSR_ONNX_MESSAGE))
        return false;
    const bool started =
        set_options(ort, options, threads, message) &&
        ksr_ort_use_device(ort, options, device, message, KSR_ONNX_MESSAGE) &&
        !ksr_ort_failed(ort,
                        ort->CreateSessionFromArray(ort->env, data, size, options, &m->session),
                        message, KSR_ONNX_MESSAGE);
    ort->ReleaseSessionOptions(options);
    m->device = device;
    return started;
}

static ksr_status unknown_device(ksr_context *ctx, const char *name)
{
    char all[256] = "";
    size_t count, length = 0;
    const struct ksr_ort_device *devices = ksr_ort_devices(&count);
    for (size_t i = 0; i < count && length < sizeof(all); i++)
        length += (size_t)snprintf(all + length, sizeof(all) - length, "%s%s", i ? ", " : "",
                                   devices[i].name);
    return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not valid (%s)", name, all);
}

static ksr_status start(ksr_context *ctx, ksr_onnx *m, const struct ksr_onnx_params *params,
                        const char *data, size_t size)
{
    const char *name = params->device ? params->device : "cpu";
    const struct ksr_ort_device *device = ksr_ort_device_find(name);
    const struct ksr_ort_device *cpu = ksr_ort_device_find("cpu");
    char message[KSR_ONNX_MESSAGE];
    if (!device)
        return unknown_device(ctx, name);
    if (device != cpu && !start_on(m, data, size, params->threads, device, message)) {
        if (params->only)
            return ksr_fail(ctx, KSR_E_MODEL, "device: %s does not start: %s", device->name,
                            message);
        ksr_log(ctx, KSR_LOG_WARNING,
                "device: %s does not start: running the model on the CPU (%s)", device->name,
                message);
    }
    if (!m->session && !start_on(m, data, size, params->threads, cpu, message))
        return ksr_onnx_unusable(ctx, params->name, message);
    if (ksr_ort_failed(m->ort,
                       m->ort->CreateCpuMemoryInfo(KSR_ORT_ARENA, KSR_ORT_MEM_DEFAULT, &m->memory),
                       message, sizeof(message)))
        return ksr_onnx_unusable(ctx, params->name, message);
    return KSR_OK;
}

// --- Life ---

static ksr_status read_model(ksr_context *ctx, const struct ksr_onnx_params *params, char **data,
                             size_t *size)
{
    *data = NULL;
    if (!ksr_fs_exists(params->path) || ksr_fs_is_folder(params->path))
        return ksr_fail(ctx, KSR_E_MODEL, "model not found: %s", params->name);
    if (ksr_fs_size(params->path) > MOST_BYTES)
        return ksr_onnx_unusable(ctx, params->name, "it is too large");
    const ksr_status status = ksr_fs_read_file(ctx, params->path, data, size);
    return status == KSR_E_INPUT ? ksr_fail(ctx, KSR_E_MODEL, "cannot read model: %s", params->name)
                                 : status;
}

static char *make_key(const struct ksr_onnx_params *p, const char *hash)
{
    const char *device = p->device ? p->device : "cpu";
    const bool only = p->only && strcmp(device, "cpu") != 0; // there is nothing to fall back to
    return ksr_format("%s %s %s %d %d", hash, p->library ? p->library : "", device, only,
                      p->threads);
}

// Whether a model that was kept is what another one (its key and wanted white alone are set) would
// be once it is loaded. A value of white that was found out also serves whoever asks for that
// value.
static bool is_same(const void *kept, const void *wanted)
{
    const ksr_onnx *a = kept, *b = wanted;
    return strcmp(a->key, b->key) == 0 &&
           (a->wanted_white == b->wanted_white || a->white == b->wanted_white);
}

static void destroy(void *onnx)
{
    ksr_onnx *m = onnx;
    if (m->memory)
        m->ort->ReleaseMemoryInfo(m->memory);
    if (m->session)
        m->ort->ReleaseSession(m->session);
    ksr_ort_close(&m->ort);
    free(m->input);
    free(m->output);
    free(m->half[0]);
    free(m->half[1]);
    free(m->key);
    free(m);
}

static ksr_status load(ksr_context *ctx, const struct ksr_onnx_params *params, const char *data,
                       size_t size, ksr_onnx *m)
{
    const int warnings = ksr_warning_count(ctx);
    ksr_status status = ksr_ort_open(ctx, params->library, &m->ort);
    if (status == KSR_OK)
        status = start(ctx, m, params, data, size);
    if (status == KSR_OK)
        status = ksr_onnx_look(ctx, m, params->name);
    if (status == KSR_OK)
        status = ksr_onnx_try(ctx, m, params->name, params->white);
    if (status == KSR_OK)
        ksr_log(ctx, KSR_LOG_DEBUG, "%s is loaded", params->name);
    // Every film is told what there is to warn of.
    if (ksr_warning_count(ctx) == warnings)
        m->home = ctx;
    return status;
}

ksr_status ksr_onnx_open(ksr_context *ctx, const struct ksr_onnx_params *params, ksr_onnx **out)
{
    char *data = NULL;
    size_t size = 0;
    *out = NULL;
    ksr_onnx *m = calloc(1, sizeof(*m));
    if (!m)
        return ksr_fail_memory(ctx);
    ksr_status status = read_model(ctx, params, &data, &size);
    if (status == KSR_OK) {
        ksr_hash_text(data, size, m->hash);
        m->key = make_key(params, m->hash);
        m->wanted_white = params->white;
        *out = m->key ? ksr_context_take(ctx, destroy, is_same, m) : NULL;
        status = m->key ? KSR_OK : ksr_fail_memory(ctx);
    }
    if (status == KSR_OK && !*out) {
        status = load(ctx, params, data, size, m);
        if (status == KSR_OK) {
            *out = m;
            m = NULL;
        }
    }
    free(data);
    if (m)
        destroy(m);
    return status;
}

void ksr_onnx_close(ksr_onnx **onnx)
{
    if (!onnx || !*onnx)
        return;
    if ((*onnx)->home)
        ksr_context_keep((*onnx)->home, *onnx, destroy);
    else
        destroy(*onnx);
    *onnx = NULL;
}
