// Where models are found; see library.h.

#include "net/library.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"
#include "core/suggest.h"

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

static char beside_library[4096]; // "" = there is none

// An installed library, wherever its tree was moved, has the models in ../share/kizunasr/models, or
// one folder further up (lib/x86_64-linux-gnu).
static void look_beside_library(void)
{
    Dl_info self;
    if (!dladdr((const void *)(uintptr_t)&ksr_model_folder, &self) || !self.dli_fname)
        return;
    const char *slash = strrchr(self.dli_fname, '/');
    static const char *const ways[] = {"..", "../.."};
    for (int i = 0; slash && i < 2; i++) {
        snprintf(beside_library, sizeof(beside_library), "%.*s/%s/share/kizunasr/models",
                 (int)(slash - self.dli_fname), self.dli_fname, ways[i]);
        if (ksr_fs_is_folder(beside_library))
            return;
    }
    beside_library[0] = 0;
}

const char *ksr_model_folder(void)
{
    const char *given = getenv("KIZUNASR_MODELS");
    if (given && *given)
        return given;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, look_beside_library);
    if (beside_library[0])
        return beside_library;
    return ksr_fs_exists(KSR_MODELS_SOURCE) ? KSR_MODELS_SOURCE : KSR_MODELS_INSTALLED;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ksr_model_free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

ksr_status ksr_model_list(ksr_context *ctx, char ***names, size_t *count)
{
    DIR *folder = opendir(ksr_model_folder());
    ksr_status status = KSR_OK;
    size_t capacity = 0;
    *names = NULL;
    *count = 0;
    if (!folder)
        return ksr_fail(ctx, KSR_E_MODEL, "cannot read the model folder: %s", ksr_model_folder());
    for (struct dirent *e; status == KSR_OK && (e = readdir(folder));) {
        if (!ends_with(e->d_name, ".ksrnet") && !ends_with(e->d_name, ".onnx"))
            continue;
        char *name = strdup(e->d_name);
        if (name && ksr_array_reserve((void **)names, &capacity, *count + 1, sizeof(**names)))
            (*names)[(*count)++] = name;
        else
            free(name), status = ksr_fail_memory(ctx);
    }
    closedir(folder);
    if (*count > 0)
        qsort(*names, *count, sizeof(**names), compare_names);
    if (status != KSR_OK) {
        ksr_model_free_names(*names, *count);
        *names = NULL;
        *count = 0;
    }
    return status;
}

const struct ksr_network *ksr_network_find(const char *name)
{
    for (size_t i = 0; name && i < ksr_network_count; i++)
        if (strcmp(name, ksr_networks[i].name) == 0)
            return &ksr_networks[i];
    return NULL;
}

const struct ksr_network *ksr_network_of(const char *hash)
{
    for (size_t i = 0; i < ksr_network_count; i++)
        if (strcmp(hash, ksr_networks[i].hash) == 0)
            return &ksr_networks[i];
    return NULL;
}

char *ksr_model_find(const char *name, const char *end)
{
    if (ksr_fs_name(name) != name || ends_with(name, ".ksrnet") || ends_with(name, ".onnx"))
        return strdup(name);
    return ksr_format("%s/%s%s", ksr_model_folder(), name, end);
}

static ksr_status fail_missing(ksr_context *ctx, const char *name)
{
    struct ksr_guess guess = {.word = name};
    char text[KSR_GUESS_TEXT];
    for (size_t i = 0; i < ksr_network_count; i++)
        ksr_guess_consider(&guess, ksr_networks[i].name);
    const bool itself = ksr_network_find(name) != NULL; // its file is missing
    return ksr_fail(ctx, KSR_E_MODEL, "model not found: %s%s", name,
                    itself ? "" : ksr_guess_text(&guess, text));
}

// Fails, and says which variants a file has.
static ksr_status fail_variant(ksr_context *ctx, const char *name, const char *variant,
                               const char *data, size_t size)
{
    struct ksr_model m;
    char list[KSR_MODEL_VARIANTS * (KSR_VARIANT_NAME + 2)] = "";
    ksr_memory_watch();
    if (ksr_model_parse((const uint8_t *)data, size, NULL, &m) && ksr_memory_ran_out())
        return ksr_fail_memory(ctx);
    for (int i = 0; i < m.variants && m.variants > 1; i++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "",
                 m.variant_name[i]);
    ksr_model_free(&m);
    return ksr_fail(ctx, KSR_E_PARAM,
                    "ai_variant: %s has no variant '%s' (%s; {ai_variant=auto} chooses one)", name,
                    variant, list[0] ? list : "it has none");
}

static ksr_status read_model(ksr_context *ctx, const char *name, const char *path,
                             const char *variant, ksr_net **out)
{
    char *data = NULL;
    size_t size = 0;
    if (!ksr_fs_exists(path) || ksr_fs_is_folder(path))
        return fail_missing(ctx, name);
    if (ksr_fs_size(path) > MOST_BYTES)
        return ksr_fail(ctx, KSR_E_MODEL, "unusable model: %s: it is too large", name);
    const ksr_status status = ksr_fs_read_file(ctx, path, &data, &size);
    if (status == KSR_E_NOMEM)
        return status;
    if (status != KSR_OK)
        return ksr_fail(ctx, KSR_E_MODEL, "cannot read model: %s", name);
    struct ksr_model model;
    ksr_memory_watch();
    const char *wrong = ksr_model_parse((const uint8_t *)data, size, variant, &model);
    const bool starved = wrong && ksr_memory_ran_out();
    const bool no_variant = wrong && strcmp(wrong, KSR_MODEL_NO_VARIANT) == 0;
    const ksr_status refused = no_variant ? fail_variant(ctx, name, variant, data, size) : KSR_OK;
    free(data);
    if (refused != KSR_OK)
        return refused;
    if (starved)
        return ksr_fail_memory(ctx);
    if (wrong)
        return ksr_fail(ctx, KSR_E_MODEL, "unusable model: %s: %s", name, wrong);
    *out = ksr_net_create(&model);
    ksr_model_free(&model);
    return *out ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_model_load(ksr_context *ctx, const char *name, const char *variant, ksr_net **out)
{
    *out = NULL;
    name = name && *name ? name : KSR_MODEL_DEFAULT;
    if (ksr_model_is_onnx(name))
        return ksr_fail(ctx, KSR_E_MODEL,
                        "unusable model: %s: the native engine does not run .onnx models "
                        "(ai_engine: auto or onnxruntime)",
                        name);
    char *path = ksr_model_find(name, ".ksrnet");
    const ksr_status status =
        path ? read_model(ctx, name, path, variant, out) : ksr_fail_memory(ctx);
    free(path);
    return status;
}
