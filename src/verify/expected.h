// What an output was meant to be: which frames of the input it should show, and with which
// settings.
//
// Known from the provenance record or the work folder of its run, where there is one; else from
// what the user says, and what can be guessed from the output itself.

#ifndef KSR_VERIFY_EXPECTED_H
#define KSR_VERIFY_EXPECTED_H

#include <jansson.h>

#include "kizunasr/inspect.h"
#include "media/av/film.h"
#include "media/mapping/track_choice.h"
#include "media/mux/output.h"

struct ksr_meant {
    struct ksr_film film; // the frames that went in: cut, and through its filter
    ksr_config *settings; // of the run; NULL = not known
    json_t *record;       // the provenance record; NULL = none
    size_t *kept;         // frames of the film that the output should have, rising
    size_t kept_count;
    bool *repeated;                 // per frame of the film: the one before is shown in its place
    struct ksr_output_plan *output; // what became of every stream; NULL = not known
    struct ksr_choice choice;       // of its tracks
    const char *source;             // where this is known from, in words
};

// options: must not be NULL. Free *out with ksr_meant_free(), also after a failure.
// Returns KSR_OK, KSR_E_PARAM (options that contradict, or a record of another input; logged),
// KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_meant_find(ksr_context *ctx, const char *input_path, const char *output_path,
                          const struct ksr_verify_options *options, struct ksr_meant *out);
void ksr_meant_free(struct ksr_meant *meant);

// Returns the settings of the pipeline, NULL = not known.
const struct ksr_pipeline_config *ksr_meant_pipeline(const struct ksr_meant *meant);

#endif
