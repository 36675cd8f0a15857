// kizunasr probe: what is in a file, as a table or as the library's JSON. Every member of the JSON
// is optional here, so that an older program can print what a newer library says.

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "ui.h"
#include "verbs.h"

enum { LINE_SIZE = 1024 };

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

// A line under construction; what does not fit is left out.
struct line {
    char text[LINE_SIZE];
    size_t length;
};

static void add(struct line *line, const char *format, ...) UI_PRINTF(2, 3);

static void add(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(line->text + line->length, LINE_SIZE - line->length, format, args);
    va_end(args);
    if (length > 0)
        line->length += (size_t)length;
    if (line->length >= LINE_SIZE)
        line->length = LINE_SIZE - 1;
}

static void print_line(struct line *line)
{
    puts(text_clean(line->text));
    *line = (struct line){0};
}

static void print_pair(const char *name, const char *value)
{
    struct line line = {0};
    add(&line, "  %-10s %s", name, value);
    print_line(&line);
}

// Writes seconds as "1:02:05.250", or only "0.417 s" below a minute.
static char *clock_text(char out[TEXT_SHORT], double seconds)
{
    if (seconds > -60 && seconds < 60) {
        snprintf(out, TEXT_SHORT, "%.3f s", seconds);
        return out;
    }
    const char *sign = seconds < 0 ? "-" : "";
    const int64_t ms = (int64_t)((seconds < 0 ? -seconds : seconds) * 1000 + 0.5);
    char whole[TEXT_SHORT];
    text_time(whole, ms / 1000);
    snprintf(out, TEXT_SHORT, "%s%.16s.%03d", sign, whole, (int)(ms % 1000));
    return out;
}

static void add_seconds(struct line *line, const json_t *value)
{
    char text[TEXT_SHORT];
    const double seconds = json_number_value(value);
    add(line, "%s", seconds > -1e9 && seconds < 1e9 ? clock_text(text, seconds) : "?");
}

static void print_container(const json_t *root)
{
    const json_t *duration = json_object_get(root, "duration");
    const json_t *size = json_object_get(root, "size");
    const json_t *chapters = json_object_get(root, "chapters");
    struct line line = {0};
    add(&line, "%s", text_of(root, "path") ? text_of(root, "path") : "file");
    print_line(&line);
    if (text_of(root, "format"))
        print_pair("format", text_of(root, "format"));
    if (json_is_number(duration)) {
        add_seconds(&line, duration);
        print_pair("duration", line.text);
    }
    char text[TEXT_SHORT];
    if (json_is_integer(size))
        print_pair("size", text_size(text, json_integer_value(size)));
    if (json_integer_value(chapters) > 0) {
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(chapters));
        print_pair("chapters", text);
    }
}

// FFmpeg's words for what a file does not say; "und" is the language's.
static bool is_known(const char *value)
{
    return value && *value && strcmp(value, "unknown") != 0 && strcmp(value, "und") != 0;
}

// Adds the text of a member that is known, with what stands before and after it.
static void add_text(struct line *line, const json_t *stream, const char *key, const char *before,
                     const char *after)
{
    const char *value = text_of(stream, key);
    if (is_known(value))
        add(line, "%s%s%s", before, value, after);
}

static void add_number(struct line *line, const json_t *stream, const char *key, const char *before,
                       const char *after)
{
    const json_int_t value = json_integer_value(json_object_get(stream, key));
    if (value > 0)
        add(line, "%s%" JSON_INTEGER_FORMAT "%s", before, value, after);
}

static void add_picture(struct line *line, const json_t *stream)
{
    const json_int_t width = json_integer_value(json_object_get(stream, "width"));
    const json_int_t height = json_integer_value(json_object_get(stream, "height"));
    if (width > 0 && height > 0)
        add(line, ", %" JSON_INTEGER_FORMAT "x%" JSON_INTEGER_FORMAT, width, height);
    const char *aspect = text_of(stream, "sample_aspect_ratio");
    if (aspect && strcmp(aspect, "1:1") != 0 && strcmp(aspect, "1/1") != 0)
        add_text(line, stream, "sample_aspect_ratio", ", pixels ", "");
    add_text(line, stream, "pixel_format", ", ", "");
    add_number(line, stream, "bits", ", ", " bit");
    add_text(line, stream, "frame_rate", ", ", " fps");
    add_text(line, stream, "field_order", ", ", "");
}

static void add_sound(struct line *line, const json_t *stream)
{
    add_number(line, stream, "sample_rate", ", ", " Hz");
    if (text_of(stream, "channel_layout"))
        add_text(line, stream, "channel_layout", ", ", "");
    else
        add_number(line, stream, "channels", ", ", " channels");
}

static void print_colour(const json_t *stream)
{
    static const char *const members[][2] = {{"color_range", "range"},
                                             {"color_space", "matrix"},
                                             {"color_primaries", "primaries"},
                                             {"color_transfer", "transfer"},
                                             {"chroma_location", "chroma"}};
    struct line line = {0};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *value = text_of(stream, members[i][0]);
        if (is_known(value))
            add(&line, "%s%s %s", line.length ? ", " : "", members[i][1], value);
    }
    if (line.length) {
        struct line whole = {0};
        add(&whole, "      colour: %s", line.text);
        print_line(&whole);
    }
}

// In full where three letters do not say all.
static void add_language(struct line *line, const json_t *stream)
{
    const char *full = text_of(stream, "language_ietf");
    add_text(line, stream, full && strchr(full, '-') ? "language_ietf" : "language", ", ", "");
}

static void print_stream(const json_t *stream, size_t place)
{
    const char *type = text_of(stream, "type");
    const json_t *index = json_object_get(stream, "index");
    struct line line = {0};
    add(&line, "  %3" JSON_INTEGER_FORMAT " %-10s ",
        json_is_integer(index) ? json_integer_value(index) : (json_int_t)place, type ? type : "?");
    add(&line, "%s", text_of(stream, "codec") ? text_of(stream, "codec") : "unknown codec");
    add_picture(&line, stream);
    add_sound(&line, stream);
    add_language(&line, stream);
    if (json_is_true(json_object_get(stream, "default")))
        add(&line, ", default");
    if (json_is_true(json_object_get(stream, "forced")))
        add(&line, ", forced");
    add_text(&line, stream, "title", ", \"", "\"");
    print_line(&line);
    if (type && strcmp(type, "video") == 0)
        print_colour(stream);
}

static void print_borders(const json_t *video)
{
    struct line line = {0};
    add_text(&line, video, "content", "black; --crop ", " leaves them out");
    if (line.length)
        print_pair("borders", line.text);
}

// At which size the video was drawn.
static void print_drawing(const json_t *picture)
{
    struct line line = {0};
    const json_t *drawing = json_object_get(picture, "drawing");
    if (!picture)
        return;
    if (json_is_object(drawing))
        add(&line,
            "%" JSON_INTEGER_FORMAT "x%" JSON_INTEGER_FORMAT
            ", enlarged by %s; --descale auto undoes this",
            json_integer_value(json_object_get(drawing, "width")),
            json_integer_value(json_object_get(drawing, "height")), text_of(drawing, "kernel"));
    else
        add(&line, "none is clear");
    print_pair("drawn at", line.text);
}

// A fault that was looked for; NULL where it was not found.
static const json_t *fault_in(const json_t *picture, const char *name)
{
    const json_t *fault = json_object_get(picture, name);
    return json_is_true(json_object_get(fault, "found")) ? fault : NULL;
}

// Whether coding left blocks.
static void print_blocks(const json_t *picture)
{
    struct line line = {0};
    const json_t *blocks = fault_in(picture, "blocks");
    if (!blocks)
        return;
    add(&line, "at %.0f %% of the lines between them; --deblock 0.5 smooths these",
        100 * json_number_value(json_object_get(blocks, "share")));
    print_pair("blocks", line.text);
}

// Whether it was sharpened.
static void print_halos(const json_t *picture)
{
    struct line line = {0};
    const json_t *halos = fault_in(picture, "halos");
    if (!halos)
        return;
    add(&line, "at %.0f %% of edges, %.0f of 255 high; --dehalo 0.5 takes them off",
        100 * json_number_value(json_object_get(halos, "share")),
        json_number_value(json_object_get(halos, "height")));
    print_pair("halos", line.text);
}

// Whether it was composite video.
static void print_crawl(const json_t *picture)
{
    struct line line = {0};
    const json_t *crawl = fault_in(picture, "dot_crawl");
    if (!crawl)
        return;
    add(&line, "at %.0f %% of blocks that flicker; --composite 0.2 takes it off",
        100 * json_number_value(json_object_get(crawl, "share")));
    print_pair("dot crawl", line.text);
}

// Which kind of source it seems to be.
static void print_source(const json_t *picture)
{
    struct line line = {0};
    const json_t *source = json_object_get(picture, "source");
    if (!text_of(source, "kind"))
        return;
    add_text(&line, source, "kind", "", "");
    add_text(&line, source, "reason", " (", ")");
    add_text(&line, source, "kind", "; --source ", " has settings for it");
    print_pair("source", line.text);
}

// HDR metadata, captions, rotation.
static void print_carried(const json_t *video)
{
    struct line line = {0};
    const json_t *list = json_object_get(video, "carries");
    for (size_t i = 0; i < json_array_size(list); i++)
        add(&line, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    if (line.length)
        print_pair("carries", line.text);
}

static void print_timing(const json_t *video)
{
    struct line line = {0};
    const json_t *frames = json_object_get(video, "frames");
    const json_t *variable = json_object_get(video, "variable_frame_rate");
    const json_t *first = json_object_get(video, "first_timestamp");
    const json_t *last = json_object_get(video, "last_timestamp");
    if (json_is_integer(frames))
        add(&line, "%" JSON_INTEGER_FORMAT, json_integer_value(frames));
    if (line.length && json_is_boolean(variable))
        add(&line, ", %s frame rate", json_is_true(variable) ? "variable" : "constant");
    if (line.length && json_is_true(json_object_get(video, "interlaced")))
        add(&line, ", %sinterlaced%s",
            json_is_true(json_object_get(video, "marked_wrongly")) ? "progressive but flagged as "
                                                                   : "",
            json_is_true(json_object_get(video, "unmarked_fields")) ? " but not flagged" : "");
    if (line.length && json_is_true(json_object_get(video, "single_fields")))
        add(&line, ", each a single field");
    if (line.length && json_is_true(json_object_get(video, "telecined")))
        add(&line, ", telecined");
    if (line.length && json_is_true(json_object_get(video, "soft_telecine")))
        add(&line, ", soft telecine");
    if (line.length)
        print_pair("frames", line.text);
    line = (struct line){0};
    if (json_is_number(first) && json_is_number(last)) {
        add_seconds(&line, first);
        add(&line, " to ");
        add_seconds(&line, last);
        print_pair("timestamps", line.text);
    }
    line = (struct line){0};
    const json_t *keyframes = json_object_get(video, "keyframes");
    if (json_is_integer(keyframes)) {
        add(&line, "%" JSON_INTEGER_FORMAT "%s", json_integer_value(keyframes),
            json_is_true(json_object_get(video, "open_gop")) ? ", open GOPs" : "");
        print_pair("keyframes", line.text);
    }
    const char *index = text_of(video, "index");
    if (index && strcmp(index, "decoded") == 0)
        print_pair("index", "made by decoding: the container's timestamps do not suffice");
}

// Where frames begin to differ from those before, one in each line.
static void print_changes(const json_t *video)
{
    const json_t *list = json_object_get(video, "changes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *change = json_array_get(list, i);
        struct line line = {0};
        add(&line, "frame %" JSON_INTEGER_FORMAT " (",
            json_integer_value(json_object_get(change, "frame")));
        add_seconds(&line, json_object_get(change, "time"));
        add(&line, ")");
        add_text(&line, change, "change", ": ", "");
        print_pair(i == 0 ? "changes" : "", line.text);
    }
}

// Returns whether the text was what it should be.
static bool print_table(const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    const bool usable = json_is_object(root);
    if (usable) {
        print_container(root);
        print_timing(json_object_get(root, "video"));
        print_changes(json_object_get(root, "video"));
        print_borders(json_object_get(root, "video"));
        print_drawing(json_object_get(root, "picture"));
        print_blocks(json_object_get(root, "picture"));
        print_halos(json_object_get(root, "picture"));
        print_crawl(json_object_get(root, "picture"));
        print_source(json_object_get(root, "picture"));
        print_carried(json_object_get(root, "video"));
        const json_t *streams = json_object_get(root, "streams");
        puts("  streams");
        for (size_t i = 0; i < json_array_size(streams); i++)
            print_stream(json_array_get(streams, i), i);
    }
    json_decref(root);
    return usable;
}

int run_probe(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    ksr_status status =
        (options->picture ? ksr_probe_picture : ksr_probe)(ctx, options->arguments[0], &json);
    progress_finish(&ui->progress);
    if (status == KSR_OK && json && options->json)
        printf("%s%s", json, *json && json[strlen(json) - 1] == '\n' ? "" : "\n");
    else if (status == KSR_OK && (!json || !print_table(json)))
        status = KSR_E_NOMEM;
    ksr_free(json);
    return ui_exit_status(ui, status);
}
