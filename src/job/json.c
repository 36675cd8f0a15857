// JSON as text; see json.h.

#include "job/json.h"

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
