// kizunasr models: the bundled networks and how fast they are here, or what named models are.
// kizunasr devices: what can run them.
//
// Measuring takes a second, which a script should not have to wait for: it is done on a terminal,
// or if
// --measure asks for it.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

// Writes 338752 as "339k".
static const char *short_number(char out[TEXT_SHORT], json_int_t n)
{
    snprintf(out, TEXT_SHORT,
             n < 100000 ? "%" JSON_INTEGER_FORMAT ".%dk" : "%" JSON_INTEGER_FORMAT "k",
             n < 100000 ? n / 1000 : (n + 500) / 1000, (int)(n % 1000 / 100));
    return out;
}

// Writes frames per second with as many digits as mean something; "-" where there are none.
static const char *fps_text(char out[TEXT_SHORT], const json_t *speed, const char *where)
{
    const double fps = json_real_value(json_object_get(speed, where));
    const int hundredths = (int)(fps * 100 + 0.5);
    if (fps <= 0)
        snprintf(out, TEXT_SHORT, "-");
    else if (fps < 1)
        snprintf(out, TEXT_SHORT, "%d.%02d", hundredths / 100, hundredths % 100);
    else if (fps < 100)
        snprintf(out, TEXT_SHORT, "%d.%d", (hundredths + 5) / 100, (hundredths + 5) / 10 % 10);
    else
        snprintf(out, TEXT_SHORT, "%d", (int)(fps + 0.5));
    return out;
}

// Its variants, on one line.
static void print_variants(const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        printf("%s%s", i > 0 ? ", " : "variants: ", json_string_value(json_array_get(names, i)));
    if (names)
        putchar('\n');
}

// What only a network of ours has: cost, variants, what works beside it by default, and card.
static void print_card(const json_t *model)
{
    const json_int_t cost = json_integer_value(json_object_get(model, "multiplications"));
    char *card = strdup(text_of(model, "card"));
    printf("%d,%03d multiplications per input pixel, receptive radius %d\n", (int)(cost / 1000),
           (int)(cost % 1000), integer_of(model, "reach"));
    print_variants(json_object_get(model, "variants"));
    if (json_object_get(model, "chroma"))
        printf("chroma of 4:2:0: %s, unless --ai-chroma off is given\n", text_of(model, "chroma"));
    if (json_object_get(model, "clean"))
        printf("clean sources: %s, unless --ai-variant general is given\n",
               text_of(model, "clean"));
    if (json_object_get(model, "temporal"))
        printf("flicker: --temporal --motion-threshold 0.%02d, unless --ai-temporal off is given\n",
               (int)(json_real_value(json_object_get(model, "temporal")) * 100 + 0.5));
    for (char *line = card, *end; line && *line; line = end) {
        end = strchr(line, '\n');
        end = end ? end + 1 : line + strlen(line);
        if (line == card)
            putchar('\n');
        const char last = end[-1];
        if (last == '\n')
            end[-1] = 0;
        puts(text_clean(line));
    }
    free(card);
}

// A model that was opened.
static void print_description(const json_t *model)
{
    const int channels = integer_of(model, "channels");
    print_clean("%s: ", text_of(model, "file"));
    printf("%s, %dx, ", engine_text(model), integer_of(model, "scale"));
    if (strcmp(text_of(model, "enlarges"), "chroma") == 0)
        printf("chroma");
    else
        printf("%d channel%s", channels, text_plural(channels));
    if (json_object_get(model, "layers"))
        print_layers(model);
    if (json_object_get(model, "white"))
        printf(", %s, white is %d", text_of(model, "input"), integer_of(model, "white"));
    print_size(model);
    putchar('\n');
    if (json_object_get(model, "reach"))
        print_card(model);
}

// The speeds of a network; NULL: not measured.
static const json_t *speed_of(const json_t *root, const char *name)
{
    const json_t *list = json_object_get(json_object_get(root, "measured"), "networks");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(text_of(json_array_get(list, i), "name"), name) == 0)
            return json_array_get(list, i);
    return NULL;
}

static void print_network(const json_t *root, const json_t *model, bool gpu)
{
    char cost[TEXT_SHORT], fps[TEXT_SHORT];
    const json_t *speed = speed_of(root, text_of(model, "name"));
    print_clean("%-13s ", text_of(model, "name"));
    printf("%7s  ",
           short_number(cost, json_integer_value(json_object_get(model, "multiplications"))));
    if (json_object_get(root, "measured"))
        printf("%5s  ", fps_text(fps, speed, "processor"));
    if (gpu)
        printf("%5s  ", fps_text(fps, speed, "gpu"));
    printf("%s%s\n", text_of(model, "purpose"),
           json_is_true(json_object_get(model, "default")) ? " (default)" : "");
}

static void print_measured(const json_t *measured)
{
    printf("Frames per second at %dx%d without decoding, encoding:\n",
           integer_of(measured, "width"), integer_of(measured, "height"));
    printf("  CPU: %d thread%s, %s\n", integer_of(measured, "threads"),
           text_plural(integer_of(measured, "threads")), text_of(measured, "simd"));
    if (json_object_get(measured, "gpu"))
        print_clean("  GPU: %s\n", text_of(measured, "gpu"));
    printf("'--ai-model auto' would choose %s here.\n", text_of(measured, "choice"));
}

static void print_others(const json_t *models)
{
    const char *title = "\nThe folder has models for ONNX Runtime, too:\n";
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        if (strcmp(text_of(model, "engine"), "native") == 0)
            continue;
        printf("%s", title);
        print_clean("  %s\n", text_of(model, "file"));
        title = "";
    }
}

// The networks as a table of up to 64 columns, then what else is in the folder.
static void print_list(const json_t *root)
{
    const json_t *models = json_object_get(root, "models");
    const json_t *measured = json_object_get(root, "measured");
    const bool gpu = json_object_get(measured, "gpu") != NULL;
    printf("%-13s %7s  %s%sfor\n", "network", "mult/px", measured ? "  CPU  " : "",
           gpu ? "  GPU  " : "");
    for (size_t i = 0; i < json_array_size(models); i++) {
        const json_t *model = json_array_get(models, i);
        if (strcmp(text_of(model, "engine"), "native") == 0)
            print_network(root, model, gpu);
    }
    puts("\nmult/px: multiplications per input pixel.");
    if (measured)
        print_measured(measured);
    puts("'kizunasr models NAME' shows the card of a network.");
    print_others(models);
}

static void print_models(const json_t *root)
{
    const json_t *models = json_object_get(root, "models");
    if (json_object_get(json_array_get(models, 0), "name"))
        print_list(root);
    else
        for (size_t i = 0; i < json_array_size(models); i++)
            print_description(json_array_get(models, i));
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

// Adds the speeds of this machine to the list of models.
static ksr_status add_speeds(ksr_context *ctx, const struct options *options, char **json)
{
    char *speeds = NULL;
    const ksr_status status = ksr_model_speeds(ctx, options->run.device, &speeds);
    if (status != KSR_OK)
        return status;
    json_t *root = json_loads(*json, 0, NULL);
    json_object_set_new(root, "measured", json_loads(speeds, 0, NULL));
    ksr_free(speeds);
    ksr_free(*json);
    *json = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(4));
    json_decref(root);
    return *json ? KSR_OK : KSR_E_NOMEM;
}

int run_models(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    const bool wanted = options->measure == MEASURE_AUTO ? isatty(STDOUT_FILENO) && !options->json
                                                         : options->measure == MEASURE_YES;
    ksr_status status = ksr_models(ctx, options->inputs, options->input_count,
                                   options->run.onnxruntime_library, &json);
    if (status == KSR_OK && wanted && options->input_count == 0)
        status = add_speeds(ctx, options, &json);
    return print_answer(ui, options, status, json, print_models);
}

int run_devices(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    const ksr_status status = ksr_devices(ctx, options->run.onnxruntime_library, &json);
    return print_answer(ui, options, status, json, print_devices);
}
