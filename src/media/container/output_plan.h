// How an output is made: its container, by its path or the configuration, and what becomes of each
// stream. containers.h has what is known of containers.

#ifndef KSR_MEDIA_CONTAINER_OUTPUT_PLAN_H
#define KSR_MEDIA_CONTAINER_OUTPUT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/log.h"
#include "kizunasr/config.h"

enum ksr_carry {
    KSR_CARRY_VIDEO = 0,   // the stream that is processed
    KSR_CARRY_COPY = 1,    // packets copied
    KSR_CARRY_ENCODE = 2,  // audio, decoded and encoded anew
    KSR_CARRY_DROP = 3,    // cannot be kept
    KSR_CARRY_CONVERT = 4, // text of subtitles, put into another form
};

#define KSR_MAX_STREAMS 256

// How the output is made; part of the manifest.
struct ksr_output_plan {
    char format[32]; // FFmpeg muxer name
    bool image;      // picture files alone
    bool sequence;   // many of them, numbered
    int first;       // of a sequence: its first number
    bool keep_tags;
    bool accompanied;                      // of a trial: a video is written beside the stream
    enum ksr_carry carry[KSR_MAX_STREAMS]; // per stream of the input
    char codec[KSR_MAX_STREAMS][32];       // encoder of KSR_CARRY_ENCODE and _CONVERT, per stream
    int stream_count;
    int64_t audio_bit_rate; // for KSR_CARRY_ENCODE
};

// What an encoder or container is called that the output decides.
#define KSR_BY_OUTPUT "auto"

// Finds the container for a path: config->format unless "auto", else by extension, else mp4.
// *codec: the encoder: config->codec unless "auto", else the one of an image file's extension, of a
// container that is made for one codec (GIF, raw streams) or has one that players expect (MPEG-PS),
// else libx264. Valid as long as `config`.
// Returns KSR_OK, KSR_E_PARAM (unknown format; logged).
ksr_status ksr_output_format(ksr_context *ctx, const char *path,
                             const struct ksr_encoder_config *config, struct ksr_output_plan *out,
                             const char **codec);

// Refuses an encoder whose output is not what the extension of an image file says: readers go by
// the extension. Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_output_check_image(ksr_context *ctx, const char *path, const char *name);

// Returns whether the container keeps parameter sets in its header.
bool ksr_output_global_header(const struct ksr_output_plan *plan);

struct AVOutputFormat;

// Returns the muxer of a plan.
const struct AVOutputFormat *ksr_carry_muxer(const struct ksr_output_plan *plan);

// Returns the encoder that stands in for the default one in a container, NULL if none does.
const char *ksr_output_own_encoder(const struct AVOutputFormat *format);

#endif
