// What a mistyped name of an encoder, a container or a pixel format was meant to be.

#ifndef KSR_MEDIA_AV_SUGGEST_H
#define KSR_MEDIA_AV_SUGGEST_H

#include "core/suggest.h"
#include "media/av/ffmpeg.h"

// All three write " (did you mean NAME?)" into `out`, or "" where nothing is close, and return it.
// The name of a codec, such as h264, leads to an encoder of it.
const char *ksr_guess_encoder(enum AVMediaType type, const char *name, char out[KSR_GUESS_TEXT]);
const char *ksr_guess_container(const char *name, char out[KSR_GUESS_TEXT]);
const char *ksr_guess_pixel_format(const char *name, char out[KSR_GUESS_TEXT]);

#endif
