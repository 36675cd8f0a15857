// Whether chapters and tags of an input stand in its output.

#ifndef KSR_MEDIA_COMPARE_COMPARE_TAGS_H
#define KSR_MEDIA_COMPARE_COMPARE_TAGS_H

#include "media/av/film.h"

struct ksr_tags_comparison {
    unsigned chapters;         // that the output should have
    bool chapters_held;        // whether its container can hold any
    char chapters_differ[160]; // what is wrong with them; "" = nothing
    unsigned tags;             // titles and languages, of file and streams, that were looked at
    bool tags_held;            // whether its container holds them all (Matroska)
    char tags_differ[160];     // what is missing or different; "" = nothing
};

// film: what the output should be of the input. shift_ms: how much later everything is. titles:
// whether tags were to be kept. Chapters are compared by start and title, tags where the output is
// Matroska.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM.
ksr_status ksr_media_compare_tags(ksr_context *ctx, const char *input_path,
                                  const struct ksr_film *film, const char *output_path,
                                  double shift_ms, bool titles, struct ksr_tags_comparison *out);

#endif
