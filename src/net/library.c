// Where models are found; see library.h.

#include "net/library.h"

#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"

#define MOST_BYTES (8 << 20) // of a model file

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool ksr_model_is_onnx(const char *name)
{
    return name && ends_with(name, ".onnx");
}

const char *ksr_model_folder(void)
{
    const char *given = getenv("KIZUNASR_MODELS");
    if (given && *given)
        return given;
    return ksr_fs_exists(KSR_MODELS_INSTALLED) ? KSR_MODELS_INSTALLED : KSR_MODELS_SOURCE;
}

char *ksr_model_find(const char *name, const char *end)
{
    if (strchr(name, '/') || ends_with(name, ".ksrnet") || ends_with(name, ".onnx"))
        return strdup(name);
    return ksr_format("%s/%s%s", ksr_model_folder(), name, end);
}

static ksr_status read_model(ksr_context *ctx, const char *name, const char *path, ksr_net **out)
{
    char *data = NULL;
    size_t size = 0;
    if (!ksr_fs_exists(path) || ksr_fs_is_folder(path))
        return ksr_fail(ctx, KSR_E_MODEL, "Model not found: %s", name);
    if (ksr_fs_size(path) > MOST_BYTES)
        return ksr_fail(ctx, KSR_E_MODEL, "Model cannot be used: %s: it is too large", name);
    if (ksr_fs_read_file(ctx, path, &data, &size) != KSR_OK)
        return ksr_fail(ctx, KSR_E_MODEL, "Model cannot be read: %s", name);
    struct ksr_model model;
    const char *wrong = ksr_model_parse((const uint8_t *)data, size, &model);
    free(data);
    if (wrong)
        return ksr_fail(ctx, KSR_E_MODEL, "Model cannot be used: %s: %s", name, wrong);
    *out = ksr_net_create(&model);
    ksr_model_free(&model);
    return *out ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_model_load(ksr_context *ctx, const char *name, ksr_net **out)
{
    *out = NULL;
    name = name && *name ? name : KSR_MODEL_DEFAULT;
    if (ksr_model_is_onnx(name))
        return ksr_fail(ctx, KSR_E_MODEL,
                        "Model cannot be used: %s: the native engine does not run .onnx models "
                        "(ai_engine: auto or onnxruntime)",
                        name);
    char *path = ksr_model_find(name, ".ksrnet");
    const ksr_status status = path ? read_model(ctx, name, path, out) : ksr_fail_memory(ctx);
    free(path);
    return status;
}
