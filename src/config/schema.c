// The JSON Schema of configuration files (draft 2020-12), made of the table of options.

#include <jansson.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "config/parse.h"
#include "config/table.h"

// The text of a value as JSON.
static json_t *value_of(const struct ksr_option *o, const char *text)
{
    double number;
    bool on;
    const bool numeric = o->type == KSR_OPTION_INT || o->type == KSR_OPTION_NUMBER;
    if (numeric && ksr_parse_number(text, &number))
        return strchr(text, '.') ? json_real(number) : json_integer((json_int_t)number);
    if (strcmp(o->field->type, "bool") == 0 && ksr_parse_bool(text, &on))
        return json_boolean(on);
    return json_string(text);
}

static json_t *bound(double value)
{
    return value == (json_int_t)value ? json_integer((json_int_t)value) : json_real(value);
}

static void add_range(json_t *schema, const struct ksr_option *o)
{
    json_object_set_new(schema, "minimum", bound(o->field->minimum));
    json_object_set_new(schema, "maximum", bound(o->field->maximum));
}

static void add_auto(json_t *schema, const struct ksr_option *o)
{
    json_t *numbers = json_pack("{ss}", "type", "number");
    add_range(numbers, o);
    json_object_set_new(schema, "anyOf", json_pack("[{ss},o]", "const", "auto", numbers));
}

static void add_choices(json_t *schema, const struct ksr_option *o)
{
    json_t *values = json_array();
    for (const char *const *choice = o->field->choices; *choice; choice++)
        json_array_append_new(values, value_of(o, *choice));
    json_object_set_new(schema, "enum", values);
}

// What a file may write for a string. Bit rates and times may be numbers too ("bitrate": 5000000).
static json_t *type_of_string(const struct ksr_option *o)
{
    const bool number = o->form == KSR_FORM_BIT_RATE || o->form == KSR_FORM_TIME;
    if (!number && !o->field->nullable)
        return json_string("string");
    json_t *types = json_pack("[s]", "string");
    if (number)
        json_array_append_new(types, json_string("number"));
    if (o->field->nullable)
        json_array_append_new(types, json_string("null"));
    return types;
}

static json_t *type_of(const struct ksr_option *o)
{
    switch (o->type) {
    case KSR_OPTION_BOOL: return json_string("boolean");
    case KSR_OPTION_INT: return json_string("integer");
    case KSR_OPTION_NUMBER:
        return o->field->takes_auto ? json_pack("[ss]", "number", "string") : json_string("number");
    case KSR_OPTION_ENUM:
        return o->is_switch ? json_pack("[ss]", "boolean", "string") : json_string("string");
    case KSR_OPTION_MAP: return json_string("object");
    case KSR_OPTION_STRING:
    case KSR_OPTION_CHOICE:
    case KSR_OPTION_LINES: break;
    }
    return type_of_string(o);
}

static json_t *default_of(const struct ksr_option *o)
{
    const char *text = o->field->default_value;
    if (o->type == KSR_OPTION_MAP)
        return json_object();
    return *text ? value_of(o, text) : json_null();
}

static json_t *option_schema(const struct ksr_option *o)
{
    json_t *schema = json_pack("{so,ss,so}", "type", type_of(o), "description", o->field->help,
                               "default", default_of(o));
    if (schema && o->field->takes_auto)
        add_auto(schema, o);
    else if (schema && o->field->choices)
        add_choices(schema, o);
    else if (schema && (o->type == KSR_OPTION_INT || o->type == KSR_OPTION_NUMBER))
        add_range(schema, o);
    if (schema && o->type == KSR_OPTION_MAP)
        json_object_set_new(schema, "additionalProperties",
                            json_pack("{s[ss]}", "type", "string", "integer"));
    return schema;
}

static json_t *object_schema(const char *object)
{
    json_t *properties = json_object();
    for (const struct ksr_option *o = ksr_options; o < ksr_options + ksr_option_count; o++)
        if (strcmp(o->field->object, object) == 0)
            json_object_set_new(properties, o->field->name, option_schema(o));
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
