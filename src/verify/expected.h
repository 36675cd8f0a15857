// The expected output: which frames of the input it should contain, and with which settings.
//
// Known from the provenance record or the work folder of its run, if there is one; otherwise from
// the options, and what can be detected from the output itself.

#ifndef KSR_VERIFY_EXPECTED_H
#define KSR_VERIFY_EXPECTED_H

#include <jansson.h>

#include "kizunasr/inspect.h"
#include "media/av/film.h"
#include "media/mapping/track_choice.h"
#include "media/mux/output.h"

struct ksr_expected {
    struct ksr_film film; // the frames that went in: cut, and through its filter
    ksr_config *settings; // of the run; NULL = unknown
    json_t *record;       // the provenance record; NULL = none
    size_t *kept;         // frames of the film that the output should have, ascending
    size_t kept_count;
    bool *repeated;                 // per frame of the film: the previous one is shown instead
    struct ksr_output_plan *output; // what became of every stream; NULL = unknown
    struct ksr_choice choice;       // of its tracks
    const char *source;             // where this is known from, for messages
};

// options: must not be NULL. Free *out with ksr_expected_free(), also after a failure.
// Returns KSR_OK, KSR_E_PARAM (options that contradict, or a record of another input; logged),
// KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_expected_find(ksr_context *ctx, const char *input_path, const char *output_path,
                             const struct ksr_verify_options *options, struct ksr_expected *out);
void ksr_expected_free(struct ksr_expected *expected);

// Returns the settings of the pipeline, NULL = unknown.
const struct ksr_pipeline_config *ksr_expected_pipeline(const struct ksr_expected *expected);

#endif
