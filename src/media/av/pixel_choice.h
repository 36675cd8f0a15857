// Choosing the pixel format and the colour tags that an encoder gets.

#ifndef KSR_MEDIA_AV_PIXEL_CHOICE_H
#define KSR_MEDIA_AV_PIXEL_CHOICE_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Chooses the encoder's pixel format: the named one, or for "auto" yuv420p for 8-bit 4:2:0
// input, else the nearest that the encoder takes, with a warning where something is lost.
// names: what "auto" chooses from, with spaces between; NULL = all that the encoder takes.
// y4m: raw video goes into Y4M, which takes fewer formats than the encoder.
// Returns KSR_OK, KSR_E_PARAM (unknown, or not taken by the encoder; logged).
ksr_status ksr_pixels_choose(ksr_context *ctx, const AVCodec *encoder, const char *names, bool y4m,
                             const char *wanted, const struct ksr_video_format *source,
                             enum AVPixelFormat *out);

// Finds before any work what writing pictures of a source as `target` would fail at.
// Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_pixels_check(ksr_context *ctx, const struct ksr_video_format *source,
                            enum AVPixelFormat target);

// What the width and height of a picture should be multiples of: 2 or 4 where its own format, or
// the named one ("auto": none), has coarser chroma, else 1.
void ksr_pixels_size_steps(const char *own, const char *named, int *step_x, int *step_y);

// Adjusts colour tags for the target: RGB <-> YCbCr changes matrix and range, all else stays.
void ksr_pixels_target_color(const struct ksr_video_format *source, enum AVPixelFormat target,
                             struct ksr_video_format *out);

// Adjusts the matrix where the codec has one by definition, or where it cannot be told and readers
// will guess it by size (`told` is false): RGB is coded by what they take, and YCbCr of another
// matrix is converted for a codec that has its own.
void ksr_pixels_adapt_matrix(const struct ksr_video_format *source, enum AVCodecID codec, bool told,
                             struct ksr_video_format *out);

// Adjusts where chroma lies for a codec that has one place for it by definition.
void ksr_pixels_adapt_siting(enum AVCodecID codec, struct ksr_video_format *out);

#endif
