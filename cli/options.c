// Reading the command line; see options.h.
//
// Two passes: the first splits arguments into options and positional ones and fills what the
// program itself needs; the second hands the configuration to the library, --source first, then
// --config, and the rest in the order given, so that a single option can correct either.

#include "options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verbs.h"

enum { NAME_SIZE = 64 };

// An option as found on the command line: of the table, or a field of the configuration.
struct found {
    const struct option *option;
    const struct ksr_config_field *field;
};

// What the first pass leaves to the second.
struct setting {
    struct found what;
    const char *value;
};

struct reader {
    struct options *options;
    struct ui *ui;
    const struct verb *verb;
    int argument_count;
};

bool field_is_option(const struct ksr_config_field *field)
{
    return strcmp(field->name, "input_path") != 0 && strcmp(field->name, "output_path") != 0;
}

bool field_is_switch(const struct ksr_config_field *field)
{
    return strcmp(field->type, "bool") == 0 && strcmp(field->default_value, "false") == 0;
}

const struct ksr_config_field *field_find(const char *name)
{
    size_t count;
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

void field_option_name(char *out, size_t size, const struct ksr_config_field *field)
{
    size_t i = 0;
    for (; field->name[i] && i + 1 < size; i++)
        out[i] = field->name[i] == '_' ? '-' : field->name[i];
    out[i] = '\0';
}

// Several verbs may have an option of one name, each with a meaning of its own.
static const struct option *find_in_table(const char *name, unsigned verbs)
{
    size_t count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].verbs & verbs && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static const struct ksr_config_field *find_in_fields(const char *name)
{
    size_t count;
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    char spelled[NAME_SIZE];
    for (size_t i = 0; i < count; i++) {
        field_option_name(spelled, sizeof(spelled), &fields[i]);
        if (field_is_option(&fields[i]) && strcmp(spelled, name) == 0)
            return &fields[i];
    }
    return NULL;
}

// Keeps in `best` the candidate that is closest to `word`.
static void consider(const char *word, const char *candidate, char best[NAME_SIZE], size_t *closest)
{
    const size_t likeness = ksr_word_likeness(word, candidate);
    if (likeness >= *closest)
        return;
    snprintf(best, NAME_SIZE, "%s", candidate);
    *closest = likeness;
}

static int unknown_option(const struct reader *r, const char *dashes, const char *name)
{
    char best[NAME_SIZE] = "", spelled[NAME_SIZE];
    size_t closest = SIZE_MAX, count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].verbs & r->verb->bit)
            consider(name, table[i].name, best, &closest);
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    for (size_t i = 0; r->verb->bit & VERBS_WITH_SETTINGS && i < count; i++) {
        field_option_name(spelled, sizeof(spelled), &fields[i]);
        if (field_is_option(&fields[i]))
            consider(name, spelled, best, &closest);
    }
    if (best[0])
        return ui_usage_error(r->ui, "unknown option %s%s (did you mean --%s?)", dashes, name,
                              best);
    return ui_usage_error(r->ui, "unknown option %s%s", dashes, name);
}

static int find_option(const struct reader *r, const char *name, struct found *out)
{
    *out = (struct found){.option = find_in_table(name, r->verb->bit)};
    if (!out->option)
        out->field = find_in_fields(name);
    if (!out->option && !out->field)
        out->option = find_in_table(name, ~0U);
    if (!out->option && !out->field)
        return unknown_option(r, "--", name);
    const unsigned verbs = out->option ? out->option->verbs : VERBS_WITH_SETTINGS;
    if (!(verbs & r->verb->bit))
        return ui_usage_error(r->ui, "%s does not support --%s", r->verb->name, name);
    return EXIT_DONE;
}

enum value_need { VALUE_NEVER, VALUE_ATTACHED, VALUE_ALWAYS };

// Flags take no value, switches of the configuration one that is attached (--use-ai=false), modes
// one that may follow too (--deinterlace field).
static enum value_need value_need(const struct found *what)
{
    if (what->option && what->option->kind != OPTION_FIELD)
        return what->option->kind == OPTION_MODE ? VALUE_ATTACHED
               : what->option->value             ? VALUE_ALWAYS
                                                 : VALUE_NEVER;
    const struct ksr_config_field *field =
        what->option ? field_find(what->option->fields[0]) : what->field;
    return field && field_is_switch(field) ? VALUE_ATTACHED : VALUE_ALWAYS;
}

// Whether a list such as "frame|field" has a word.
static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);
    for (const char *c = list; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
        if (strcspn(c, "|") == length && strncmp(c, word, length) == 0)
            return true;
    return false;
}

// Whether a word is one of a mode's values: then it belongs to the option before it, and is no
// file.
static bool is_mode(const struct found *what, const char *word)
{
    const struct option *option = what->option;
    if (option)
        return option->kind == OPTION_MODE && has_word(option->value, word);
    const bool chooses = what->field && field_is_switch(what->field) && what->field->choices;
    for (const char *const *c = chooses ? what->field->choices : NULL; c && *c; c++)
        if (strcmp(*c, word) == 0)
            return true;
    return false;
}

// Whether what follows an option is a path, or makes one.
static bool takes_path(const struct found *what)
{
    const char *value = what->option ? what->option->value : NULL;
    return value && (strstr(value, "FILE") || strcmp(value, "DIR") == 0 ||
                     strcmp(value, "TEMPLATE") == 0);
}

static void *member_of(struct options *options, const struct option *option)
{
    return (char *)options + option->offset;
}

static int read_choice(const struct reader *r, const struct option *option, const char *value)
{
    int place = 0;
    char best[NAME_SIZE] = "";
    size_t closest = SIZE_MAX;
    for (const char *c = option->value; c; place++) {
        char word[NAME_SIZE];
        const char *end = strchr(c, '|');
        snprintf(word, sizeof(word), "%.*s", end ? (int)(end - c) : (int)strlen(c), c);
        if (strcmp(word, value) == 0) {
            *(int *)member_of(r->options, option) = place;
            return EXIT_DONE;
        }
        consider(value, word, best, &closest);
        c = end ? end + 1 : NULL;
    }
    return ui_usage_error(r->ui, "--%s: expected %s, got '%s'%s%s%s", option->name, option->value,
                          value, best[0] ? " (did you mean " : "", best, best[0] ? "?)" : "");
}

static int read_mode(const struct reader *r, const struct option *option, const char *value)
{
    int *mode = member_of(r->options, option);
    const int status = value ? read_choice(r, option, value) : EXIT_DONE;
    *mode = value ? *mode + 1 : 1;
    return status;
}

static int read_frame(struct reader *r, const char *value)
{
    struct ksr_report_options *report = &r->options->report;
    int number;
    if (!text_integer(value, 0, INT32_MAX, &number))
        return ui_usage_error(r->ui, "--frame: expected a number from 0, got '%s'", value);
    int64_t *grown = realloc((void *)report->frames, (report->frame_count + 1) * sizeof(*grown));
    if (!grown)
        return ui_exit_status(r->ui, KSR_E_NOMEM);
    grown[report->frame_count++] = number;
    report->frames = grown;
    return EXIT_DONE;
}

static int read_at(struct reader *r, const char *value)
{
    struct ksr_report_options *report = &r->options->report;
    const char **grown = realloc((void *)report->times, (report->time_count + 1) * sizeof(*grown));
    if (!grown)
        return ui_exit_status(r->ui, KSR_E_NOMEM);
    grown[report->time_count++] = value;
    report->times = grown;
    return EXIT_DONE;
}

static int read_sub(struct reader *r, const char *value)
{
    char **list = &r->options->subs;
    const size_t there = *list ? strlen(*list) + 1 : 0, more = strlen(value) + 1;
    char *grown = realloc(*list, there + more);
    if (!grown)
        return ui_exit_status(r->ui, KSR_E_NOMEM);
    if (there > 0)
        grown[there - 1] = '\n';
    memcpy(grown + there, value, more);
    r->options->verify.sub = *list = grown;
    return EXIT_DONE;
}

static int read_segment(struct reader *r, const char *value)
{
    struct options *options = r->options;
    int number;
    if (!text_integer(value, 0, INT32_MAX, &number))
        return ui_usage_error(r->ui, "--segment: expected a number from 0, got '%s'", value);
    int *grown = realloc(options->segments, (options->segment_count + 1) * sizeof(*grown));
    if (!grown)
        return ui_exit_status(r->ui, KSR_E_NOMEM);
    options->segments = grown;
    options->segments[options->segment_count++] = number;
    return EXIT_DONE;
}

static int read_size(const struct reader *r, const struct option *option, const char *value)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    const bool digit = value[0] >= '0' && value[0] <= '9';
    const long long number = digit ? strtoll(value, &end, 10) : 0;
    const char *unit = digit && *end ? strchr(units, *end) : NULL;
    const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (number < 1 || (*end && !unit) || (unit && end[1]) || number > INT64_MAX >> shift)
        return ui_usage_error(r->ui, "--%s: expected a size such as 500M or 64G, got '%s'",
                              option->name, value);
    *(int64_t *)member_of(r->options, option) = (int64_t)number << shift;
    return EXIT_DONE;
}

// Takes one option with its value (NULL = none).
static int take_option(struct reader *r, const struct found *what, const char *value)
{
    const struct option *option = what->option;
    if (!option || option->kind == OPTION_FIELD || option->kind == OPTION_CONFIG) {
        r->options->settings[r->options->setting_count++] =
            (struct setting){.what = *what, .value = value};
        return EXIT_DONE;
    }
    void *member = member_of(r->options, option);
    switch (option->kind) {
    case OPTION_FLAG: *(bool *)member = true; break;
    case OPTION_TEXT: *(const char **)member = value; break;
    case OPTION_SUB: return read_sub(r, value);
    case OPTION_CHOICE: return read_choice(r, option, value);
    case OPTION_MODE: return read_mode(r, option, value);
    case OPTION_SEGMENT: return read_segment(r, value);
    case OPTION_SIZE: return read_size(r, option, value);
    case OPTION_FRAME: return read_frame(r, value);
    case OPTION_AT: return read_at(r, value);
    case OPTION_INTEGER:
        if (!text_integer(value, option->low, option->high, (int *)member))
            return ui_usage_error(r->ui, "--%s: expected %d to %d, got '%s'", option->name,
                                  option->low, option->high, value);
        break;
    case OPTION_CONFIG:
    case OPTION_FIELD: break;
    }
    return EXIT_DONE;
}

// Reads the option at argv[*i], and its value, which may be argv[*i + 1]; moves *i past both.
static int read_option(struct reader *r, int argc, char **argv, int *i)
{
    char *argument = argv[(*i)++];
    const char *text = argument;
    if (strcmp(text, "-o") == 0 && find_in_table("output", r->verb->bit))
        text = "--output";
    if (text[1] != '-')
        return unknown_option(r, "-", text + 1);
    text += 2;
    char name[NAME_SIZE];
    const size_t length = strcspn(text, "=");
    if (length >= sizeof(name))
        return ui_usage_error(r->ui, "unknown option --%s", text);
    memcpy(name, text, length);
    name[length] = '\0';
    char *value = text[length] ? strchr(argument, '=') + 1 : NULL;

    struct found what;
    const int status = find_option(r, name, &what);
    if (status != EXIT_DONE)
        return status;
    const enum value_need need = value_need(&what);
    if (need == VALUE_NEVER && value)
        return ui_usage_error(r->ui, "--%s takes no value", name);
    if (need == VALUE_ATTACHED && !value && *i < argc && is_mode(&what, argv[*i]))
        value = argv[(*i)++];
    if (need == VALUE_ALWAYS && !value) {
        if (*i >= argc)
            return ui_usage_error(r->ui, "--%s needs a value", name);
        // What looks like an option is one, or a forgotten value would swallow it.
        if (argv[*i][0] == '-' && argv[*i][1])
            return ui_usage_error(r->ui, "--%s needs a value (one that begins with '-': --%s=%s)",
                                  name, name, argv[*i]);
        value = argv[(*i)++];
    }
    return take_option(r, &what, value && takes_path(&what) ? text_path(value) : value);
}

static int read_argument(struct reader *r, const char *text)
{
    if (r->verb->many) {
        r->options->inputs[r->options->input_count++] = text;
        return EXIT_DONE;
    }
    if (r->argument_count >= VERB_ARGUMENTS || !r->verb->arguments[r->argument_count])
        return ui_usage_error(r->ui, "unexpected argument '%s'", text);
    r->options->arguments[r->argument_count++] = text;
    return EXIT_DONE;
}

static int first_pass(struct reader *r, int argc, char **argv)
{
    bool only_arguments = false;
    for (int i = 0; i < argc;) {
        int status = EXIT_DONE;
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
            i++;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
            status = read_option(r, argc, argv, &i);
        } else {
            status = read_argument(r, text_path(argv[i++]));
        }
        if (status != EXIT_DONE)
            return status;
    }
    return EXIT_DONE;
}

static ksr_status apply_setting(ksr_config *config, const struct setting *setting)
{
    const char *value = setting->value ? setting->value : "true";
    if (setting->what.field)
        return ksr_config_set(config, setting->what.field->name, value);
    ksr_status status = KSR_OK;
    for (int i = 0; i < 2 && setting->what.option->fields[i] && status == KSR_OK; i++)
        status = ksr_config_set(config, setting->what.option->fields[i], value);
    return status;
}

static bool is_config_file(const struct setting *setting)
{
    return setting->what.option && setting->what.option->kind == OPTION_CONFIG;
}

// source: a kind of source, or NULL. *out: to be destroyed, also after a failure.
static ksr_status second_pass(const struct options *options, ksr_context *ctx, const char *source,
                              ksr_config **out)
{
    ksr_status status = ksr_config_create(out, ctx);
    if (source && status == KSR_OK)
        status = ksr_config_source(*out, source);
    for (size_t i = 0; i < options->setting_count && status == KSR_OK; i++)
        if (is_config_file(&options->settings[i]))
            status = ksr_config_load(*out, options->settings[i].value);
    for (size_t i = 0; i < options->setting_count && status == KSR_OK; i++)
        if (!is_config_file(&options->settings[i]))
            status = apply_setting(*out, &options->settings[i]);
    return status;
}

ksr_status options_look(const struct options *options, ksr_context *ctx, struct ui *ui,
                        const char *input, ksr_config **out)
{
    const char *kind;
    *out = NULL;
    if (!options->source || strcmp(options->source, "auto") != 0)
        return KSR_OK;
    if (!input || strcmp(input, "-") == 0) {
        ui_usage_error(ui, "--source auto needs a file to look at");
        return KSR_E_PARAM;
    }
    ksr_status status = ksr_source_find(ctx, input, options->job.video, &kind);
    progress_finish(&ui->progress);
    if (status == KSR_OK)
        status = second_pass(options, ctx, kind, out);
    return status;
}

// The paths go around ksr_config_set(), for which "null" has a meaning and is no file name. A
// configuration file may name them too.
static int check_arguments(const struct reader *r)
{
    struct options *options = r->options;
    if (r->verb->many)
        return EXIT_DONE; // the verb knows where else they may come from
    if (options->config) {
        const char **paths[] = {&options->job.input_path, &options->job.output_path};
        for (int i = 0; i < 2; i++) {
            if (options->arguments[i])
                *paths[i] = options->arguments[i];
            options->arguments[i] = *paths[i];
        }
    }
    for (int i = 0; i < VERB_ARGUMENTS && r->verb->arguments[i]; i++)
        if (!options->arguments[i] || !options->arguments[i][0])
            return ui_usage_error(r->ui, "%s is missing (see kizunasr %s --help)",
                                  r->verb->arguments[i], r->verb->name);
    return EXIT_DONE;
}

// Reads what is about the configuration. What an input looks like can overrule nothing of it but
// defaults, so the paths and tracks are known before.
static int read_settings(struct reader *r, ksr_context *ctx)
{
    struct options *options = r->options;
    const bool looks = options->source && strcmp(options->source, "auto") == 0;
    const ksr_status read =
        second_pass(options, ctx, looks ? NULL : options->source, &options->config);
    if (read != KSR_OK)
        return ui_exit_status(r->ui, read);
    options->job = *ksr_config_get(options->config);
    if (!looks || r->verb->many)
        return EXIT_DONE;
    ksr_config *found;
    const char *input = options->arguments[0] ? options->arguments[0] : options->job.input_path;
    const ksr_status status = options_look(options, ctx, r->ui, input, &found);
    ksr_config_destroy(status == KSR_OK ? &options->config : &found);
    if (status == KSR_OK) {
        options->config = found;
        options->job = *ksr_config_get(found);
    }
    return ui_exit_status(r->ui, status);
}

// Looks for --help, -h or --help=TOPIC; *topic: NULL if there is none.
static bool wants_help(int argc, char **argv, const char **topic)
{
    *topic = NULL;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--help=", 7) == 0)
            *topic = argv[i] + 7;
        if (*topic || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int options_read(struct options *options, ksr_context *ctx, struct ui *ui, const struct verb *verb,
                 int argc, char **argv)
{
    *options = (struct options){.log_level = KSR_LOG_INFO, .progress = PROGRESS_AUTO};
    options->help = wants_help(argc, argv, &options->help_topic);
    if (options->help)
        return EXIT_DONE;
    struct reader r = {.options = options, .ui = ui, .verb = verb};
    options->settings = calloc((size_t)argc + 1, sizeof(options->settings[0]));
    options->inputs = calloc((size_t)argc + 1, sizeof(options->inputs[0]));
    if (!options->settings || !options->inputs)
        return ui_exit_status(ui, KSR_E_NOMEM);

    int status = first_pass(&r, argc, argv);
    ui->level = (ksr_log_level)options->log_level;
    if (status == EXIT_DONE && verb->bit & VERBS_WITH_SETTINGS)
        status = read_settings(&r, ctx);
    return status == EXIT_DONE ? check_arguments(&r) : status;
}

void options_free(struct options *options)
{
    ksr_config_destroy(&options->config);
    free(options->segments);
    free(options->subs);
    free(options->inputs);
    free(options->settings);
    free((void *)options->report.frames);
    free((void *)options->report.times);
    options->segments = NULL;
    options->inputs = NULL;
    options->settings = NULL;
}
