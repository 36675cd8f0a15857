// Stream mapping: which streams of the input go into the output, and how each does.
//
// What the container cannot hold is found by ksr_carry_decide() before any work, with a trial
// of headers and first packets, and never in the middle of a run.
//
// The folder media/mapping:
//   takes        the film, the encoder settings, the container
//   gives        a struct ksr_output_plan: what becomes of every stream
//   may include  media/compare and below

#ifndef KSR_MEDIA_MAPPING_MAPPING_H
#define KSR_MEDIA_MAPPING_MAPPING_H

#include "media/mapping/track_choice.h"
#include "media/mux/output.h"

// Decides for every stream of the input what happens to it, and warns of what is lost. plan holds
// the format already. Writes trials into memory.
// Returns KSR_OK, KSR_E_PARAM (the container cannot hold the video; logged), ...
ksr_status ksr_carry_decide(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_processor_config *config,
                            const struct ksr_encoder_settings *encoder,
                            struct ksr_output_plan *plan);

// Decides the same for an output that stands, as far as its name tells, without a word.
ksr_status ksr_carry_guess(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                           const char *output_path, const struct ksr_choice *choice,
                           struct ksr_output_plan *plan);

#endif
