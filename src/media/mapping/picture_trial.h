// What of the tags of frames comes back from an output, found by a trial.

#ifndef KSR_MEDIA_MAPPING_PICTURE_TRIAL_H
#define KSR_MEDIA_MAPPING_PICTURE_TRIAL_H

#include "media/mux/output.h"

struct ksr_untold {
    bool matrix; // that RGB was coded by
    bool range;  // full range: readers take it for limited
};

// Encodes some frames, writes them and reads them back, and warns by name of what colour tags and
// metadata of the film (film->extras) the codec and the container do not keep. *untold: what they
// cannot tell of the colours, so that frames are to be coded otherwise.
// Returns KSR_OK, KSR_E_PARAM (no picture comes back; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_picture_trial(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             const struct ksr_encoder_settings *encoder,
                             const struct ksr_output_plan *plan, struct ksr_untold *untold);

// The same of images, which have no container: says whether an ICC profile is lost.
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_picture_trial_image(ksr_context *ctx, const struct ksr_film *film,
                                   const struct ksr_encoder_settings *encoder);

#endif
