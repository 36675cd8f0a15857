// The key of a job; see key.h.

#include "job/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "core/mem.h"
#include "job/subs.h"
#include "media/av/pixel_format.h"
#include "net/library.h"
#include "pipeline/device.h"

static json_t *engine_to_json(const struct ksr_engine_identity *engine)
{
    return engine->runtime[0]
               ? json_pack("{s:s,s:s,s:i,s:i}", "runtime", engine->runtime, "provider",
                           engine->provider, "threads", engine->threads, "white", engine->white)
               : NULL;
}

ksr_status ksr_manifest_key(ksr_context *ctx, const struct ksr_fingerprint *input,
                            const struct ksr_processor_config *config, const char *format,
                            const char *codec, const struct ksr_engine_identity *engine,
                            json_t **key)
{
    char identity[KSR_HASH_TEXT], hardware[KSR_HARDWARE_TEXT];
    *key = NULL;
    const ksr_status status = ksr_encoder_identity(ctx, codec, identity);
    if (status != KSR_OK)
        return status;
    ksr_encoder_hardware(codec, &config->encoder, hardware, sizeof(hardware));
    ksr_memory_watch();
    struct ksr_processor_config resolved = *config;
    resolved.encoder.format = format;
    resolved.encoder.codec = codec;
    json_t *values = ksr_config_to_json(&resolved, false), *subs = NULL;
    const ksr_status read = ksr_subs_key(ctx, config->sub, &subs);
    if (read != KSR_OK) {
        json_decref(values);
        return read;
    }
    *key =
        json_pack("{s:{s:I,s:s},s:o,s:{s:s,s:s,s:s},s:o*,s:s*,s:o*,s:s*,s:s*,s:o*,s:o*}", "input",
                  "bytes", (json_int_t)input->size, "xxh128", input->whole, "config", values,
                  "versions", "kizunasr", ksr_version(), "libraries", ksr_library_versions(),
                  "encoder", identity, "hardware", hardware[0] ? ksr_json_text_of(hardware) : NULL,
                  "model", engine->model[0] ? engine->model : NULL, "variants",
                  engine->variants > 1 ? json_integer(engine->variants) : NULL, "clean",
                  engine->clean[0] ? engine->clean : NULL, "chroma",
                  engine->chroma[0] ? engine->chroma : NULL, "engine", engine_to_json(engine),
                  "subtitles", subs);
    if (*key && !ksr_memory_ran_out())
        return KSR_OK;
    json_decref(*key);
    *key = NULL;
    return ksr_fail_memory(ctx);
}

// What of an engine differs, for a message; NULL = nothing. Either may be NULL: the native one.
static const char *engine_difference(const json_t *there, const json_t *now, char *text,
                                     size_t size)
{
    static const char *const members[][2] = {{"runtime", "the version of ONNX Runtime"},
                                             {"provider", "the device that runs the model"},
                                             {"threads", "the number of threads in the model"},
                                             {"white", "the model's value of white"}};
    if (!there != !now)
        return "the engine that runs the model";
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *a = json_object_get(there, members[i][0]), *b = json_object_get(now, members[i][0]);
        if (json_equal(a, b) || (!a && !b))
            continue;
        if (json_is_string(a) && json_is_string(b))
            snprintf(text, size, "%s (%s there, %s now)", members[i][1], json_string_value(a),
                     json_string_value(b));
        else
            snprintf(text, size, "%s (%lld there, %lld now)", members[i][1],
                     (long long)json_integer_value(a), (long long)json_integer_value(b));
        return text;
    }
    return NULL;
}

const char *ksr_manifest_replaced(const struct ksr_manifest *m)
{
    const json_t *config = json_object_get(m->key, "config");
    const json_t *pipeline = json_object_get(config, "pipeline");
    const char *asked = json_string_value(json_object_get(pipeline, "ai_model_path"));
    const char *settled = ksr_config_get(m->config)->pipeline.ai_model_path;
    if (!json_object_get(m->key, "clean") || !asked || !settled || strcmp(asked, settled) == 0)
        return NULL;
    return asked;
}

const char *ksr_manifest_chroma(const struct ksr_manifest *m)
{
    const char *asked = json_string_value(json_object_get(m->key, "chroma"));
    const struct ksr_pipeline_config *settled = &ksr_config_get(m->config)->pipeline;
    return asked ? ksr_engine_chroma(settled) : NULL;
}

const char *ksr_manifest_model(const struct ksr_manifest *m)
{
    const char *member = ksr_manifest_replaced(m) ? "clean" : "model";
    return json_string_value(json_object_get(m->key, member));
}

// Whether the engine is the one that the job was planned with.
static ksr_status check_engine(ksr_context *ctx, const struct ksr_manifest *manifest,
                               const struct ksr_engine_identity *now)
{
    const char *name = ksr_config_get(manifest->config)->pipeline.ai_model_path;
    const char *want = ksr_manifest_model(manifest);
    char text[256];
    if (!want || strcmp(want, now->model) != 0)
        return ksr_fail(ctx, KSR_E_MISMATCH, "the model has changed since the job was planned: %s",
                        name ? name : KSR_MODEL_DEFAULT);
    const char *chroma = ksr_manifest_chroma(manifest);
    want = json_string_value(json_object_get(manifest->key, "chroma"));
    if (chroma && strcmp(want, now->chroma) != 0)
        return ksr_fail(ctx, KSR_E_MISMATCH,
                        "the network of chroma has changed since the job was planned: %s", chroma);
    ksr_memory_watch();
    json_t *engine = engine_to_json(now);
    if (ksr_memory_ran_out())
        return ksr_fail_memory(ctx);
    const char *what =
        engine_difference(json_object_get(manifest->key, "engine"), engine, text, sizeof(text));
    json_decref(engine);
    return what ? ksr_fail(ctx, KSR_E_MISMATCH, "differs from the plan: %s", what) : KSR_OK;
}

// Opens a model whose variant planning has chosen, or refuses another model than that of the plan,
// which may have no such variant.
static ksr_status open_as_planned(ksr_context *ctx, const struct ksr_manifest *manifest,
                                  const struct ksr_engine_params *params, ksr_engine **out)
{
    struct ksr_pipeline_config any = *params->config;
    struct ksr_engine_params first = *params;
    any.ai_variant = KSR_VARIANT_AUTO;
    first.config = &any;
    ksr_status status = KSR_OK;
    if (ksr_engine_names_variant(params->config)) {
        status = ksr_engine_open(ctx, &first, out);
        if (status == KSR_OK)
            status = check_engine(ctx, manifest, &(*out)->identity);
        ksr_engine_close(out);
    }
    if (status == KSR_OK)
        status = ksr_engine_open(ctx, params, out);
    return status == KSR_OK ? check_engine(ctx, manifest, &(*out)->identity) : status;
}

ksr_status ksr_manifest_engine(ksr_context *ctx, const struct ksr_manifest *manifest,
                               const struct ksr_run_options *options, ksr_engine **out)
{
    const json_t *planned = json_object_get(manifest->key, "engine");
    const char *provider = json_string_value(json_object_get(planned, "provider"));
    const int threads = (int)json_integer_value(json_object_get(planned, "threads"));
    const char *asked = ksr_device_provider(options->device);
    struct ksr_engine_params params = {
        .config = &ksr_config_get(manifest->config)->pipeline,
        .library = options->onnxruntime_library,
        .device = asked ? asked : provider,
        .only_device = true,
        .threads = options->threads > 0 ? options->threads : threads,
        .white = (int)json_integer_value(json_object_get(planned, "white"))};
    ksr_pixels_weights(&manifest->film.format, &params.kr, &params.kb, &params.bits);
    // A device that did not start when the job was planned is not asked for again.
    if (planned && provider && strcmp(provider, "CPUExecutionProvider") == 0)
        params.device = NULL;
    const ksr_status status = open_as_planned(ctx, manifest, &params, out);
    if (status != KSR_OK)
        ksr_engine_close(out);
    return status;
}

void ksr_manifest_engine_text(const struct ksr_manifest *manifest, char *out, size_t size)
{
    const json_t *engine = json_object_get(manifest->key, "engine");
    const char *provider = json_string_value(json_object_get(engine, "provider"));
    const char *runtime = json_string_value(json_object_get(engine, "runtime"));
    const struct ksr_ort_device *device = provider ? ksr_ort_device_find(provider) : NULL;
    const int threads = (int)json_integer_value(json_object_get(engine, "threads"));
    if (runtime && device)
        snprintf(out, size, "%s on %s, %d thread%s", runtime, device->name, threads,
                 threads == 1 ? "" : "s");
    else
        snprintf(out, size, "%s", json_object_get(manifest->key, "model") ? "native" : "");
}

bool ksr_manifest_id(const json_t *key, char id[KSR_HASH_TEXT])
{
    const int before = errno;
    ksr_memory_watch();
    char *text = json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS | KSR_JSON_REALS);
    const bool whole = text && !ksr_memory_ran_out();
    if (whole) {
        ksr_hash_text(text, strlen(text), id);
        errno = before; // a caller may be watching
    }
    free(text);
    return whole;
}

static const json_t *codec_of(const json_t *key)
{
    const json_t *encoder = json_object_get(json_object_get(key, "config"), "encoder");
    return json_object_get(encoder, "codec");
}

static const char *first_difference(const json_t *a, const json_t *b)
{
    const char *group, *name;
    json_t *members, *value;
    json_object_foreach((json_t *)json_object_get(a, "config"), group, members) json_object_foreach(
        members, name,
        value) if (!json_equal(value,
                               json_object_get(json_object_get(json_object_get(b, "config"), group),
                                               name))) return name;
    return "the configuration";
}

static bool both_have(const json_t *a, const json_t *b, const char *name)
{
    return json_object_get(a, name) && json_object_get(b, name);
}

// Whether a member differs; one that is missing differs from one that is not.
static bool differ(const json_t *a, const json_t *b, const char *name)
{
    const json_t *one = json_object_get(a, name), *other = json_object_get(b, name);
    return one != other && !(one && other && json_equal(one, other));
}

static const char *hardware_difference(const json_t *there, const json_t *now, char *text,
                                       size_t size)
{
    snprintf(text, size, "the GPU or driver of the encoder (%s there, %s now)",
             json_string_value(json_object_get(there, "hardware")),
             json_string_value(json_object_get(now, "hardware")));
    return text;
}

ksr_status ksr_manifest_mismatch(ksr_context *ctx, const char *folder, const json_t *there,
                                 const json_t *wanted)
{
    const char *what = NULL;
    char text[2 * KSR_HARDWARE_TEXT + 64];
    const json_t *was = json_object_get(there, "engine"), *now = json_object_get(wanted, "engine");
    if (!json_equal(json_object_get(there, "input"), json_object_get(wanted, "input")))
        what = "the input file";
    else if (!json_equal(codec_of(there), codec_of(wanted)))
        what = "codec"; // another encoder has another version
    else if (!json_equal(json_object_get(there, "versions"), json_object_get(wanted, "versions")))
        what = "a version of KizunaSR or its libraries";
    else if (!json_equal(json_object_get(there, "hardware"), json_object_get(wanted, "hardware")) &&
             json_object_get(there, "hardware"))
        what = hardware_difference(there, wanted, text, sizeof(text));
    else if (both_have(there, wanted, "model") &&
             (differ(there, wanted, "model") || differ(there, wanted, "clean")))
        what = "the model";
    else if (differ(there, wanted, "chroma") &&
             json_equal(json_object_get(there, "config"), json_object_get(wanted, "config")))
        what = "the network of chroma";
    else if (both_have(there, wanted, "model"))
        what = engine_difference(was, now, text, sizeof(text));
    if (!what &&
        !json_equal(json_object_get(there, "subtitles"), json_object_get(wanted, "subtitles")) &&
        (json_object_get(there, "subtitles") || json_object_get(wanted, "subtitles")))
        what = "sub";
    if (!what)
        what = first_difference(there, wanted);
    return ksr_fail(ctx, KSR_E_MISMATCH,
                    "%s belongs to another job: %s differs (use {fresh=true} to start over)",
                    folder, what);
}
