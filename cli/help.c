// The help texts; see help.h.
//
// Ranges and defaults of configuration fields come from the library, so a new field is in the help
// as soon as it exists.

#include "help.h"

#include <string.h>

#include "text.h"

enum { COLUMNS = 79, HELP_COLUMN = 28, LABEL_SIZE = 96, ENTRY_SIZE = 512 };

void help_usage(FILE *out)
{
    fputs("Usage: kizunasr VERB ARGUMENTS [options]\n"
          "Try 'kizunasr --help'.\n",
          out);
}

// Writes the verb and what it takes into `out`: "work FOLDER".
static void call_of(char *out, size_t size, const struct verb *verb)
{
    size_t length = (size_t)snprintf(out, size, "%s", verb->name);
    for (int i = 0; i < VERB_ARGUMENTS && verb->arguments[i] && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, " %s", verb->arguments[i]);
}

void help_program(FILE *out)
{
    char call[LABEL_SIZE];
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    fputs("KizunaSR upscales anime films: the same bytes every time, and nothing lost.\n"
          "\n"
          "Usage: kizunasr VERB ARGUMENTS [options]\n"
          "\n",
          out);
    for (size_t i = 0; i < count; i++) {
        call_of(call, sizeof(call), &verbs[i]);
        fprintf(out, "  %-20s %s\n", call, verbs[i].summary);
    }
    fputs("\n"
          "  --help, --version    after a verb, --help shows its options\n"
          "\n"
          "Exit status: 0 done and verified, 1 failed, 2 wrong usage, 3 input, 4 output,\n"
          "5 model, 6 verification failed, 130 interrupted (run it again to resume).\n",
          out);
}

// Prints `text` in lines that start at HELP_COLUMN, the first of them at `column`. A tab is a space
// that no line ends at.
static void print_wrapped(FILE *out, const char *text, size_t column)
{
    bool fresh = false; // at the start of a line
    if (column + 2 > HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(HELP_COLUMN - column), "");
    column = HELP_COLUMN;
    fresh = true;
    while (*text) {
        const size_t length = strcspn(text, " ");
        if (!fresh && column + 1 + length > COLUMNS) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
            fresh = true;
        }
        if (!fresh)
            fputc(' ', out);
        for (size_t i = 0; i < length; i++)
            fputc(text[i] == '\t' ? ' ' : text[i], out);
        column += length + !fresh;
        fresh = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void print_entry(FILE *out, const char *name, const char *value, bool attached,
                        const char *help)
{
    char label[LABEL_SIZE];
    if (attached)
        snprintf(label, sizeof(label), "  --%s[=BOOL]", name);
    else
        snprintf(label, sizeof(label), "  --%s%s%s", name, value ? " " : "", value ? value : "");
    fputs(label, out);
    print_wrapped(out, help, text_columns(label));
}

// Writes a field's help line, range and default into `out`: "quality (0 to 63; default 18)".
static void describe_field(char out[ENTRY_SIZE], const struct ksr_config_field *field)
{
    const char *range = strcmp(field->type, "bool") == 0 ? "" : field->range;
    const char *preset = field_is_switch(field) ? "" : field->default_value;
    snprintf(out, ENTRY_SIZE, "%s%s%s%s%s%s%s", field->help, *range || *preset ? " (" : "", range,
             *range && *preset ? "; " : "", *preset ? "default\t" : "", preset,
             *range || *preset ? ")" : "");
}

static const char *value_name(const struct ksr_config_field *field)
{
    static const char *const names[][2] = {
        {"bool", "BOOL"}, {"int", "N"}, {"number", "X"}, {"map", "K=V"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(field->type, names[i][0]) == 0)
            return names[i][1];
    return "TEXT";
}

static void print_option(FILE *out, const struct option *option)
{
    const struct ksr_config_field *field =
        option->kind == OPTION_FIELD ? field_find(option->fields[0]) : NULL;
    char help[ENTRY_SIZE];
    if (option->help || !field)
        snprintf(help, sizeof(help), "%s", option->help ? option->help : "");
    else
        describe_field(help, field);
    print_entry(out, option->name, option->value, field && field_is_switch(field), help);
}

static enum option_group field_group(const struct ksr_config_field *field)
{
    if (strncmp(field->name, "audio_", 6) == 0)
        return GROUP_AUDIO;
    if (strcmp(field->object, "pipeline") == 0)
        return GROUP_PICTURE;
    return strcmp(field->object, "encoder") == 0 ? GROUP_ENCODER : GROUP_MAIN;
}

// Returns whether the table has a shorter name for just this field.
static bool has_short_name(const struct ksr_config_field *field)
{
    size_t count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].kind == OPTION_FIELD && !table[i].fields[1] &&
            strcmp(table[i].fields[0], field->name) == 0)
            return true;
    return false;
}

static bool takes_field(const struct verb *verb, const struct ksr_config_field *field,
                        enum option_group group)
{
    return verb->bit & VERBS_WITH_SETTINGS && field_is_option(field) &&
           field_group(field) == group && !has_short_name(field);
}

static bool group_has(const struct verb *verb, enum option_group group)
{
    size_t count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].group == group && table[i].verbs & verb->bit)
            return true;
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    for (size_t i = 0; i < count; i++)
        if (takes_field(verb, &fields[i], group))
            return true;
    return false;
}

static void print_group(FILE *out, const struct verb *verb, enum option_group group)
{
    static const char *const titles[GROUP_COUNT] = {"Main", "Picture", "Encoder", "Audio",
                                                    "Running"};
    if (!group_has(verb, group))
        return;
    fprintf(out, "\n%s:\n", titles[group]);
    size_t count;
    const struct option *table = options_table(&count);
    for (size_t i = 0; i < count; i++)
        if (table[i].group == group && table[i].verbs & verb->bit)
            print_option(out, &table[i]);
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    for (size_t i = 0; i < count; i++) {
        char name[64], help[ENTRY_SIZE];
        if (!takes_field(verb, &fields[i], group))
            continue;
        field_option_name(name, sizeof(name), &fields[i]);
        describe_field(help, &fields[i]);
        print_entry(out, name, value_name(&fields[i]), field_is_switch(&fields[i]), help);
    }
}

void help_verb(FILE *out, const struct verb *verb)
{
    char call[LABEL_SIZE];
    call_of(call, sizeof(call), verb);
    fprintf(out, "Usage: kizunasr %s [options]\n\n%s\n", call, verb->description);
    for (int group = 0; group < GROUP_COUNT; group++)
        print_group(out, verb, (enum option_group)group);
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < sizeof(verb->examples) / sizeof(verb->examples[0]); i++)
        if (verb->examples[i])
            fprintf(out, "  %s\n", verb->examples[i]);
}
