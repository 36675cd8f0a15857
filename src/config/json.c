// JSON to text and back; see json.h.

#include "config/json.h"

#include <stdlib.h>

ksr_status ksr_json_text(ksr_context *ctx, json_t *root, size_t flags, char **out)
{
    *out = root ? json_dumps(root, flags) : NULL;
    const bool whole = *out && !ksr_memory_ran_out();
    json_decref(root);
    if (whole)
        return KSR_OK;
    free(*out);
    *out = NULL;
    return ksr_fail_memory(ctx);
}

// Jansson's reader forgets that a string did not fit into memory, and errno when it comes to a
// number: so it gets one byte at a time, and errno is looked at before each.
struct source {
    const char *at, *end;
    bool starved;
};

static size_t give_byte(void *buffer, size_t size, void *data)
{
    struct source *s = data;
    s->starved = s->starved || ksr_memory_ran_out();
    if (s->at == s->end || size == 0)
        return 0;
    *(char *)buffer = *s->at++;
    return 1;
}

json_t *ksr_json_read(const char *text, size_t size, size_t flags, json_error_t *error,
                      bool *starved)
{
    struct source s = {text, text + size, false};
    ksr_memory_watch();
    json_t *root = json_load_callback(give_byte, &s, flags, error);
    *starved = s.starved || ksr_memory_ran_out();
    if (!*starved)
        return root;
    json_decref(root);
    return NULL;
}

json_t *ksr_json_text_of(const char *text)
{
    char *utf8 = ksr_text_to_utf8(text);
    json_t *string = utf8 ? json_string_nocheck(utf8) : NULL;
    free(utf8);
    return string;
}

void ksr_json_set(json_t *object, const char *name, json_t *value, bool *lost)
{
    if (json_object_set_new(object, name, value) != 0)
        *lost = true;
}

void ksr_json_append(json_t *list, json_t *value, bool *lost)
{
    if (json_array_append_new(list, value) != 0)
        *lost = true;
}
