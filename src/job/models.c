// What is here to make pictures larger: ksr_models() and ksr_devices().

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/cpu.h"
#include "core/log.h"
#include "core/mem.h"
#include "kizunasr/inspect.h"
#include "net/library.h"
#include "net/onnx.h"
#include "pipeline/device.h"

// --- Models ---

static json_t *list_entry(const char *file)
{
    const bool native = !ksr_model_is_onnx(file);
    char *name = ksr_format("%.*s", (int)(strrchr(file, '.') - file), file);
    json_t *entry = name ? json_pack("{s:s,s:s,s:s,s:b,s:s*}", "name", name, "file", file, "engine",
                                     native ? "native" : "onnxruntime", "default",
                                     native && strcmp(name, KSR_MODEL_DEFAULT) == 0, "purpose",
                                     native ? ksr_model_purpose(name) : NULL)
                         : NULL;
    free(name);
    return entry;
}

static ksr_status list_models(ksr_context *ctx, json_t *models)
{
    char **names;
    size_t count;
    bool lost = false;
    const ksr_status status = ksr_model_list(ctx, &names, &count);
    for (size_t i = 0; i < count; i++)
        ksr_json_append(models, list_entry(names[i]), &lost);
    ksr_model_free_names(names, count);
    return status == KSR_OK && lost ? ksr_fail_memory(ctx) : status;
}

static json_t *size_or_any(int size)
{
    return size ? json_integer(size) : json_null();
}

static ksr_status describe_onnx(ksr_context *ctx, const char *name, const char *library,
                                json_t *models)
{
    const struct ksr_onnx_params params = {
        .path = name, .name = name, .library = library, .threads = ksr_cpu_count()};
    ksr_onnx *m;
    bool lost = false;
    const ksr_status status = ksr_onnx_open(ctx, &params, &m);
    if (status == KSR_OK)
        ksr_json_append(models,
                        json_pack("{s:s,s:s,s:i,s:i,s:s,s:s,s:i,s:i,s:o,s:o,s:s}", "file", name,
                                  "engine", "onnxruntime", "scale", m->scale, "channels",
                                  m->channels, "input", m->half_in ? "float16" : "float32",
                                  "output", m->half_out ? "float16" : "float32", "white", m->white,
                                  "multiple", m->multiple, "width", size_or_any(m->width), "height",
                                  size_or_any(m->height), "xxh128", m->hash),
                        &lost);
    ksr_onnx_close(&m);
    return lost ? ksr_fail_memory(ctx) : status;
}

static int resolutions_of(const ksr_net *net)
{
    int halvings = 0;
    for (int i = 0; i < net->layers; i++)
        halvings = net->layer[i].halvings > halvings ? net->layer[i].halvings : halvings;
    return halvings + 1;
}

static ksr_status describe_native(ksr_context *ctx, const char *name, json_t *models)
{
    ksr_net *net;
    const ksr_status status = ksr_model_load(ctx, name, &net);
    if (status != KSR_OK)
        return status;
    bool lost = false;
    ksr_json_append(models,
                    json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:I,s:s}", "file", name, "engine",
                              "native", "scale", 2, "channels", 1, "layers", net->layers,
                              "features", net->width, "resolutions", resolutions_of(net),
                              "multiplications", (json_int_t)ksr_net_multiplications(net), "xxh128",
                              net->hash),
                    &lost);
    ksr_net_destroy(&net);
    return lost ? ksr_fail_memory(ctx) : KSR_OK;
}

ksr_status ksr_models(ksr_context *ctx, const char *const *names, size_t count,
                      const char *onnxruntime, char **json)
{
    if (!json || (count > 0 && !names))
        return ksr_fail(ctx, KSR_E_PARAM, "names or json is NULL");
    *json = NULL;
    json_t *models = json_array();
    ksr_status status = count > 0 ? KSR_OK : list_models(ctx, models);
    for (size_t i = 0; status == KSR_OK && i < count; i++)
        status = ksr_model_is_onnx(names[i]) ? describe_onnx(ctx, names[i], onnxruntime, models)
                                             : describe_native(ctx, names[i], models);
    ksr_memory_watch();
    if (status == KSR_OK)
        return ksr_json_text(ctx,
                             json_pack("{s:s,s:o}", "folder", ksr_model_folder(), "models", models),
                             JSON_INDENT(2), json);
    json_decref(models);
    return status;
}

// --- Devices ---

static void add_device(json_t *list, const struct ksr_ort_device *device, bool native,
                       const ksr_ort *ort)
{
    json_array_append_new(list, json_pack("{s:s,s:b,s:s*}", "name", device->name, "native", native,
                                          "provider", ort ? device->provider : NULL));
}

// Adds the GPUs of this machine; returns why there is none, as JSON, or NULL.
static json_t *add_gpus(json_t *list)
{
    struct ksr_device_info gpus[KSR_DEVICE_MOST];
    char reason[KSR_DEVICE_TEXT];
    const int count = ksr_device_list(gpus, reason);
    for (int i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:s,s:b,s:s,s:s,s:I,s:b,s:s*}", "name", gpus[i].name, "native", 1,
                            "gpu", gpus[i].gpu, "driver", gpus[i].driver, "memory",
                            (json_int_t)gpus[i].memory, "software", gpus[i].software, "refused",
                            gpus[i].trouble[0] ? gpus[i].trouble : NULL));
    return count > 0 ? NULL : json_string(reason);
}

ksr_status ksr_devices(ksr_context *ctx, const char *onnxruntime, char **json)
{
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    ksr_ort *ort = NULL;
    if (!json)
        return ksr_fail(ctx, KSR_E_PARAM, "json is NULL");
    *json = NULL;
    if (ksr_context_create_quiet(&quiet, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_ort_open(quiet, onnxruntime, &ort);
    ksr_context_destroy(&quiet);
    size_t count;
    const struct ksr_ort_device *devices = ksr_ort_devices(&count);
    ksr_memory_watch();
    json_t *list = json_array();
    add_device(list, &devices[0], true, ort);
    for (size_t i = 1; ort && i < count; i++)
        if (ksr_ort_has_provider(ort, devices[i].provider))
            add_device(list, &devices[i], false, ort);
    json_t *no_gpu = add_gpus(list);
    json_t *runtime =
        ort ? json_pack("{s:b,s:s,s:s}", "found", 1, "version", ort->version, "path", ort->path)
            : json_pack("{s:b,s:s}", "found", 0, "reason",
                        status == KSR_E_MODEL ? reason : ksr_status_name(status));
    json_t *root = json_pack("{s:o,s:s,s:i,s:o,s:o*}", "devices", list, "simd",
                             ksr_cpu_level_name((int)ksr_cpu_level()), "processors",
                             ksr_cpu_count(), "onnxruntime", runtime, "no_gpu", no_gpu);
    const ksr_status written = ksr_json_text(ctx, root, JSON_INDENT(2), json);
    ksr_ort_close(&ort);
    return written;
}
