// The options of a verb, one by one; see catalogue.h.

#include "catalogue.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *catalogue_group(enum option_group group)
{
    static const char *const titles[GROUP_COUNT] = {"Main", "Video", "Encoder", "Audio",
                                                    "Running"};
    return titles[group];
}

static bool is_in_group(const struct ksr_config_field *field, enum option_group group)
{
    return strcasecmp(field->group, catalogue_group(group)) == 0;
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

// Writes a list as "a|b|c".
static void join(char *out, size_t size, const char *const *list)
{
    size_t length = 0;
    for (; *list && length < size; list++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", length ? "|" : "", *list);
}

static void describe_field(struct entry *e, const struct ksr_config_field *field)
{
    static const char *const yes_or_no[] = {"true", "false", NULL};
    const bool is_bool = strcmp(field->type, "bool") == 0;
    const char *range = is_bool ? "" : field->range;
    const char *preset = field_is_switch(field) ? "" : field->default_value;
    const char *const *choices = is_bool ? yes_or_no : field->choices;
    if (field->suggestions)
        choices = field->suggestions;
    e->attached = field_is_switch(field);
    e->common = field->brief != NULL;
    snprintf(e->help, sizeof(e->help), "%s", field->help);
    snprintf(e->brief, sizeof(e->brief), "%s", field->brief ? field->brief : "");
    snprintf(e->value, sizeof(e->value), "%s", field->value_name);
    snprintf(e->limits, sizeof(e->limits), "%s%s%s%s", range, *range && *preset ? "; " : "",
             *preset ? "default\t" : "", preset);
    if (choices)
        join(e->choices, sizeof(e->choices), choices);
}

static struct entry entry_of_option(const struct option *option)
{
    struct entry e = {.group = option->group};
    const struct ksr_config_field *field =
        option->kind == OPTION_FIELD ? field_find(option->fields[0]) : NULL;
    if (field)
        describe_field(&e, field);
    if (option->help) {
        snprintf(e.help, sizeof(e.help), "%s", option->help);
        e.limits[0] = 0;
    }
    snprintf(e.name, sizeof(e.name), "%s", option->name);
    if (option->value || !field)
        snprintf(e.value, sizeof(e.value), "%s", option->value ? option->value : "");
    e.attached = e.attached || option->kind == OPTION_MODE;
    if (option->kind == OPTION_CHOICE || option->kind == OPTION_MODE)
        snprintf(e.choices, sizeof(e.choices), "%s", option->value);
    e.common = e.common || option->common;
    if (option->brief)
        snprintf(e.brief, sizeof(e.brief), "%s", option->brief);
    return e;
}

static size_t add_fields(enum option_group group, struct entry *out, size_t count)
{
    size_t fields_count;
    const struct ksr_config_field *fields = ksr_config_fields(&fields_count);
    for (size_t i = 0; i < fields_count && count < ENTRIES_MAX; i++) {
        if (!field_is_option(&fields[i]) || !is_in_group(&fields[i], group) ||
            has_short_name(&fields[i]))
            continue;
        out[count] = (struct entry){.group = group};
        describe_field(&out[count], &fields[i]);
        field_option_name(out[count].name, sizeof(out[count].name), &fields[i]);
        count++;
    }
    return count;
}

size_t catalogue_of(const struct verb *verb, struct entry *out)
{
    size_t table_count, count = 0;
    const struct option *table = options_table(&table_count);
    for (int group = 0; group < GROUP_COUNT; group++) {
        for (size_t i = 0; i < table_count && count < ENTRIES_MAX; i++)
            if ((int)table[i].group == group && table[i].verbs & verb->bit)
                out[count++] = entry_of_option(&table[i]);
        if (verb->bit & VERBS_WITH_SETTINGS)
            count = add_fields((enum option_group)group, out, count);
    }
    return count;
}
