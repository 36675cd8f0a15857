// Choosing a network by the speed of the machine; see choice.h.

#include "job/choice.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/cpu.h"
#include "core/fs.h"
#include "core/mem.h"
#include "job/manifest.h"
#include "job/provenance.h"
#include "kizunasr/inspect.h"
#include "net/engine.h"
#include "net/library.h"
#include "pipeline/speed.h"

#define AUTO "auto"

// --- Speeds ---

// Reads a decimal number whatever the locale is; *text is moved behind it.
static double read_number(const char **text)
{
    double value = 0, unit = 1;
    bool fraction = false;
    for (; (**text >= '0' && **text <= '9') || (**text == '.' && !fraction); ++*text) {
        fraction |= **text == '.';
        if (**text == '.')
            continue;
        value = 10 * value + (**text - '0');
        unit *= fraction ? 10 : 1;
    }
    return value / unit;
}

// Speeds from a text instead of measuring.
static void read_speeds(const char *text, struct ksr_speeds *out)
{
    static const char gpu[] = "gpu:";
    for (; text; text = strchr(text, ',') ? strchr(text, ',') + 1 : NULL) {
        const bool on_gpu = strncmp(text, gpu, sizeof(gpu) - 1) == 0;
        const char *name = on_gpu ? text + sizeof(gpu) - 1 : text;
        for (size_t i = 0; i < ksr_network_count; i++) {
            const size_t length = strlen(ksr_networks[i].name);
            const char *number = name + length + 1;
            if (strncmp(name, ksr_networks[i].name, length) != 0 || name[length] != '=')
                continue;
            *(on_gpu ? &out->of[i].gpu : &out->of[i].processor) = read_number(&number);
            if (on_gpu)
                snprintf(out->gpu, sizeof(out->gpu), "a GPU of KIZUNASR_SPEEDS");
        }
    }
}

// Opens a network as a job would: with the network of chroma that goes with it. That one is missing
// is for jobs to tell.
static ksr_status open_pair(ksr_context *ctx, const struct ksr_network *network, ksr_engine **out)
{
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.use_ai = true;
    config.ai_model_path = network->name;
    const struct ksr_engine_params params = {.config = &config};
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    if (ksr_context_create_quiet(&quiet, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_engine_open(quiet, &params, out);
    ksr_context_destroy(&quiet);
    return status == KSR_OK ? KSR_OK : ksr_engine_open(ctx, &params, out); // for its messages
}

static ksr_status measure_network(ksr_context *ctx, const struct ksr_speed_place *place, bool all,
                                  const struct ksr_network *network, struct ksr_speed *out)
{
    const bool gpu = place->device && (all || network->least_gpu > 0);
    const bool processor = all || (!place->device && network->least_processor > 0);
    if ((!gpu && !processor) || network->enlarges_chroma)
        return KSR_OK;
    ksr_engine *engine = NULL;
    ksr_status status = open_pair(ctx, network, &engine);
    if (status == KSR_OK && gpu)
        status =
            ksr_speed_measure(ctx, place, engine->net, engine->chroma, place->device, &out->gpu);
    if (status == KSR_OK && processor)
        status = ksr_speed_measure(ctx, place, engine->net, engine->chroma, NULL, &out->processor);
    ksr_engine_close(&engine);
    return status;
}

ksr_status ksr_speeds_measure(ksr_context *ctx, const char *device, bool all,
                              struct ksr_speeds *out)
{
    const char *given = getenv("KIZUNASR_SPEEDS");
    struct ksr_speed_place place;
    *out = (struct ksr_speeds){.threads = ksr_cpu_count()};
    if (given) {
        read_speeds(given, out);
        return KSR_OK;
    }
    ksr_status status = ksr_speed_open(ctx, device, &place);
    out->threads = place.threads;
    if (status == KSR_OK && place.device)
        snprintf(out->gpu, sizeof(out->gpu), "%s", ksr_device_name(place.device));
    for (size_t i = 0; i < ksr_network_count && status == KSR_OK; i++)
        status = measure_network(ctx, &place, all, &ksr_networks[i], &out->of[i]);
    ksr_speed_close(&place);
    return status;
}

// The speed of a network where jobs would run it. *least: that it must have there.
static double speed_of(const struct ksr_speeds *speeds, size_t i, double *least)
{
    const bool gpu = speeds->gpu[0];
    *least = gpu ? ksr_networks[i].least_gpu : ksr_networks[i].least_processor;
    return gpu ? speeds->of[i].gpu : speeds->of[i].processor;
}

const struct ksr_network *ksr_speeds_choose(const struct ksr_speeds *speeds)
{
    const struct ksr_network *chosen = NULL, *fastest = NULL;
    double most = -1;
    for (size_t i = 0; i < ksr_network_count; i++) { // the table goes from small to large
        double least;
        const double speed = speed_of(speeds, i, &least);
        if (least > 0 && speed >= least)
            chosen = &ksr_networks[i];
        if (least > 0 && speed > most) {
            fastest = &ksr_networks[i];
            most = speed;
        }
    }
    return chosen ? chosen : fastest;
}

// --- For people ---

static json_t *speed_or_null(double fps)
{
    return fps > 0 ? json_real(fps) : json_null();
}

ksr_status ksr_model_speeds(ksr_context *ctx, const char *device, char **json)
{
    struct ksr_speeds speeds;
    bool lost = false;
    if (!json)
        return ksr_fail(ctx, KSR_E_PARAM, "json is NULL");
    *json = NULL;
    const ksr_status status = ksr_speeds_measure(ctx, device, true, &speeds);
    if (status != KSR_OK)
        return status;
    ksr_memory_watch();
    json_t *list = json_array();
    for (size_t i = 0; i < ksr_network_count; i++)
        ksr_json_append(list,
                        json_pack("{s:s,s:o,s:o}", "name", ksr_networks[i].name, "processor",
                                  speed_or_null(speeds.of[i].processor), "gpu",
                                  speed_or_null(speeds.of[i].gpu)),
                        &lost);
    if (lost) {
        json_decref(list);
        return ksr_fail_memory(ctx);
    }
    json_t *root = json_pack("{s:i,s:i,s:i,s:s,s:s*,s:s,s:o}", "width", KSR_SPEED_WIDTH, "height",
                             KSR_SPEED_HEIGHT, "threads", speeds.threads, "simd",
                             ksr_cpu_level_name((int)ksr_cpu_level()), "gpu",
                             speeds.gpu[0] ? speeds.gpu : NULL, "choice",
                             ksr_speeds_choose(&speeds)->name, "networks", list);
    return ksr_json_text(ctx, root, JSON_INDENT(2) | JSON_REAL_PRECISION(4), json);
}

// --- For a job ---

// Speeds with the device that they are of, kept for the next video of a batch.
struct kept {
    struct ksr_speeds speeds;
    char device[KSR_DEVICE_TEXT];
};

static bool is_of_device(const void *thing, const void *device)
{
    return strcmp(((const struct kept *)thing)->device, device) == 0;
}

static ksr_status find_speeds(ksr_context *ctx, const char *device, struct ksr_speeds *out)
{
    struct kept *k = ksr_context_take(ctx, free, is_of_device, device ? device : "");
    if (k) {
        *out = k->speeds;
        ksr_context_keep(ctx, k, free);
        return KSR_OK;
    }
    const ksr_status status = ksr_speeds_measure(ctx, device, false, out);
    k = status == KSR_OK ? malloc(sizeof(*k)) : NULL;
    if (!k) // then the next one measures again
        return status;
    k->speeds = *out;
    snprintf(k->device, sizeof(k->device), "%s", device ? device : "");
    ksr_context_keep(ctx, k, free);
    return KSR_OK;
}

// Takes over what a job's pipeline settings name, if that is a bundled network. Returns whether.
static bool take_over(const json_t *pipeline, struct ksr_pipeline_config *config)
{
    const char *name = json_string_value(json_object_get(pipeline, "ai_model_path"));
    const struct ksr_network *network = ksr_network_find(name ? name : KSR_MODEL_DEFAULT);
    if (!json_is_true(json_object_get(pipeline, "use_ai")) || !network)
        return false;
    config->ai_model_path = name ? network->name : NULL; // which the key tells apart
    return true;
}

// What the work folder or the record says. *found tells.
static ksr_status look_back(ksr_context *ctx, struct ksr_pipeline_config *config,
                            const struct ksr_run_options *options, const char *folder, bool *found)
{
    struct ksr_manifest there;
    json_t *pipeline = NULL;
    *found = false;
    if (options->fresh)
        return KSR_OK;
    ksr_status status = ksr_manifest_load(ctx, folder, &there);
    if (status == KSR_OK) {
        pipeline = json_incref(json_object_get(json_object_get(there.key, "config"), "pipeline"));
        ksr_manifest_free(&there);
    } else if (status != KSR_E_NOMEM) {
        status = ksr_provenance_pipeline(ctx, options->provenance, &pipeline);
    }
    *found = take_over(pipeline, config);
    json_decref(pipeline);
    return status;
}

static void say_choice(ksr_context *ctx, const struct ksr_speeds *speeds,
                       const struct ksr_network *network)
{
    double least;
    const double speed = speed_of(speeds, (size_t)(network - ksr_networks), &least);
    const int tenths = (int)(speed * 10 + 0.5);
    ksr_log(
        ctx, KSR_LOG_INFO,
        "AI model: %s, %s%d.%d frames per second at 1080p on %s (keep it with {ai_model_path=%s})",
        network->name, speed < least ? "the fastest, " : "", tenths / 10, tenths % 10,
        speeds->gpu[0] ? "the GPU" : "the processor", network->name);
}

ksr_status ksr_choice_settle(ksr_context *ctx, struct ksr_pipeline_config *config,
                             const struct ksr_run_options *options, const char *folder)
{
    struct ksr_speeds speeds;
    bool found;
    if (!config->use_ai || !config->ai_model_path || strcmp(config->ai_model_path, AUTO) != 0)
        return KSR_OK;
    if (strcmp(config->ai_engine, "onnxruntime") == 0)
        return ksr_fail(ctx, KSR_E_PARAM,
                        "ai_model_path: 'auto' measures the native engine (name a model, or omit "
                        "{ai_engine})");
    if (ksr_engine_names_variant(config))
        return ksr_fail(ctx, KSR_E_PARAM,
                        "ai_variant: '%s' is one of a certain network (name it instead of "
                        "{ai_model_path=auto}, or omit {ai_variant})",
                        config->ai_variant);
    ksr_status status = look_back(ctx, config, options, folder, &found);
    if (status == KSR_OK && found) {
        ksr_log(ctx, KSR_LOG_INFO, "AI model: %s, as before",
                config->ai_model_path ? config->ai_model_path : KSR_MODEL_DEFAULT);
        return KSR_OK;
    }
    if (status == KSR_OK)
        status = find_speeds(ctx, options->device, &speeds);
    if (status != KSR_OK)
        return status;
    const struct ksr_network *network = ksr_speeds_choose(&speeds);
    config->ai_model_path = network->name;
    say_choice(ctx, &speeds, network);
    return KSR_OK;
}
