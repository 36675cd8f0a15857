// The configuration: one table of fields, from which setting by name, JSON in both directions,
// range checks and the help texts of the program all come.

#include "config/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/json.h"
#include "config/parse.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "core/text.h"
#include "frame/resample.h"

enum type {
    T_BOOL,
    T_DEINTERLACE,
    T_INT,
    T_NUMBER,
    T_AUTO,
    T_STRING,
    T_CHOICE,
    T_TIME,
    T_POLICY,
    T_MAP,
    T_LINES
};

static const char *const policy_names[] = {"abort", "repeat", "skip"};
static const char *const deinterlace_names[] = {"false", "frame", "field"};

// How to reach and check the field of the same index in `docs`.
struct access {
    enum type type;
    size_t offset; // in struct ksr_processor_config
    double min, max;
    int multiple;  // T_INT: the value is a multiple of it
    bool nullable; // T_STRING, T_TIME: may be NULL
};

// clang-format off
// object, name, type, range, default, help; kind, member, minimum, maximum, multiple, may be NULL
#define FIELDS(F) \
    F("pipeline", "use_ai", "bool", "", "false", "upscale with a network instead of filters", T_BOOL, pipeline.use_ai, 0, 0, 0, false) \
    F("pipeline", "shader_scale", "int", "2 or 4", "2", "output size / input size without AI", T_INT, pipeline.shader_scale, 2, 4, 2, false) \
    F("pipeline", "ai_model_path", "string", "", "", "anime-fast, anime-quality (default), or path of a .ksrnet or .onnx file", T_STRING, pipeline.ai_model_path, 0, 0, 0, true) \
    F("pipeline", "ai_scale", "int", "2 or 4", "2", "output size / input size with AI", T_INT, pipeline.ai_scale, 2, 4, 2, false) \
    F("pipeline", "ai_tile_size", "int", "32 to 4096", "512", "tile edge in input pixels", T_INT, pipeline.ai_tile_size, 32, 4096, 1, false) \
    F("pipeline", "ai_tile_overlap", "int", "0 to 512", "64", "overlap of tiles in input pixels", T_INT, pipeline.ai_tile_overlap, 0, 512, 1, false) \
    F("pipeline", "ai_engine", "string", "auto, native or onnxruntime", "auto", "what runs the model; auto = by its file", T_CHOICE, pipeline.ai_engine, 0, 0, 0, false) \
    F("pipeline", "ai_color", "string", "luma or rgb", "luma", "what the model sees", T_CHOICE, pipeline.ai_color, 0, 0, 0, false) \
    F("pipeline", "ai_white", "string", "auto, 1 or 255", "auto", "value of white in an .onnx model; auto = found out", T_CHOICE, pipeline.ai_white, 0, 0, 0, false) \
    F("pipeline", "ai_fallback", "bool", "", "false", "go on without AI where the model cannot be used", T_BOOL, pipeline.ai_fallback, 0, 0, 0, false) \
    F("pipeline", "deinterlace", "bool", "false, true, frame or field", "false", "make whole frames of interlaced ones: one of each (frame), or one of each field (field)", T_DEINTERLACE, pipeline.deinterlace, 0, 0, 0, false) \
    F("pipeline", "inverse_telecine", "bool", "", "false", "take film out of 29.97 frames per second", T_BOOL, pipeline.inverse_telecine, 0, 0, 0, false) \
    F("pipeline", "crop", "string", "", "", "part of the source to process, as width:height:x:y", T_STRING, pipeline.crop, 0, 0, 0, true) \
    F("pipeline", "rotate", "string", "keep or apply", "keep", "keep the rotation that the source is tagged with, or apply it to the frames", T_CHOICE, pipeline.rotate, 0, 0, 0, false) \
    F("pipeline", "film_grain", "string", "keep or off", "keep", "film grain that the source has the decoder add", T_CHOICE, pipeline.film_grain, 0, 0, 0, false) \
    F("pipeline", "fit", "string", "", "", "largest size within, such as 1920x1080", T_STRING, pipeline.fit, 0, 0, 0, true) \
    F("pipeline", "denoise", "number", "auto or 0 to 1", "auto", "clean-up of coding noise; auto = as measured, 0 = off", T_AUTO, pipeline.denoise, 0, 1, 0, false) \
    F("pipeline", "structure_smoothing", "number", "0 to 1", "0", "edge-aware smoothing; 0 = off", T_NUMBER, pipeline.structure_smoothing, 0, 1, 0, false) \
    F("pipeline", "sharpening", "number", "0 to 2", "0", "halo-limited sharpening; 0 = off", T_NUMBER, pipeline.sharpening, 0, 2, 0, false) \
    F("pipeline", "line_darkening", "number", "0 to 1", "0", "darkening of thin lines; 0 = off", T_NUMBER, pipeline.line_darkening, 0, 1, 0, false) \
    F("pipeline", "contrast_boost", "number", "0 to 4", "1.0", "factor on luma; 1 = neutral", T_NUMBER, pipeline.contrast_boost, 0, 4, 0, false) \
    F("pipeline", "saturation_boost", "number", "0 to 4", "1.0", "factor on chroma; 1 = neutral", T_NUMBER, pipeline.saturation_boost, 0, 4, 0, false) \
    F("pipeline", "enable_temporal", "bool", "", "false", "calm what does not move", T_BOOL, pipeline.enable_temporal, 0, 0, 0, false) \
    F("pipeline", "temporal_weight", "number", "0 to 0.9", "0.15", "share of the frame before", T_NUMBER, pipeline.temporal_weight, 0, 0.9, 0, false) \
    F("pipeline", "motion_threshold", "number", "0 to 1", "0.1", "difference that is motion", T_NUMBER, pipeline.motion_threshold, 0, 1, 0, false) \
    F("encoder", "codec", "string", "", "auto", "video encoder, by its FFmpeg name; auto = what the output asks for, else libx264", T_STRING, encoder.codec, 0, 0, 0, false) \
    F("encoder", "pixel_format", "string", "", "auto", "pixel format, by its FFmpeg name", T_STRING, encoder.pixel_format, 0, 0, 0, false) \
    F("encoder", "crf", "int", "0 to 63", "18", "constant quality; 0 = lossless", T_INT, encoder.crf, 0, 63, 1, false) \
    F("encoder", "preset", "string", "", "medium", "speed against size: ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow or placebo", T_STRING, encoder.preset, 0, 0, 0, false) \
    F("encoder", "bitrate", "string", "", "", "bits per second, such as 5M; overrides crf", T_STRING, encoder.bitrate, 0, 0, 0, true) \
    F("encoder", "audio_codec", "string", "", "auto", "audio encoder, where audio is encoded; auto = aac, or what the output takes", T_STRING, encoder.audio_codec, 0, 0, 0, false) \
    F("encoder", "audio_bitrate", "string", "", "192k", "bits per second of encoded audio", T_STRING, encoder.audio_bitrate, 0, 0, 0, false) \
    F("encoder", "format", "string", "", "auto", "container; auto = by extension, else mp4", T_STRING, encoder.format, 0, 0, 0, false) \
    F("encoder", "dither", "bool", "", "true", "dither when going down to 8 bits", T_BOOL, encoder.dither, 0, 0, 0, false) \
    F("encoder", "encoder_options", "map", "", "", "one key=value for the encoder; may repeat", T_MAP, encoder.encoder_options, 0, 0, 0, false) \
    F("processor", "input_path", "string", "", "", "file to read", T_STRING, input_path, 0, 0, 0, true) \
    F("processor", "output_path", "string", "", "", "file to write", T_STRING, output_path, 0, 0, 0, true) \
    F("processor", "framerate", "string", "", "", "of an image sequence that is read, such as 24000/1001 (default 24)", T_STRING, framerate, 0, 0, 0, true) \
    F("processor", "cfr", "bool", "", "false", "exact timestamps of the constant frame rate that a container's ticks hide", T_BOOL, cfr, 0, 0, 0, false) \
    F("processor", "audio_passthrough", "bool", "", "true", "copy audio; false = encode it anew", T_BOOL, audio_passthrough, 0, 0, 0, false) \
    F("processor", "preserve_metadata", "bool", "", "true", "copy tags of file and streams", T_BOOL, preserve_metadata, 0, 0, 0, false) \
    F("processor", "start", "string", "seconds, mm:ss or hh:mm:ss", "", "begin at this time of the film", T_TIME, start, 0, 0, 0, true) \
    F("processor", "duration", "string", "seconds, mm:ss or hh:mm:ss", "", "end this long after the start", T_TIME, duration, 0, 0, 0, true) \
    F("processor", "on_frame_error", "string", "abort, repeat or skip", "abort", "what to do with a frame that fails", T_POLICY, on_frame_error, 0, 0, 0, false) \
    F("processor", "video", "int", "0 to 255", "0", "video stream to upscale, counted from 1; 0 = the default one", T_INT, video, 0, 255, 1, false) \
    F("processor", "audio", "string", "", "all", "audio tracks to keep: all, none, or numbers from 1 and languages, such as 2,jpn", T_STRING, audio, 0, 0, 0, false) \
    F("processor", "subs", "string", "", "all", "subtitle tracks to keep, written alike", T_STRING, subs, 0, 0, 0, false) \
    F("processor", "sub", "string", "", "", "subtitle file to add, FILE or FILE:LANGUAGE; may be repeated", T_LINES, sub, 0, 0, 0, true)

// clang-format on

#define DOC(object, name, type, range, value, help, ...) {object, name, type, range, value, help},
#define ACCESS(object, name, type, range, value, help, kind, member, ...)                          \
    {kind, offsetof(struct ksr_processor_config, member), __VA_ARGS__},

static const struct ksr_config_field docs[] = {FIELDS(DOC)};
static const struct access accesses[] = {FIELDS(ACCESS)};

#define FIELD_COUNT (sizeof(docs) / sizeof(docs[0]))

struct ksr_pipeline_config ksr_pipeline_config_default(void)
{
    return (struct ksr_pipeline_config){.shader_scale = 2,
                                        .ai_scale = 2,
                                        .ai_tile_size = 512,
                                        .ai_tile_overlap = 64,
                                        .ai_engine = "auto",
                                        .ai_color = "luma",
                                        .ai_white = "auto",
                                        .rotate = "keep",
                                        .film_grain = "keep",
                                        .denoise = KSR_AUTO,
                                        .contrast_boost = 1.0,
                                        .saturation_boost = 1.0,
                                        .temporal_weight = 0.15,
                                        .motion_threshold = 0.1};
}

struct ksr_encoder_config ksr_encoder_config_default(void)
{
    return (struct ksr_encoder_config){.codec = "auto",
                                       .pixel_format = "auto",
                                       .crf = 18,
                                       .preset = "medium",
                                       .audio_codec = "auto",
                                       .audio_bitrate = "192k",
                                       .format = "auto",
                                       .dither = true};
}

struct ksr_processor_config ksr_processor_config_default(void)
{
    return (struct ksr_processor_config){.pipeline = ksr_pipeline_config_default(),
                                         .encoder = ksr_encoder_config_default(),
                                         .audio = "all",
                                         .subs = "all",
                                         .audio_passthrough = true,
                                         .preserve_metadata = true,
                                         .on_frame_error = KSR_FRAME_ERROR_ABORT};
}

const struct ksr_config_field *ksr_config_fields(size_t *count)
{
    *count = FIELD_COUNT;
    return docs;
}

// The owner: strings live in `strings`, one slot per field, and the options in two arrays.
struct ksr_config {
    ksr_context *ctx;
    struct ksr_processor_config values;
    char *strings[FIELD_COUNT];
    struct ksr_encoder_option *options;
    size_t option_count, option_capacity;
};

ksr_status ksr_config_create(ksr_config **out, ksr_context *ctx)
{
    if (!out)
        return KSR_E_PARAM;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return ksr_fail_memory(ctx);
    (*out)->ctx = ctx;
    (*out)->values = ksr_processor_config_default();
    return KSR_OK;
}

static void clear_options(ksr_config *config)
{
    for (size_t i = 0; i < config->option_count; i++) {
        free((char *)config->options[i].key);
        free((char *)config->options[i].value);
    }
    config->option_count = 0;
    config->values.encoder.encoder_options = NULL;
    config->values.encoder.encoder_option_count = 0;
}

void ksr_config_destroy(ksr_config **config)
{
    if (!config || !*config)
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        free((*config)->strings[i]);
    clear_options(*config);
    free((*config)->options);
    free(*config);
    *config = NULL;
}

const struct ksr_processor_config *ksr_config_get(const ksr_config *config)
{
    return config ? &config->values : NULL;
}

static int find_field(const char *name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(docs[i].name, name) == 0)
            return (int)i;
    return -1;
}

static void *member(struct ksr_processor_config *values, int i)
{
    return (char *)values + accesses[i].offset;
}

// Takes the next of the words of a range such as "auto, 1 or 255". Returns false after the last.
static bool next_choice(const char **range, char word[64])
{
    if (strncmp(*range, "or ", 3) == 0)
        *range += 3;
    const size_t length = strcspn(*range, ", ");
    snprintf(word, 64, "%.*s", (int)length, *range);
    *range += length;
    *range += strspn(*range, ", ");
    return length > 0;
}

static bool is_choice(const char *range, const char *value)
{
    char word[64];
    while (next_choice(&range, word))
        if (strcmp(word, value) == 0)
            return true;
    return false;
}

static ksr_status bad_value(ksr_context *ctx, int i, const char *value)
{
    const char *range = docs[i].range;
    struct ksr_guess guess = {.word = value};
    char meant[KSR_GUESS_TEXT];
    char choices[8][64];
    for (int p = 0; p < 3 && accesses[i].type == T_POLICY; p++)
        ksr_guess_consider(&guess, policy_names[p]);
    const char *left = range;
    const bool choice = accesses[i].type == T_CHOICE || accesses[i].type == T_DEINTERLACE;
    for (int k = 0; choice && k < 8 && next_choice(&left, choices[k]); k++)
        ksr_guess_consider(&guess, choices[k]);
    if (accesses[i].type == T_BOOL)
        range = "true or false";
    else if (accesses[i].type == T_MAP)
        range = "key=value";
    return ksr_fail(ctx, KSR_E_PARAM, "%s: '%s' is not valid (%s)%s", docs[i].name, value,
                    *range ? range : docs[i].type, ksr_guess_text(&guess, meant));
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1", "off", "on"};
    for (int i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    return false;
}

// Reads digits, a sign and a point, whatever the locale says a decimal point is. One division of
// two exact numbers: the result is the double nearest to the text, as a JSON reader has it.
static bool parse_number(const char *text, double *out)
{
    double digits = 0, place = 1;
    const char *c = text;
    const bool negative = *c == '-';
    int count = 0;
    if (*c == '-' || *c == '+')
        c++;
    for (; *c >= '0' && *c <= '9'; c++, count++)
        digits = digits * 10 + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++, count++, place *= 10)
            digits = digits * 10 + (*c - '0');
    *out = (negative ? -digits : digits) / place;
    return count > 0 && count < 16 && *c == 0;
}

// --- Values that are text of some form ---

static bool is_fit(const char *text)
{
    struct ksr_fit_box box;
    return ksr_fit_parse(text, &box);
}

static bool is_crop(const char *text)
{
    int crop[4];
    return ksr_crop_parse(text, crop);
}

static bool is_bit_rate(const char *text)
{
    int64_t rate;
    return ksr_parse_bit_rate(text, &rate);
}

static bool is_rate(const char *text)
{
    struct ksr_rational rate;
    return ksr_parse_rate(text, &rate);
}

static bool is_time(const char *text)
{
    int64_t time;
    return ksr_parse_time(text, &time);
}

static bool is_filled(const char *text)
{
    return *text != 0;
}

// Fields of text that not every text goes into.
static const struct form {
    const char *name;
    bool (*holds)(const char *text);
    const char *example;
} forms[] = {{"fit", is_fit, "such as 1920x1080"},
             {"crop", is_crop, "width:height:x:y, such as 704:480:8:0"},
             {"bitrate", is_bit_rate, "such as 5M or 800k"},
             {"audio_bitrate", is_bit_rate, "such as 192k"},
             {"framerate", is_rate, "such as 24 or 24000/1001"},
             {"start", is_time, "seconds, mm:ss or hh:mm:ss"},
             {"duration", is_time, "seconds, mm:ss or hh:mm:ss"},
             {"codec", is_filled, "name of an encoder, or auto"},
             {"audio_codec", is_filled, "name of an encoder, or auto"},
             {"format", is_filled, "name of a container, or auto"},
             {"pixel_format", is_filled, "name of a pixel format, or auto"},
             {"preset", is_filled, "such as medium"},
             {"audio", is_filled, "all, none, or a list such as 2,jpn"},
             {"subs", is_filled, "all, none, or a list such as 2,jpn"}};

// Checks the text of a field; NULL is for others to judge.
static ksr_status check_form(ksr_context *ctx, int i, const char *value)
{
    for (size_t k = 0; value && k < sizeof(forms) / sizeof(forms[0]); k++)
        if (strcmp(forms[k].name, docs[i].name) == 0 && !forms[k].holds(value))
            return ksr_fail(ctx, KSR_E_PARAM, "%s: '%s' is not valid (%s)", docs[i].name, value,
                            forms[k].example);
    return KSR_OK;
}

static bool in_range(int i, double value)
{
    const struct access *a = &accesses[i];
    return value >= a->min && value <= a->max &&
           (a->type != T_INT || (value == floor(value) && (int)value % a->multiple == 0));
}

static bool set_number(ksr_config *config, int i, double number)
{
    if (!in_range(i, number))
        return false;
    void *target = member(&config->values, i);
    if (accesses[i].type == T_INT)
        *(int *)target = (int)number;
    else
        *(double *)target = number;
    return true;
}

static ksr_status set_string(ksr_config *config, int i, const char *value)
{
    const bool null = accesses[i].nullable && strcmp(value, "null") == 0;
    char *copy = null ? NULL : strdup(value);
    if (!null && !copy)
        return ksr_fail_memory(config->ctx);
    free(config->strings[i]);
    config->strings[i] = copy;
    *(const char **)member(&config->values, i) = copy;
    return KSR_OK;
}

static ksr_status set_text(ksr_config *config, int i, const char *value)
{
    const bool null = accesses[i].nullable && strcmp(value, "null") == 0;
    const ksr_status status = check_form(config->ctx, i, null ? NULL : value);
    return status == KSR_OK ? set_string(config, i, value) : status;
}

static ksr_status add_option(ksr_config *config, int i, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return bad_value(config->ctx, i, text);
    if (!ksr_array_reserve((void **)&config->options, &config->option_capacity,
                           config->option_count + 1, sizeof(config->options[0])))
        return ksr_fail_memory(config->ctx);
    char *key = strndup(text, (size_t)(equals - text)), *value = strdup(equals + 1);
    if (!key || !value) {
        free(key);
        free(value);
        return ksr_fail_memory(config->ctx);
    }
    config->options[config->option_count++] = (struct ksr_encoder_option){key, value};
    config->values.encoder.encoder_options = config->options;
    config->values.encoder.encoder_option_count = config->option_count;
    return KSR_OK;
}

// Adds a line; "null" removes all.
static ksr_status add_line(ksr_config *config, int i, const char *line)
{
    const char *there = config->strings[i];
    if (!*line)
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: a value is missing", docs[i].name);
    if (!there || strcmp(line, "null") == 0)
        return set_string(config, i, line);
    char *both = ksr_format("%s\n%s", there, line);
    const ksr_status status = both ? set_string(config, i, both) : ksr_fail_memory(config->ctx);
    free(both);
    return status;
}

ksr_status ksr_config_replace(ksr_config *config, const char *name, const char *text)
{
    return set_string(config, find_field(name), text);
}

static ksr_status set_policy(ksr_config *config, int i, const char *value)
{
    for (int p = 0; p < 3; p++)
        if (strcmp(value, policy_names[p]) == 0) {
            config->values.on_frame_error = (ksr_frame_error_policy)p;
            return KSR_OK;
        }
    return bad_value(config->ctx, i, value);
}

// Takes a bool too: true is one frame for each.
static ksr_status set_deinterlace(ksr_config *config, int i, const char *value)
{
    bool on;
    for (int k = 0; k < 3; k++)
        if (strcmp(value, deinterlace_names[k]) == 0) {
            config->values.pipeline.deinterlace = (ksr_deinterlace)k;
            return KSR_OK;
        }
    if (!parse_bool(value, &on))
        return bad_value(config->ctx, i, value);
    config->values.pipeline.deinterlace = on ? KSR_DEINTERLACE_FRAME : KSR_DEINTERLACE_OFF;
    return KSR_OK;
}

static ksr_status set_field(ksr_config *config, int i, const char *value)
{
    void *target = member(&config->values, i);
    double number;
    switch (accesses[i].type) {
    case T_BOOL: return parse_bool(value, target) ? KSR_OK : bad_value(config->ctx, i, value);
    case T_DEINTERLACE: return set_deinterlace(config, i, value);
    case T_AUTO:
        if (strcmp(value, "auto") == 0) {
            *(double *)target = KSR_AUTO;
            return KSR_OK;
        }
        // fall through
    case T_INT:
    case T_NUMBER:
        return parse_number(value, &number) && set_number(config, i, number)
                   ? KSR_OK
                   : bad_value(config->ctx, i, value);
    case T_TIME:
    case T_STRING: return set_text(config, i, value);
    case T_CHOICE:
        return is_choice(docs[i].range, value) ? set_string(config, i, value)
                                               : bad_value(config->ctx, i, value);
    case T_POLICY: return set_policy(config, i, value);
    case T_MAP: return add_option(config, i, value);
    case T_LINES: return add_line(config, i, value);
    }
    return KSR_E_PARAM;
}

ksr_status ksr_config_set(ksr_config *config, const char *name, const char *value)
{
    if (!config || !name || !value)
        return KSR_E_PARAM;
    const int i = find_field(name);
    if (i < 0)
        return ksr_fail(config->ctx, KSR_E_PARAM, "unknown option '%s'", name);
    return set_field(config, i, value);
}

ksr_status ksr_config_check(ksr_context *ctx, const struct ksr_processor_config *config)
{
    struct ksr_processor_config values = *config;
    for (int i = 0; i < (int)FIELD_COUNT; i++) {
        const void *target = member(&values, i);
        double number = 0;
        char text[64] = "";
        switch (accesses[i].type) {
        case T_INT: number = *(const int *)target; break;
        case T_NUMBER: number = *(const double *)target; break;
        case T_AUTO:
            number = *(const double *)target;
            if (number == KSR_AUTO)
                continue;
            break;
        case T_LINES: continue;
        case T_TIME:
        case T_STRING: {
            const char *value = *(const char *const *)target;
            if (!value && !accesses[i].nullable)
                return ksr_fail(ctx, KSR_E_PARAM, "%s: a value is missing", docs[i].name);
            const ksr_status status = check_form(ctx, i, value);
            if (status != KSR_OK)
                return status;
            continue;
        }
        case T_CHOICE: {
            const char *value = *(const char *const *)target;
            if (!value || !is_choice(docs[i].range, value))
                return bad_value(ctx, i, value ? value : "null");
            continue;
        }
        default: continue;
        }
        snprintf(text, sizeof(text), "%g", number);
        if (!in_range(i, number))
            return bad_value(ctx, i, text);
    }
    if (!config->input_path || !*config->input_path)
        return ksr_fail(ctx, KSR_E_PARAM, "input_path: a value is missing");
    if (!config->output_path || !*config->output_path)
        return ksr_fail(ctx, KSR_E_PARAM, "output_path: a value is missing");
    if ((unsigned)config->pipeline.deinterlace > KSR_DEINTERLACE_FIELD)
        return ksr_fail(ctx, KSR_E_PARAM, "deinterlace: a value is not valid");
    if ((unsigned)config->on_frame_error > KSR_FRAME_ERROR_SKIP)
        return ksr_fail(ctx, KSR_E_PARAM, "on_frame_error: a value is not valid");
    return KSR_OK;
}

// --- JSON ---

static bool is_numeric(enum type type)
{
    return type == T_INT || type == T_NUMBER || type == T_AUTO;
}

static ksr_status set_from_json(ksr_config *config, int i, const json_t *value)
{
    char text[64];
    const char *key;
    json_t *item;
    const bool is_map = accesses[i].type == T_MAP;
    if (is_map && json_is_object(value)) {
        clear_options(config);
        json_object_foreach((json_t *)value, key, item)
        {
            char *pair = json_is_string(item) ? ksr_format("%s=%s", key, json_string_value(item))
                         : json_is_integer(item)
                             ? ksr_format("%s=%lld", key, (long long)json_integer_value(item))
                             : NULL;
            const ksr_status status =
                pair ? add_option(config, i, pair) : bad_value(config->ctx, i, key);
            free(pair);
            if (status != KSR_OK)
                return status;
        }
        return KSR_OK;
    }
    if (json_is_string(value) && !is_map) {
        char *own = ksr_text_from_utf8(json_string_value(value));
        const ksr_status status = !own                          ? ksr_fail_memory(config->ctx)
                                  : accesses[i].type == T_LINES ? set_string(config, i, own)
                                                                : set_field(config, i, own);
        free(own);
        return status;
    }
    if (json_is_boolean(value) && (accesses[i].type == T_BOOL || accesses[i].type == T_DEINTERLACE))
        return set_field(config, i, json_is_true(value) ? "true" : "false");
    if (json_is_null(value) && accesses[i].nullable)
        return set_field(config, i, "null");
    if (json_is_number(value) && is_numeric(accesses[i].type)) {
        if (set_number(config, i, json_number_value(value)))
            return KSR_OK;
        snprintf(text, sizeof(text), "%g", json_number_value(value));
        return bad_value(config->ctx, i, text);
    }
    if (json_is_real(value) && accesses[i].type == T_TIME) { // "start": 12.5
        snprintf(text, sizeof(text), "%.6f", json_number_value(value));
        return set_field(config, i, text);
    }
    if (json_is_integer(value) && // "bitrate": 5000000, "start": 90
        (accesses[i].type == T_STRING || accesses[i].type == T_TIME)) {
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
        return set_field(config, i, text);
    }
    return bad_value(config->ctx, i, "the JSON value");
}

static ksr_status unknown_name(ksr_context *ctx, const char *what, const char *name,
                               const char *object)
{
    struct ksr_guess guess = {.word = name};
    char meant[KSR_GUESS_TEXT];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(docs[i].object, object) == 0)
            ksr_guess_consider(&guess, docs[i].name);
    return ksr_fail(ctx, KSR_E_PARAM, "%s: unknown name '%s' in '%s'%s", what, name, object,
                    ksr_guess_text(&guess, meant));
}

ksr_status ksr_config_from_json(ksr_config *config, const json_t *root, const char *what)
{
    const char *object, *name;
    json_t *group, *value;
    if (!json_is_object(root))
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: not a JSON object", what);
    json_object_foreach((json_t *)root, object, group)
    {
        if (strcmp(object, "pipeline") != 0 && strcmp(object, "encoder") != 0 &&
            strcmp(object, "processor") != 0)
            return ksr_fail(config->ctx, KSR_E_PARAM,
                            "%s: unknown object '%s' (pipeline, encoder or processor)", what,
                            object);
        if (!json_is_object(group))
            return ksr_fail(config->ctx, KSR_E_PARAM, "%s: '%s' is not a JSON object", what,
                            object);
        json_object_foreach(group, name, value)
        {
            const int i = find_field(name);
            if (i < 0 || strcmp(docs[i].object, object) != 0)
                return unknown_name(config->ctx, what, name, object);
            const ksr_status status = set_from_json(config, i, value);
            if (status != KSR_OK)
                return status;
        }
    }
    return KSR_OK;
}

ksr_status ksr_config_load(ksr_config *config, const char *path)
{
    if (!config || !path)
        return KSR_E_PARAM;
    char *text;
    ksr_status status = ksr_fs_read_file(config->ctx, path, &text, NULL);
    if (status != KSR_OK)
        return status == KSR_E_INPUT ? ksr_fail(config->ctx, KSR_E_PARAM, "Cannot read %s", path)
                                     : status;
    json_error_t error;
    bool starved;
    json_t *root = ksr_json_read(text, strlen(text), JSON_REJECT_DUPLICATES, &error, &starved);
    free(text);
    if (starved)
        return ksr_fail_memory(config->ctx);
    if (!root)
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: line %d: %s", path, error.line, error.text);
    status = ksr_config_from_json(config, root, path);
    json_decref(root);
    return status;
}

static json_t *field_to_json(const struct ksr_processor_config *config, int i)
{
    const void *target = (const char *)config + accesses[i].offset;
    switch (accesses[i].type) {
    case T_BOOL: return json_boolean(*(const bool *)target);
    case T_DEINTERLACE: {
        const ksr_deinterlace mode = config->pipeline.deinterlace;
        return mode == KSR_DEINTERLACE_FIELD ? json_string(deinterlace_names[mode])
                                             : json_boolean(mode != KSR_DEINTERLACE_OFF);
    }
    case T_INT: return json_integer(*(const int *)target);
    case T_AUTO:
        if (*(const double *)target == KSR_AUTO)
            return json_string("auto");
        return json_real(*(const double *)target);
    case T_NUMBER: return json_real(*(const double *)target);
    case T_TIME:
    case T_CHOICE:
    case T_LINES:
    case T_STRING: {
        const char *text = *(const char *const *)target;
        return text ? ksr_json_text_of(text) : json_null();
    }
    case T_POLICY: return json_string(policy_names[config->on_frame_error]);
    case T_MAP: break;
    }
    json_t *map = json_object();
    for (size_t k = 0; map && k < config->encoder.encoder_option_count; k++)
        json_object_set_new(map, config->encoder.encoder_options[k].key,
                            json_string(config->encoder.encoder_options[k].value));
    return map;
}

json_t *ksr_config_to_json(const struct ksr_processor_config *config, bool with_paths)
{
    json_t *root = json_pack("{s{}s{}s{}}", "pipeline", "encoder", "processor");
    for (int i = 0; root && i < (int)FIELD_COUNT; i++) {
        const bool is_path = strcmp(docs[i].name, "input_path") == 0 ||
                             strcmp(docs[i].name, "output_path") == 0 ||
                             accesses[i].type == T_LINES;
        if (is_path && !with_paths)
            continue;
        if (json_object_set_new(json_object_get(root, docs[i].object), docs[i].name,
                                field_to_json(config, i)) != 0) {
            json_decref(root);
            return NULL;
        }
    }
    return root;
}

ksr_status ksr_config_json(const struct ksr_processor_config *config, char **out)
{
    if (!config || !out)
        return KSR_E_PARAM;
    ksr_memory_watch();
    return ksr_json_text(NULL, ksr_config_to_json(config, true), JSON_INDENT(2) | KSR_JSON_REALS,
                         out);
}
