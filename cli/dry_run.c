// upscale --dry-run: what the run would do, as a table or as JSON.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verbs.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "?";
}

static int number_of(const json_t *object, const char *name)
{
    return (int)json_integer_value(json_object_get(object, name));
}

static void print_stream(const json_t *stream)
{
    char line[512];
    const char *language = json_string_value(json_object_get(stream, "language"));
    const char *to = json_string_value(json_object_get(stream, "to"));
    const char *file = json_string_value(json_object_get(stream, "file"));
    snprintf(line, sizeof(line), "  %3d %-10s %-12s %-8s %s%s%s%s%s", number_of(stream, "index"),
             text_of(stream, "type"), text_of(stream, "codec"), language ? language : "",
             text_of(stream, "action"), to ? " as " : "", to ? to : "", file ? ", from " : "",
             file ? file : "");
    puts(text_clean(line));
}

static void print_model(const char *name)
{
    char *clean = strdup(name);
    printf("  model     %s\n", clean ? text_clean(clean) : "?");
    free(clean);
}

static void print_segment(const json_t *segment, size_t number)
{
    printf("  %3zu from %9.3f s %6d frames, %.3f s%s\n", number,
           json_real_value(json_object_get(segment, "start")), number_of(segment, "frames"),
           json_real_value(json_object_get(segment, "seconds")),
           json_is_true(json_object_get(segment, "finished")) ? ", finished" : "");
}

// Settings that were measured or that restore, as the library names them.
static void print_settled(const json_t *root)
{
    static const char *const names[][2] = {
        {"ai_variant", "variant"},  {"ai_chroma", "chroma"},     {"descale", "descale"},
        {"denoise", "denoise"},     {"deblock", "deblock"},      {"dehalo", "dehalo"},
        {"composite", "composite"}, {"ai_temporal", "temporal"}, {"grain", "grain"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(root, names[i][0]))
            printf("  %-9s %s\n", names[i][1], text_of(root, names[i][0]));
}

static void print_options(const json_t *options)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)options, name, value)
        printf("      %s=%s\n", name, json_string_value(value));
}

static bool print_plan(const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *from = json_object_get(root, "from"), *to = json_object_get(root, "to");
    const json_t *streams = json_object_get(root, "streams");
    const json_t *segments = json_object_get(root, "segments");
    const bool usable = json_is_object(root);
    printf("  video     %dx%d %s -> %dx%d %s\n", number_of(from, "width"),
           number_of(from, "height"), text_of(from, "pixel_format"), number_of(to, "width"),
           number_of(to, "height"), text_of(to, "pixel_format"));
    printf("  frames    %d, %.3f s\n", number_of(root, "frames"),
           json_real_value(json_object_get(root, "seconds")));
    if (json_object_get(root, "model"))
        print_model(text_of(root, "model"));
    print_settled(root);
    printf("  encoder   %s into %s\n", text_of(to, "codec"), text_of(to, "format"));
    print_options(json_object_get(to, "encoder_options"));
    puts("  streams");
    for (size_t i = 0; i < json_array_size(streams); i++)
        print_stream(json_array_get(streams, i));
    puts("  segments");
    for (size_t i = 0; i < json_array_size(segments); i++)
        print_segment(json_array_get(segments, i), i);
    json_decref(root);
    return usable;
}

int dry_run(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    ksr_status status = ksr_dry_run(ctx, &options->job, &options->run, &json);
    progress_finish(&ui->progress);
    if (status == KSR_OK && options->json)
        puts(json);
    else if (status == KSR_OK && !print_plan(json))
        status = KSR_E_NOMEM;
    ksr_free(json);
    return ui_exit_status(ui, status);
}
