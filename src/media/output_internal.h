// Between output.c and carry.c.

#ifndef KSR_MEDIA_OUTPUT_INTERNAL_H
#define KSR_MEDIA_OUTPUT_INTERNAL_H

#include "media/output.h"

// Sets the output up in memory, up to and including its header, and throws it away.
// Returns KSR_OK, KSR_E_PARAM (the container refuses the streams; not always logged), ...
ksr_status ksr_output_trial(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_encoder_settings *encoder,
                            const struct ksr_output_plan *plan);

#endif
