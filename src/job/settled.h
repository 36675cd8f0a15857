// What planning settled, for people and for the record; see settle.h.

#ifndef KSR_JOB_SETTLED_H
#define KSR_JOB_SETTLED_H

#include "job/manifest.h"

// Returns the settings that planning changed, in the form of a settings file; NULL = out of memory.
// With those that the key has, they are what the run had.
json_t *ksr_settled_values(const struct ksr_manifest *manifest);

// What settled settings came to, as members of a JSON object: "ai_model_path" ("anime-best (clean
// source; anime-web is for damaged ones)"), where it is not the one that was asked for;
// "ai_variant" ("soft-area (measured)"), where the network has some; "ai_chroma" ("anime-chroma",
// "filters (descaled)"), where a network is asked for; "descale" ("1280x720:bicubic
// (measured)"), where that was asked for; "denoise" always, and "deblock", "dehalo" and "composite"
// where they were measured ("0.3 (MPEG-2 noise)"); "ai_temporal" ("motion threshold 0.05
// (anime-web)"), where a network has stage 5 on; "grain" ("1 (3.12 of 255)") where it is not
// kept. Returns NULL = out of memory.
json_t *ksr_settled_texts(const struct ksr_manifest *manifest);

// Logs those that were measured, a line for each.
void ksr_settled_log(ksr_context *ctx, const struct ksr_manifest *manifest);

#endif
