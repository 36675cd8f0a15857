// The JSON Schema of configuration files (draft 2020-12), made of the public list of fields, so
// that a new field is in it as soon as it exists.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"

#define AUTO_OR "auto or "

// A word or number of a range as JSON.
static json_t *range_value(const char *text, size_t length, bool number)
{
    char word[64];
    snprintf(word, sizeof(word), "%.*s", (int)length, text);
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return json_boolean(word[0] == 't');
    if (!number)
        return json_string(word);
    const double value = strtod(word, NULL);
    return strchr(word, '.') ? json_real(value) : json_integer((json_int_t)value);
}

// "2 or 4" and "abort, repeat or skip" are lists of all values.
static void add_choices(json_t *schema, const char *range, bool number)
{
    json_t *values = json_array();
    for (const char *c = range; *c;) {
        const size_t length = strcspn(c, ", ");
        json_array_append_new(values, range_value(c, length, number));
        c += length;
        c += strspn(c, ", ");
        if (strncmp(c, "or ", 3) == 0)
            c += 3;
    }
    json_object_set_new(schema, "enum", values);
}

static void add_range(json_t *schema, const struct ksr_config_field *field, bool number)
{
    const char *to = strstr(field->range, " to ");
    if (number && to) {
        json_object_set_new(schema, "minimum",
                            range_value(field->range, (size_t)(to - field->range), true));
        json_object_set_new(schema, "maximum", range_value(to + 4, strlen(to + 4), true));
    } else if (strstr(field->range, " or ") && !strchr(field->range, ':')) {
        add_choices(schema, field->range, number);
    }
}

// A number, or the word auto.
static bool takes_auto(const struct ksr_config_field *field)
{
    return strcmp(field->type, "number") == 0 &&
           strncmp(field->range, AUTO_OR, strlen(AUTO_OR)) == 0;
}

static void add_auto(json_t *schema, const struct ksr_config_field *field)
{
    struct ksr_config_field number = *field;
    number.range += strlen(AUTO_OR);
    json_t *numbers = json_pack("{ss}", "type", "number");
    add_range(numbers, &number, true);
    json_object_set_new(schema, "anyOf", json_pack("[{ss},o]", "const", "auto", numbers));
}

// What a file may write for a field. Bit rates and times may be numbers too ("bitrate": 5000000),
// and what has no default may be null.
static json_t *type_of(const struct ksr_config_field *field)
{
    if (strcmp(field->type, "bool") == 0)
        return *field->range ? json_pack("[ss]", "boolean", "string") : json_string("boolean");
    if (strcmp(field->type, "int") == 0)
        return json_string("integer");
    if (takes_auto(field))
        return json_pack("[ss]", "number", "string");
    if (strcmp(field->type, "number") == 0)
        return json_string("number");
    if (strcmp(field->type, "map") == 0)
        return json_string("object");
    const bool number = strstr(field->name, "bitrate") || strstr(field->range, "seconds");
    if (*field->default_value && !number)
        return json_string("string");
    json_t *types = json_pack("[s]", "string");
    if (number)
        json_array_append_new(types, json_string("number"));
    if (!*field->default_value)
        json_array_append_new(types, json_string("null"));
    return types;
}

static json_t *default_of(const struct ksr_config_field *field)
{
    const char *text = field->default_value;
    if (strcmp(field->type, "bool") == 0)
        return json_boolean(strcmp(text, "true") == 0);
    if (!takes_auto(field) &&
        (strcmp(field->type, "int") == 0 || strcmp(field->type, "number") == 0))
        return range_value(text, strlen(text), true);
    if (strcmp(field->type, "map") == 0)
        return json_object();
    return *text ? json_string(text) : json_null();
}

static json_t *field_schema(const struct ksr_config_field *field)
{
    const bool number = strcmp(field->type, "int") == 0 || strcmp(field->type, "number") == 0;
    json_t *schema = json_pack("{so,ss,so}", "type", type_of(field), "description", field->help,
                               "default", default_of(field));
    if (schema && takes_auto(field))
        add_auto(schema, field);
    else if (schema)
        add_range(schema, field, number);
    if (schema && strcmp(field->type, "map") == 0)
        json_object_set_new(schema, "additionalProperties",
                            json_pack("{s[ss]}", "type", "string", "integer"));
    return schema;
}

static json_t *object_schema(const char *object)
{
    size_t count;
    const struct ksr_config_field *fields = ksr_config_fields(&count);
    json_t *properties = json_object();
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].object, object) == 0)
            json_object_set_new(properties, fields[i].name, field_schema(&fields[i]));
    return json_pack("{ss,so,sb}", "type", "object", "properties", properties,
                     "additionalProperties", 0);
}

ksr_status ksr_config_schema(char **out)
{
    if (!out)
        return KSR_E_PARAM;
    ksr_memory_watch();
    json_t *properties =
        json_pack("{so,so,so}", "pipeline", object_schema("pipeline"), "encoder",
                  object_schema("encoder"), "processor", object_schema("processor"));
    json_t *root =
        json_pack("{ss,ss,ss,so,sb}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                  "title", "KizunaSR configuration", "type", "object", "properties", properties,
                  "additionalProperties", 0);
    return ksr_json_text(NULL, root, JSON_INDENT(2) | KSR_JSON_REALS, out);
}
