// Converting decoded frames of one kind to another: size, pixel format, subsampling, depth, range
// and matrix.
//
// What comes out is a function of the frame and the two descriptions alone, in integers.

#ifndef KSR_MEDIA_INPUT_CONFORM_H
#define KSR_MEDIA_INPUT_CONFORM_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Returns whether frames of a format can be read at all.
bool ksr_conform_supported(const struct ksr_video_format *format);

// Returns whether samples must change for a frame of `from` to be one of `to`.
bool ksr_conform_needed(const struct ksr_video_format *from, const struct ksr_video_format *to);

// Gives a format that frames cannot be written in (a palette, fewer than 8 bits) the pixel format
// that holds the same.
void ksr_conform_carrier(struct ksr_video_format *format);

// Thread-safety: one thread at a time per object.
typedef struct ksr_conform ksr_conform;

// Returns NULL when out of memory.
ksr_conform *ksr_conform_create(void);
void ksr_conform_destroy(ksr_conform **conform);

// Makes a frame, which `from` describes, one of the format `to`. `to` must be one that can be
// written; timestamps, flags and side data stay. *ok: whether that was possible; else the frame is
// unchanged.
// Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_conform_frame(ksr_context *ctx, ksr_conform *conform,
                             const struct ksr_video_format *from, const struct ksr_video_format *to,
                             AVFrame *frame, bool *ok);

// Puts a black or green frame of the format `to`, flagged as corrupt, in place of one that cannot
// be converted.
ksr_status ksr_conform_blank(ksr_context *ctx, const struct ksr_video_format *to, AVFrame *frame);

#endif
