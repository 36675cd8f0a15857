// The configuration inside the library: checks, and JSON as the manifest keeps it.
// The public part is include/kizunasr/config.h.
//
// The folder config:
//   takes        values as text or JSON
//   gives        a checked struct ksr_processor_config, and its JSON
//   may include  frame and below

#ifndef KSR_CONFIG_CONFIG_H
#define KSR_CONFIG_CONFIG_H

#include <jansson.h>

#include "kizunasr/config.h"

// Numbers with 9 digits, so that 0.15 is written as 0.15.
#define KSR_JSON_REALS JSON_REAL_PRECISION(9)

// Checks ranges and required fields of a configuration that a program filled in.
// Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_config_check(ksr_context *ctx, const struct ksr_processor_config *config);

// Returns the name of a number that is still KSR_AUTO, NULL where there is none.
const char *ksr_config_automatic(const struct ksr_processor_config *config);

// Sets fields from the JSON form; what: where it comes from, for messages.
ksr_status ksr_config_from_json(ksr_config *config, const json_t *root, const char *what);

// Whether a JSON object is a provenance record; sets fields to what the run had that it is of: the
// settings that were asked for, then those that planning settled.
bool ksr_config_is_record(const json_t *root);
ksr_status ksr_config_from_record(ksr_config *config, const json_t *record, const char *what);

// Sets a field of text to exactly this: "null" and fields that lines are added to are no exception.
ksr_status ksr_config_replace(ksr_config *config, const char *name, const char *text);

// Returns the JSON form (a new reference), with or without the paths; NULL = out of memory.
json_t *ksr_config_to_json(const struct ksr_processor_config *config, bool with_paths);

// *out: the same configuration with all that restores left out, to be destroyed by the caller; NULL
// if none of that was asked for beyond the defaults. Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_config_plain(ksr_context *ctx, const struct ksr_processor_config *config,
                            ksr_config **out);

#endif
