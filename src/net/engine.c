// The two engines of AI mode; see engine.h.

#include "net/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/library.h"

bool ksr_engine_is_onnx(const struct ksr_pipeline_config *config)
{
    if (strcmp(config->ai_engine, "auto") == 0)
        return ksr_model_is_onnx(config->ai_model_path);
    return strcmp(config->ai_engine, "onnxruntime") == 0;
}

bool ksr_engine_names_variant(const struct ksr_pipeline_config *config)
{
    return strcmp(config->ai_variant, KSR_VARIANT_AUTO) != 0 &&
           strcmp(config->ai_variant, KSR_VARIANT_GENERAL) != 0;
}

const struct ksr_network *ksr_engine_for_clean(const struct ksr_pipeline_config *config)
{
    const struct ksr_network *asked = ksr_network_find(config->ai_model_path);
    if (!config->use_ai || ksr_engine_is_onnx(config) || !asked ||
        strcmp(config->ai_variant, KSR_VARIANT_AUTO) != 0)
        return NULL;
    return ksr_network_find(asked->clean);
}

#define CHROMA_AUTO "auto"
#define CHROMA_OFF  "off"

const char *ksr_engine_chroma(const struct ksr_pipeline_config *config)
{
    const char *name =
        config->ai_model_path && *config->ai_model_path ? config->ai_model_path : KSR_MODEL_DEFAULT;
    const struct ksr_network *luma = ksr_network_find(name);
    if (!config->use_ai || strcmp(config->ai_chroma, CHROMA_OFF) == 0)
        return NULL;
    if (strcmp(config->ai_chroma, CHROMA_AUTO) != 0)
        return config->ai_chroma;
    return luma ? luma->chroma : NULL;
}

static ksr_status load_chroma(ksr_context *ctx, const char *name, ksr_net **out)
{
    *out = NULL;
    if (ksr_model_is_onnx(name))
        return ksr_fail(ctx, KSR_E_MODEL,
                        "unusable model: %s: networks of chroma are .ksrnet files", name);
    ksr_status status = ksr_model_load(ctx, name, NULL, out);
    if (status == KSR_OK && !(*out)->chroma) {
        status = ksr_fail(ctx, KSR_E_MODEL,
                          "unusable model: %s: it enlarges luma ({ai_model_path=%s})", name, name);
        ksr_net_destroy(out);
    }
    return status;
}

// The same for one that jobs can do without.
static ksr_status try_chroma(ksr_context *ctx, const char *name, ksr_net **out)
{
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    *out = NULL;
    if (ksr_context_create_quiet(&quiet, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    const ksr_status status = load_chroma(quiet, name, out);
    ksr_context_destroy(&quiet);
    if (status == KSR_E_MODEL) {
        ksr_log(ctx, KSR_LOG_WARNING, "%s: filters enlarge chroma", reason);
        return KSR_OK;
    }
    return status == KSR_OK ? KSR_OK : ksr_fail_memory(ctx);
}

static ksr_status open_chroma(ksr_context *ctx, const struct ksr_pipeline_config *config,
                              ksr_engine *engine)
{
    const char *name = ksr_engine_chroma(config);
    if (!name)
        return KSR_OK;
    const ksr_status status = strcmp(config->ai_chroma, CHROMA_AUTO) == 0 || config->ai_fallback
                                  ? try_chroma(ctx, name, &engine->chroma)
                                  : load_chroma(ctx, name, &engine->chroma);
    if (engine->chroma)
        memcpy(engine->identity.chroma, engine->chroma->hash, sizeof(engine->identity.chroma));
    return status;
}

// A second doubling gets what the first has made, which no kernel has reduced: that is for
// `general`.
static ksr_status open_again(ksr_context *ctx, const struct ksr_pipeline_config *config,
                             ksr_engine *engine)
{
    const bool may = config->ai_scale > 2 || strcmp(config->descale, "off") != 0;
    return may && ksr_engine_names_variant(config)
               ? ksr_model_load(ctx, config->ai_model_path, NULL, &engine->again)
               : KSR_OK;
}

static ksr_status open_native(ksr_context *ctx, const struct ksr_engine_params *params,
                              ksr_engine *engine)
{
    const struct ksr_pipeline_config *c = params->config;
    if (strcmp(c->ai_color, "rgb") == 0)
        return ksr_fail(ctx, KSR_E_PARAM, "ai_color: 'rgb' needs a model of three channels (luma)");
    const ksr_status status = ksr_model_load(
        ctx, c->ai_model_path, ksr_engine_names_variant(c) ? c->ai_variant : NULL, &engine->net);
    if (status == KSR_OK && engine->net->chroma)
        return ksr_fail(ctx, KSR_E_MODEL, "unusable model: %s: it enlarges chroma ({ai_chroma=%s})",
                        c->ai_model_path, c->ai_model_path);
    if (status == KSR_OK) {
        memcpy(engine->identity.model, engine->net->hash, sizeof(engine->identity.model));
        engine->identity.variants = engine->net->variants;
    }
    return status == KSR_OK ? open_again(ctx, c, engine) : status;
}

static void identify(struct ksr_engine_identity *out, const ksr_onnx *onnx, int threads)
{
    memcpy(out->model, onnx->hash, sizeof(out->model));
    snprintf(out->runtime, sizeof(out->runtime), "ONNX Runtime %s", onnx->ort->version);
    snprintf(out->provider, sizeof(out->provider), "%s", onnx->device->provider);
    out->threads = threads;
    out->white = onnx->white;
}

static ksr_status make_frames(ksr_context *ctx, const struct ksr_engine_params *params,
                              ksr_onnx **onnx, ksr_engine *engine)
{
    const struct ksr_pipeline_config *c = params->config;
    const bool known = params->kr > 0;
    const struct ksr_frames_params p = {.scale = c->ai_scale,
                                        .tile = c->ai_tile_size,
                                        .overlap = c->ai_tile_overlap,
                                        .rgb = strcmp(c->ai_color, "rgb") == 0,
                                        .kr = known ? params->kr : 0.2126,
                                        .kb = known ? params->kb : 0.0722,
                                        .bits = params->bits ? params->bits : 8};
    if (p.rgb && (*onnx)->channels != 3)
        return ksr_fail(ctx, KSR_E_PARAM, "ai_color: 'rgb' needs a model of three channels (luma)");
    engine->frames = ksr_frames_create(*onnx, &p);
    if (!engine->frames)
        return ksr_fail_memory(ctx);
    *onnx = NULL;
    return KSR_OK;
}

static ksr_status open_onnx(ksr_context *ctx, const struct ksr_engine_params *params,
                            ksr_engine *engine)
{
    const struct ksr_pipeline_config *c = params->config;
    const char *name = c->ai_model_path && *c->ai_model_path ? c->ai_model_path : KSR_MODEL_DEFAULT;
    if (ksr_engine_names_variant(c))
        return ksr_fail(ctx, KSR_E_PARAM,
                        "ai_variant: .onnx models have no variant '%s' (they have none; "
                        "{ai_variant=auto} is right for all)",
                        c->ai_variant);
    char *path = ksr_model_find(name, ".onnx");
    if (!path)
        return ksr_fail_memory(ctx);
    const struct ksr_onnx_params p = {.path = path,
                                      .name = name,
                                      .library = params->library,
                                      .device = params->device,
                                      .only = params->only_device,
                                      .threads = params->threads,
                                      .white = params->white ? params->white
                                                             : atoi(c->ai_white)}; // "auto": 0
    ksr_onnx *onnx = NULL;
    ksr_status status = ksr_onnx_open(ctx, &p, &onnx);
    free(path);
    if (status == KSR_OK) {
        identify(&engine->identity, onnx, params->threads);
        status = make_frames(ctx, params, &onnx, engine);
    }
    ksr_onnx_close(&onnx);
    return status;
}

ksr_status ksr_engine_open(ksr_context *ctx, const struct ksr_engine_params *params,
                           ksr_engine **out)
{
    *out = NULL;
    ksr_engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_engine_is_onnx(params->config) ? open_onnx(ctx, params, engine)
                                                           : open_native(ctx, params, engine);
    if (status == KSR_OK)
        status = open_chroma(ctx, params->config, engine);
    if (status != KSR_OK)
        ksr_engine_close(&engine);
    *out = engine;
    return status;
}

void ksr_engine_close(ksr_engine **engine)
{
    if (!engine || !*engine)
        return;
    ksr_net_destroy(&(*engine)->net);
    ksr_net_destroy(&(*engine)->again);
    ksr_net_destroy(&(*engine)->chroma);
    ksr_frames_destroy(&(*engine)->frames);
    free(*engine);
    *engine = NULL;
}
