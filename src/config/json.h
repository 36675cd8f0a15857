// JSON to text and back, whole or not at all.

#ifndef KSR_CONFIG_JSON_H
#define KSR_CONFIG_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/log.h"
#include "core/mem.h"

// Turns an object into its text. root: taken over; made since ksr_memory_watch() on this thread
// with nothing in between that sets errno (no files, no FFmpeg): a member that found no room is
// missing in it, and only the watch tells. flags: of json_dumps(). *out: free with free(); NULL on
// failure. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_json_text(ksr_context *ctx, json_t *root, size_t flags, char **out);

// Reads JSON. text: `size` bytes. flags: of json_loadb(). error: may be NULL.
// Returns NULL when it is none, and when memory ran out (*starved), where Jansson would cut a
// string off without a word.
json_t *ksr_json_read(const char *text, size_t size, size_t flags, json_error_t *error,
                      bool *starved);

// Returns a string of text that may not be UTF-8 (core/text.h); NULL when out of memory.
json_t *ksr_json_text_of(const char *text);

// Adds a value, taken over, to an object, for those who cannot watch. *lost: becomes true when
// memory ran out, for `value` (NULL) or here, and else stays.
void ksr_json_set(json_t *object, const char *name, json_t *value, bool *lost);

// The same for the end of a list.
void ksr_json_append(json_t *list, json_t *value, bool *lost);

#endif
