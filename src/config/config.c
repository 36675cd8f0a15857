// The configuration: setting by name, range checks, and JSON in both directions, all as the table
// of options says.

#include "config/config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "config/parse.h"
#include "config/sources.h"
#include "config/table.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/suggest.h"
#include "core/text.h"

struct ksr_config {
    ksr_context *ctx;
    struct ksr_processor_config values;
    struct ksr_encoder_option *options; // what values.encoder has, owned
    size_t option_count, option_capacity;
    char *strings[]; // the text of each option, owned; NULL where `values` has the default
};

ksr_status ksr_config_create(ksr_config **out, ksr_context *ctx)
{
    if (!out)
        return KSR_E_PARAM;
    *out = calloc(1, sizeof(**out) + ksr_option_count * sizeof((*out)->strings[0]));
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
    for (size_t i = 0; i < ksr_option_count; i++)
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

static const struct ksr_option *find_option(const char *name)
{
    for (size_t i = 0; i < ksr_option_count; i++)
        if (strcmp(ksr_options[i].field->name, name) == 0)
            return &ksr_options[i];
    return NULL;
}

static void *member(ksr_config *config, const struct ksr_option *o)
{
    return (char *)&config->values + o->offset;
}

static char **slot(ksr_config *config, const struct ksr_option *o)
{
    return &config->strings[o - ksr_options];
}

// Returns the place of a word in a list that ends with NULL (and may be none), or -1.
static int place_in(const char *const *list, const char *word)
{
    for (int i = 0; list && list[i]; i++)
        if (strcmp(list[i], word) == 0)
            return i;
    return -1;
}

static ksr_status bad_value(ksr_context *ctx, const struct ksr_option *o, const char *value)
{
    const struct ksr_config_field *field = o->field;
    struct ksr_guess guess = {.word = value};
    char meant[KSR_GUESS_TEXT];
    const bool words = o->type == KSR_OPTION_CHOICE || o->type == KSR_OPTION_ENUM;
    for (int i = 0; words && field->choices[i]; i++)
        ksr_guess_consider(&guess, field->choices[i]);
    return ksr_fail(ctx, KSR_E_PARAM, "%s: '%s' is not valid (%s)%s", field->name, value,
                    o->example      ? o->example
                    : *field->range ? field->range
                                    : field->type,
                    ksr_guess_text(&guess, meant));
}

static ksr_status missing_value(ksr_context *ctx, const char *name)
{
    return ksr_fail(ctx, KSR_E_PARAM, "%s: a value is missing", name);
}

static bool allows_number(const struct ksr_option *o, double value)
{
    char text[32];
    if (o->type == KSR_OPTION_INT && value != floor(value))
        return false;
    if (!o->field->choices)
        return value >= o->field->minimum && value <= o->field->maximum;
    snprintf(text, sizeof(text), "%g", value);
    return place_in(o->field->choices, text) >= 0;
}

static bool allows_text(const struct ksr_option *o, const char *value)
{
    return o->type == KSR_OPTION_CHOICE ? place_in(o->field->choices, value) >= 0
                                        : ksr_parse_form(o->form, value);
}

// --- Setting by name ---

static bool set_number(ksr_config *config, const struct ksr_option *o, double number)
{
    if (!allows_number(o, number))
        return false;
    if (o->type == KSR_OPTION_INT)
        *(int *)member(config, o) = (int)number;
    else
        *(double *)member(config, o) = number;
    return true;
}

static bool set_number_text(ksr_config *config, const struct ksr_option *o, const char *value)
{
    double number;
    if (o->field->takes_auto && strcmp(value, "auto") == 0) {
        *(double *)member(config, o) = KSR_AUTO;
        return true;
    }
    return ksr_parse_number(value, &number) && set_number(config, o, number);
}

static bool is_null(const struct ksr_option *o, const char *value)
{
    return o->field->nullable && strcmp(value, "null") == 0;
}

static ksr_status set_string(ksr_config *config, const struct ksr_option *o, const char *value)
{
    char *copy = is_null(o, value) ? NULL : strdup(value);
    if (!is_null(o, value) && !copy)
        return ksr_fail_memory(config->ctx);
    free(*slot(config, o));
    *slot(config, o) = copy;
    *(const char **)member(config, o) = copy;
    return KSR_OK;
}

static ksr_status set_text(ksr_config *config, const struct ksr_option *o, const char *value)
{
    if (!is_null(o, value) && !allows_text(o, value))
        return bad_value(config->ctx, o, value);
    return set_string(config, o, value);
}

static ksr_status add_option(ksr_config *config, const struct ksr_option *o, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return bad_value(config->ctx, o, text);
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
static ksr_status add_line(ksr_config *config, const struct ksr_option *o, const char *line)
{
    const char *there = *slot(config, o);
    if (!*line)
        return missing_value(config->ctx, o->field->name);
    if (!there || strcmp(line, "null") == 0)
        return set_string(config, o, line);
    char *both = ksr_format("%s\n%s", there, line);
    const ksr_status status = both ? set_string(config, o, both) : ksr_fail_memory(config->ctx);
    free(both);
    return status;
}

static bool set_enum(ksr_config *config, const struct ksr_option *o, const char *value)
{
    int place = place_in(o->names, value);
    bool on;
    if (place < 0 && o->is_switch && ksr_parse_bool(value, &on))
        place = on;
    if (place < 0)
        return false;
    *(int *)member(config, o) = place;
    return true;
}

static ksr_status set_option(ksr_config *config, const struct ksr_option *o, const char *value)
{
    bool valid = false;
    switch (o->type) {
    case KSR_OPTION_BOOL: valid = ksr_parse_bool(value, member(config, o)); break;
    case KSR_OPTION_ENUM: valid = set_enum(config, o, value); break;
    case KSR_OPTION_INT:
    case KSR_OPTION_NUMBER: valid = set_number_text(config, o, value); break;
    case KSR_OPTION_STRING:
    case KSR_OPTION_CHOICE: return set_text(config, o, value);
    case KSR_OPTION_MAP: return add_option(config, o, value);
    case KSR_OPTION_LINES: return add_line(config, o, value);
    }
    return valid ? KSR_OK : bad_value(config->ctx, o, value);
}

ksr_status ksr_config_set(ksr_config *config, const char *name, const char *value)
{
    if (!config || !name || !value)
        return KSR_E_PARAM;
    const struct ksr_option *o = find_option(name);
    if (!o)
        return ksr_fail(config->ctx, KSR_E_PARAM, "unknown option '%s'", name);
    return set_option(config, o, value);
}

ksr_status ksr_config_source(ksr_config *config, const char *name)
{
    if (!config || !name)
        return KSR_E_PARAM;
    for (size_t i = 0; i < ksr_source_count; i++) {
        if (strcmp(ksr_sources[i].name, name) != 0)
            continue;
        ksr_status status = KSR_OK;
        const struct ksr_source_setting *s = ksr_sources[i].settings;
        for (; s->name && status == KSR_OK; s++)
            status = ksr_config_set(config, s->name, s->value);
        return status;
    }
    return ksr_fail(config->ctx, KSR_E_PARAM, "source: '%s' is not valid (dvd, web or bluray)",
                    name);
}

ksr_status ksr_config_replace(ksr_config *config, const char *name, const char *text)
{
    return set_string(config, find_option(name), text);
}

// --- Checking what a program filled in ---

static ksr_status check_number(ksr_context *ctx, const struct ksr_option *o, double number)
{
    char text[64];
    if ((o->field->takes_auto && number == KSR_AUTO) || allows_number(o, number))
        return KSR_OK;
    snprintf(text, sizeof(text), "%g", number);
    return bad_value(ctx, o, text);
}

const char *ksr_config_automatic(const struct ksr_processor_config *config)
{
    for (size_t i = 0; i < ksr_option_count; i++) {
        const struct ksr_option *o = &ksr_options[i];
        const void *value = (const char *)config + o->offset;
        if (o->type == KSR_OPTION_NUMBER && o->field->takes_auto &&
            *(const double *)value == KSR_AUTO)
            return o->field->name;
    }
    return NULL;
}

static ksr_status check_text(ksr_context *ctx, const struct ksr_option *o, const char *text)
{
    if (text)
        return allows_text(o, text) ? KSR_OK : bad_value(ctx, o, text);
    return o->field->nullable ? KSR_OK : missing_value(ctx, o->field->name);
}

static ksr_status check_enum(ksr_context *ctx, const struct ksr_option *o, int value)
{
    for (int i = 0; o->names[i]; i++)
        if (i == value)
            return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM, "%s: a value is not valid", o->field->name);
}

static ksr_status check_option(ksr_context *ctx, const struct ksr_option *o, const void *value)
{
    switch (o->type) {
    case KSR_OPTION_INT: return check_number(ctx, o, *(const int *)value);
    case KSR_OPTION_NUMBER: return check_number(ctx, o, *(const double *)value);
    case KSR_OPTION_STRING:
    case KSR_OPTION_CHOICE: return check_text(ctx, o, *(const char *const *)value);
    case KSR_OPTION_ENUM: return check_enum(ctx, o, *(const int *)value);
    case KSR_OPTION_BOOL:
    case KSR_OPTION_LINES:
    case KSR_OPTION_MAP: break;
    }
    return KSR_OK;
}

ksr_status ksr_config_check(ksr_context *ctx, const struct ksr_processor_config *config)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; i < ksr_option_count && status == KSR_OK; i++)
        status = check_option(ctx, &ksr_options[i], (const char *)config + ksr_options[i].offset);
    if (status == KSR_OK && (!config->input_path || !*config->input_path))
        status = missing_value(ctx, "input_path");
    if (status == KSR_OK && (!config->output_path || !*config->output_path))
        status = missing_value(ctx, "output_path");
    return status;
}

// --- JSON ---

static ksr_status set_map(ksr_config *config, const struct ksr_option *o, const json_t *map)
{
    const char *key;
    json_t *item;
    ksr_status status = KSR_OK;
    clear_options(config);
    json_object_foreach((json_t *)map, key, item)
    {
        char *pair = NULL;
        if (json_is_string(item))
            pair = ksr_format("%s=%s", key, json_string_value(item));
        else if (json_is_integer(item))
            pair = ksr_format("%s=%lld", key, (long long)json_integer_value(item));
        status = pair ? add_option(config, o, pair) : bad_value(config->ctx, o, key);
        free(pair);
        if (status != KSR_OK)
            break;
    }
    return status;
}

static ksr_status set_from_string(ksr_config *config, const struct ksr_option *o, const char *utf8)
{
    char *own = ksr_text_from_utf8(utf8);
    const ksr_status status = !own                          ? ksr_fail_memory(config->ctx)
                              : o->type == KSR_OPTION_LINES ? set_string(config, o, own)
                                                            : set_option(config, o, own);
    free(own);
    return status;
}

// As on a command line, whatever the locale: "1", "0.5", "0.25".
static void print_hundredths(char *text, size_t size, double number)
{
    const int n = (int)(number * 100 + 0.5), digits = n % 100 == 0 ? 0 : n % 10 == 0 ? 1 : 2;
    if (digits == 0)
        snprintf(text, size, "%d", n / 100);
    else
        snprintf(text, size, "%d.%0*d", n / 100, digits, digits == 1 ? n % 100 / 10 : n % 100);
}

static ksr_status set_from_number(ksr_config *config, const struct ksr_option *o,
                                  const json_t *number)
{
    char text[64];
    if (o->type == KSR_OPTION_INT || o->type == KSR_OPTION_NUMBER) {
        if (set_number(config, o, json_number_value(number)))
            return KSR_OK;
        snprintf(text, sizeof(text), "%g", json_number_value(number));
        return bad_value(config->ctx, o, text);
    }
    if (json_is_integer(number) && o->type == KSR_OPTION_STRING) // "bitrate": 5000000, "start": 90
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(number));
    else if (o->form == KSR_FORM_TIME) // "start": 12.5
        snprintf(text, sizeof(text), "%.6f", json_number_value(number));
    else if (o->form == KSR_FORM_GRAIN && json_number_value(number) >= 0 &&
             json_number_value(number) <= 2) // "grain": 0.5
        print_hundredths(text, sizeof(text), json_number_value(number));
    else
        return bad_value(config->ctx, o, "the JSON value");
    return set_option(config, o, text);
}

static ksr_status set_from_json(ksr_config *config, const struct ksr_option *o, const json_t *value)
{
    if (o->type == KSR_OPTION_MAP && json_is_object(value))
        return set_map(config, o, value);
    if (json_is_string(value) && o->type != KSR_OPTION_MAP)
        return set_from_string(config, o, json_string_value(value));
    if (json_is_boolean(value) && (o->type == KSR_OPTION_BOOL || o->is_switch))
        return set_option(config, o, json_is_true(value) ? "true" : "false");
    if (json_is_null(value) && o->field->nullable)
        return set_option(config, o, "null");
    if (json_is_number(value))
        return set_from_number(config, o, value);
    return bad_value(config->ctx, o, "the JSON value");
}

static ksr_status unknown_name(ksr_context *ctx, const char *what, const char *name,
                               const char *object)
{
    struct ksr_guess guess = {.word = name};
    char meant[KSR_GUESS_TEXT];
    for (size_t i = 0; i < ksr_option_count; i++)
        if (strcmp(ksr_options[i].field->object, object) == 0)
            ksr_guess_consider(&guess, ksr_options[i].field->name);
    return ksr_fail(ctx, KSR_E_PARAM, "%s: unknown name '%s' in '%s'%s", what, name, object,
                    ksr_guess_text(&guess, meant));
}

static ksr_status set_object(ksr_config *config, const char *what, const char *object,
                             const json_t *values)
{
    const char *name;
    json_t *value;
    if (!json_is_object(values))
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: '%s' is not a JSON object", what, object);
    json_object_foreach((json_t *)values, name, value)
    {
        const struct ksr_option *o = find_option(name);
        if (!o || strcmp(o->field->object, object) != 0)
            return unknown_name(config->ctx, what, name, object);
        const ksr_status status = set_from_json(config, o, value);
        if (status != KSR_OK)
            return status;
    }
    return KSR_OK;
}

ksr_status ksr_config_from_json(ksr_config *config, const json_t *root, const char *what)
{
    static const char *const objects[] = {"pipeline", "encoder", "processor", NULL};
    const char *object;
    json_t *values;
    if (!json_is_object(root))
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: not a JSON object", what);
    json_object_foreach((json_t *)root, object, values)
    {
        if (place_in(objects, object) < 0)
            return ksr_fail(config->ctx, KSR_E_PARAM,
                            "%s: unknown object '%s' (pipeline, encoder or processor)", what,
                            object);
        const ksr_status status = set_object(config, what, object, values);
        if (status != KSR_OK)
            return status;
    }
    return KSR_OK;
}

bool ksr_config_is_record(const json_t *root)
{
    return json_is_integer(json_object_get(root, "kizunasr_provenance"));
}

ksr_status ksr_config_from_record(ksr_config *config, const json_t *record, const char *what)
{
    static const char *const members[] = {"config", "settled"}; // the latter over the former
    ksr_status status = KSR_OK;
    for (int i = 0; i < 2 && status == KSR_OK; i++) {
        const json_t *values = json_object_get(record, members[i]);
        if (!json_is_object(values) && (values || i == 0))
            return ksr_fail(config->ctx, KSR_E_PARAM, "%s: a record without settings in '%s'", what,
                            members[i]);
        if (values)
            status = ksr_config_from_json(config, values, what);
    }
    return status;
}

ksr_status ksr_config_load(ksr_config *config, const char *path)
{
    if (!config || !path)
        return KSR_E_PARAM;
    char *text;
    ksr_status status = ksr_fs_read_file(config->ctx, path, &text, NULL);
    if (status != KSR_OK)
        return status == KSR_E_INPUT ? ksr_fail(config->ctx, KSR_E_PARAM, "cannot read %s", path)
                                     : status;
    json_error_t error;
    bool starved;
    json_t *root = ksr_json_read(text, strlen(text), JSON_REJECT_DUPLICATES, &error, &starved);
    free(text);
    if (starved)
        return ksr_fail_memory(config->ctx);
    if (!root)
        return ksr_fail(config->ctx, KSR_E_PARAM, "%s: line %d: %s", path, error.line, error.text);
    status = ksr_config_is_record(root) ? ksr_config_from_record(config, root, path)
                                        : ksr_config_from_json(config, root, path);
    if (status == KSR_OK && ksr_config_is_record(root) && json_object_get(root, "subtitles"))
        ksr_log(config->ctx, KSR_LOG_WARNING,
                "%s: subtitle files were added in that run: name them again ({sub=FILE})", path);
    json_decref(root);
    return status;
}

static json_t *map_to_json(const struct ksr_encoder_config *encoder)
{
    json_t *map = json_object();
    for (size_t k = 0; map && k < encoder->encoder_option_count; k++)
        json_object_set_new(map, encoder->encoder_options[k].key,
                            json_string(encoder->encoder_options[k].value));
    return map;
}

static json_t *enum_to_json(const struct ksr_option *o, int value)
{
    return o->is_switch && value <= 1 ? json_boolean(value) : json_string(o->names[value]);
}

static json_t *option_to_json(const struct ksr_processor_config *config, const struct ksr_option *o)
{
    const void *value = (const char *)config + o->offset;
    switch (o->type) {
    case KSR_OPTION_BOOL: return json_boolean(*(const bool *)value);
    case KSR_OPTION_ENUM: return enum_to_json(o, *(const int *)value);
    case KSR_OPTION_INT: return json_integer(*(const int *)value);
    case KSR_OPTION_NUMBER:
        return o->field->takes_auto && *(const double *)value == KSR_AUTO
                   ? json_string("auto")
                   : json_real(*(const double *)value);
    case KSR_OPTION_STRING:
    case KSR_OPTION_CHOICE:
    case KSR_OPTION_LINES: {
        const char *text = *(const char *const *)value;
        return text ? ksr_json_text_of(text) : json_null();
    }
    case KSR_OPTION_MAP: break;
    }
    return map_to_json(&config->encoder);
}

json_t *ksr_config_to_json(const struct ksr_processor_config *config, bool with_paths)
{
    json_t *root = json_pack("{s{}s{}s{}}", "pipeline", "encoder", "processor");
    for (size_t i = 0; root && i < ksr_option_count; i++) {
        const struct ksr_option *o = &ksr_options[i];
        if (o->is_path && !with_paths)
            continue;
        if (json_object_set_new(json_object_get(root, o->field->object), o->field->name,
                                option_to_json(config, o)) != 0) {
            json_decref(root);
            return NULL;
        }
    }
    return root;
}

// Sets all that restores to what leaves frames alone. *any: whether some of it had been asked for.
static ksr_status make_plain(ksr_config *config, bool *any)
{
    const struct ksr_processor_config defaults = ksr_processor_config_default();
    *any = false;
    for (size_t i = 0; i < ksr_option_count; i++) {
        const struct ksr_option *o = &ksr_options[i];
        if (!o->neutral)
            continue;
        json_t *asked = option_to_json(ksr_config_get(config), o);
        json_t *usual = option_to_json(&defaults, o);
        ksr_status status = asked && usual ? ksr_config_set(config, o->field->name, o->neutral)
                                           : ksr_fail_memory(config->ctx);
        json_t *plain = option_to_json(ksr_config_get(config), o);
        *any |= !json_equal(asked, usual) && !json_equal(asked, plain);
        json_decref(asked);
        json_decref(usual);
        json_decref(plain);
        if (status != KSR_OK)
            return status;
    }
    return KSR_OK;
}

ksr_status ksr_config_plain(ksr_context *ctx, const struct ksr_processor_config *config,
                            ksr_config **out)
{
    bool any = false;
    json_t *root = ksr_config_to_json(config, true);
    ksr_status status = ksr_config_create(out, ctx);
    if (status == KSR_OK)
        status = root ? ksr_config_from_json(*out, root, "settings") : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = make_plain(*out, &any);
    json_decref(root);
    if (status != KSR_OK || !any)
        ksr_config_destroy(out);
    return status;
}

ksr_status ksr_config_json(const struct ksr_processor_config *config, char **out)
{
    if (!config || !out)
        return KSR_E_PARAM;
    ksr_memory_watch();
    return ksr_json_text(NULL, ksr_config_to_json(config, true), JSON_INDENT(2) | KSR_JSON_REALS,
                         out);
}
