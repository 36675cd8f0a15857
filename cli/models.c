// kizunasr models: the bundled models, or what named ones are. kizunasr devices: what can run them.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verbs.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int integer_of(const json_t *object, const char *name)
{
    return (int)json_integer_value(json_object_get(object, name));
}

// Prints a text that comes from a file or a command line.
static void print_clean(const char *format, const char *text)
{
    char *clean = strdup(text);
    if (clean)
        printf(format, text_clean(clean));
    free(clean);
}

static const char *engine_text(const json_t *model)
{
    return strcmp(text_of(model, "engine"), "native") == 0 ? "built-in engine" : "ONNX Runtime";
}

static void print_size(const json_t *model)
{
    const int width = integer_of(model, "width"), height = integer_of(model, "height");
    const int multiple = integer_of(model, "multiple");
    if (width && height)
        printf(", %dx%d only", width, height);
    else if (multiple > 1)
        printf(", sizes in steps of %d", multiple);
}

static void print_layers(const json_t *model)
{
    const int resolutions = integer_of(model, "resolutions");
    printf(", %d layers of %s%d", integer_of(model, "layers"), resolutions > 1 ? "up to " : "",
           integer_of(model, "features"));
    if (resolutions > 1)
        printf(" at %d resolutions", resolutions);
}

// A model that was opened.
static void print_description(const json_t *model)
{
    const int channels = integer_of(model, "channels");
    print_clean("%s: ", text_of(model, "file"));
    printf("%s, %dx, %d channel%s", engine_text(model), integer_of(model, "scale"), channels,
           text_plural(channels));
    if (json_object_get(model, "layers"))
        print_layers(model);
    if (json_object_get(model, "white"))
        printf(", %s, white is %d", text_of(model, "input"), integer_of(model, "white"));
    print_size(model);
    putchar('\n');
}

static void print_entry(const json_t *model)
{
    print_clean("%-16s ", text_of(model, "name"));
    print_clean("%-24s ", text_of(model, "file"));
    const char *purpose = text_of(model, "purpose");
    printf("%s%s%s%s\n", engine_text(model),
           json_is_true(json_object_get(model, "default")) ? ", the default" : "",
           *purpose ? ", " : "", purpose);
}

static void print_models(const json_t *root)
{
    const json_t *models = json_object_get(root, "models");
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        if (json_object_get(model, "name"))
            print_entry(model);
        else
            print_description(model);
    }
}

static void print_gpu(const json_t *gpu)
{
    const char *refused = text_of(gpu, "refused");
    print_clean("%s", text_of(gpu, "gpu"));
    print_clean(" (%s)", text_of(gpu, "driver"));
    printf(", %.1f GiB: ",
           (double)json_integer_value(json_object_get(gpu, "memory")) / (1024.0 * 1024 * 1024));
    if (json_object_get(gpu, "refused"))
        print_clean("not used: %s\n", refused);
    else
        printf("stages, built-in engine; test passed%s\n",
               json_is_true(json_object_get(gpu, "software")) ? "; software, used if named" : "");
}

static void print_devices(const json_t *root)
{
    const json_t *devices = json_object_get(root, "devices");
    const json_t *runtime = json_object_get(root, "onnxruntime");
    const bool found = json_is_true(json_object_get(runtime, "found"));
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);
        printf("%-16s ", text_of(device, "name"));
        if (json_object_get(device, "gpu"))
            print_gpu(device);
        else if (json_is_true(json_object_get(device, "native")))
            printf("stages, built-in engine (%s)%s\n", text_of(root, "simd"),
                   found ? ", ONNX Runtime" : "");
        else
            puts("ONNX Runtime, if the libraries that it needs are there");
    }
    if (json_object_get(root, "no_gpu"))
        print_clean("No GPU: %s\n", text_of(root, "no_gpu"));
    if (!found) {
        print_clean("%s\n", text_of(runtime, "reason"));
        return;
    }
    printf("ONNX Runtime %s", text_of(runtime, "version"));
    print_clean(": %s\n", text_of(runtime, "path"));
}

// Prints an answer of the library, as it is or as `print` does it, and frees it.
static int print_answer(struct ui *ui, const struct options *options, ksr_status status, char *json,
                        void (*print)(const json_t *root))
{
    if (status == KSR_OK && options->json) {
        puts(json);
    } else if (status == KSR_OK) {
        json_t *root = json_loads(json, 0, NULL);
        if (root)
            print(root);
        else
            status = KSR_E_NOMEM;
        json_decref(root);
    }
    ksr_free(json);
    return ui_exit_status(ui, status);
}

int run_models(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    const ksr_status status = ksr_models(ctx, options->inputs, options->input_count,
                                         options->run.onnxruntime_library, &json);
    return print_answer(ui, options, status, json, print_models);
}

int run_devices(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    const ksr_status status = ksr_devices(ctx, options->run.onnxruntime_library, &json);
    return print_answer(ui, options, status, json, print_devices);
}
