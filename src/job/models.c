// What is here to make pictures larger: ksr_models() and ksr_devices().

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "core/cpu.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/mem.h"
#include "kizunasr/inspect.h"
#include "net/library.h"
#include "net/onnx.h"
#include "pipeline/device.h"

// --- Models ---

// What it enlarges.
static const char *enlarged_by(const ksr_net *net)
{
    return net->chroma ? "chroma" : "luma";
}

// In pixels of the input.
static int reach_of(const ksr_net *net)
{
    return net->chroma ? 2 * net->reach : net->reach;
}

// What only the file tells of a network, into `entry`; nothing where it cannot be used.
static ksr_status add_costs(const ksr_context *ctx, const char *name, json_t *entry)
{
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    ksr_net *net;
    if (ksr_context_create_quiet(&quiet, ctx, reason) != KSR_OK)
        return KSR_E_NOMEM;
    const ksr_status status = ksr_model_load(quiet, name, NULL, &net);
    ksr_context_destroy(&quiet);
    if (status != KSR_OK)
        return status == KSR_E_NOMEM ? status : KSR_OK;
    json_object_set_new(entry, "multiplications",
                        json_integer((json_int_t)ksr_net_pixel_multiplications(net)));
    json_object_set_new(entry, "reach", json_integer(reach_of(net)));
    json_object_set_new(entry, "enlarges", json_string(enlarged_by(net)));
    ksr_net_destroy(&net);
    return KSR_OK;
}

static json_t *list_entry(const ksr_context *ctx, const char *file)
{
    const bool native = !ksr_model_is_onnx(file);
    char *name = ksr_format("%.*s", (int)(strrchr(file, '.') - file), file);
    const struct ksr_network *known = native ? ksr_network_find(name) : NULL;
    json_t *entry = name ? json_pack("{s:s,s:s,s:s,s:b,s:s*}", "name", name, "file", file, "engine",
                                     native ? "native" : "onnxruntime", "default",
                                     native && strcmp(name, KSR_MODEL_DEFAULT) == 0, "purpose",
                                     known ? known->purpose : NULL)
                         : NULL;
    if (entry && native && add_costs(ctx, name, entry) != KSR_OK) {
        json_decref(entry);
        entry = NULL;
    }
    free(name);
    return entry;
}

// Whether a file is for jobs: .onnx forms of networks of chroma are for other programs.
static bool is_for_jobs(const char *file)
{
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)(strrchr(file, '.') - file), file);
    const struct ksr_network *known = ksr_network_find(name);
    return !ksr_model_is_onnx(file) || !known || !known->enlarges_chroma;
}

// The place of a file in the list: bundled networks in the order of their table, then the others.
static size_t rank(const char *file)
{
    for (size_t i = 0; i < ksr_network_count; i++) {
        const size_t length = strlen(ksr_networks[i].name);
        if (strncmp(file, ksr_networks[i].name, length) == 0 && file[length] == '.')
            return i;
    }
    return ksr_network_count;
}

static ksr_status list_models(ksr_context *ctx, json_t *models)
{
    char **names;
    size_t count;
    bool lost = false;
    const ksr_status status = ksr_model_list(ctx, &names, &count);
    for (size_t r = 0; r <= ksr_network_count; r++)
        for (size_t i = 0; i < count; i++)
            if (rank(names[i]) == r && is_for_jobs(names[i]))
                ksr_json_append(models, list_entry(ctx, names[i]), &lost);
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

// The card of a model, NAME.md beside its file, as JSON. *card: NULL where there is none.
static ksr_status read_card(ksr_context *ctx, const char *name, json_t **card)
{
    static const char end[] = ".ksrnet";
    char *file = ksr_model_find(name, end), *text = NULL;
    const size_t length = file ? strlen(file) : 0, stem = length - (sizeof(end) - 1);
    char *path = length >= sizeof(end) && strcmp(file + stem, end) == 0
                     ? ksr_format("%.*s.md", (int)stem, file)
                     : NULL;
    ksr_status status = file ? KSR_OK : ksr_fail_memory(ctx);
    *card = NULL;
    if (path)
        status = ksr_fs_read_file(ctx, path, &text, NULL);
    if (text)
        *card = ksr_json_text_of(text);
    free(text);
    free(path);
    free(file);
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

// The names of its variants; NULL: it has none.
static json_t *variants_of(const ksr_net *net, bool *lost)
{
    if (net->variants < 2)
        return NULL;
    json_t *names = json_array();
    for (int i = 0; i < net->variants; i++)
        ksr_json_append(names, json_string(net->variant_name[i]), lost);
    return names;
}

static ksr_status describe_native(ksr_context *ctx, const char *name, json_t *models)
{
    ksr_net *net;
    json_t *card;
    const struct ksr_network *known = ksr_network_find(name);
    ksr_status status = ksr_model_load(ctx, name, NULL, &net);
    if (status != KSR_OK)
        return status;
    bool lost = false;
    status = read_card(ctx, name, &card);
    if (status == KSR_OK)
        ksr_json_append(
            models,
            json_pack(
                "{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:I,s:i,s:s,s:o*,s:s*,s:s*,s:o*,s:o*}", "file",
                name, "engine", "native", "enlarges", enlarged_by(net), "scale", 2, "channels",
                net->chroma ? 2 : 1, "layers", net->layers, "features", net->width, "resolutions",
                resolutions_of(net), "multiplications",
                (json_int_t)ksr_net_pixel_multiplications(net), "reach", reach_of(net), "xxh128",
                net->hash, "variants", variants_of(net, &lost), "clean",
                known ? known->clean : NULL, "chroma", known ? known->chroma : NULL, "temporal",
                known && known->temporal ? json_real(known->temporal / 100.0) : NULL, "card", card),
            &lost);
    ksr_net_destroy(&net);
    return lost ? ksr_fail_memory(ctx) : status;
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
                             JSON_INDENT(2) | KSR_JSON_REALS, json);
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
