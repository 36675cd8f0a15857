// What mapping.c and mapping_audio.c share.

#ifndef KSR_MEDIA_MAPPING_MAPPING_PARTS_H
#define KSR_MEDIA_MAPPING_MAPPING_PARTS_H

#include "media/av/ffmpeg.h"
#include "media/container/containers.h"
#include "media/container/output_plan.h"
#include "media/input/input.h"
#include "media/mapping/track_choice.h"
#include "media/mapping/trial.h"
#include "media/mux/output.h"

struct decision {
    ksr_context *ctx;
    const char *input_path;
    const struct ksr_film *film;
    const struct ksr_processor_config *config;
    const struct ksr_encoder_settings *encoder;
    struct ksr_output_plan *plan;
    const struct ksr_container *container; // of the plan
    const AVFormatContext *input;
    struct ksr_choice choice;
};

// Tries to carry a stream this way, with an encoder of this name (NULL: none is needed), and plans
// it so where the container holds it. Says nothing.
ksr_status ksr_carry_try(const struct decision *d, const AVStream *stream, enum ksr_carry carry,
                         const char *codec, struct ksr_trial *trial);

// Says what a trial found that the output loses.
ksr_status ksr_carry_warn(const struct decision *d, const AVStream *stream,
                          const struct ksr_trial *trial);

// Returns the reason for leaving out a stream of which a trial found no packet.
const char *ksr_carry_why_empty(const struct decision *d, const AVStream *stream);

// Leaves a stream out. why: as "cannot be held by avi and is left out".
void ksr_carry_leave_out(const struct decision *d, const AVStream *stream, const char *why);

// Finds out whether another container (a muxer's name) would keep a stream as it is.
ksr_status ksr_carry_kept_by(const struct decision *d, const AVStream *stream, const char *format,
                             bool *yes);

// Reads the audio encoder of the configuration.
// Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_carry_check_audio(ksr_context *ctx, const struct ksr_encoder_config *config,
                                 struct ksr_output_plan *plan);

// Decides what happens to an audio stream, and warns of what is lost.
ksr_status ksr_carry_audio(const struct decision *d, const AVStream *stream);

#endif
