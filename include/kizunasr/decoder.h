// Decodes the frames of a video to RGB: for viewing and measuring inputs and outputs, and for
// programs that need exact frame numbers. Upscaling (job.h) does not need it.
//
// Opening reads the whole file once, so the number of frames is exact, and every frame has its
// number and timestamp. Frames are then returned in presentation order, or from any frame on after
// a seek; frames after a seek are bit for bit those of reading from the start.
//
//     ksr_decoder *decoder = NULL;
//     const struct ksr_picture *picture = NULL;
//     status = ksr_decoder_open(&decoder, ctx, "input.mkv", NULL);
//     while (status == KSR_OK &&
//            (status = ksr_decoder_next(decoder, &picture)) == KSR_OK && picture)
//         use(picture->data, picture->stride, picture->frame_index);
//     ksr_decoder_destroy(&decoder);

#ifndef KIZUNASR_DECODER_H
#define KIZUNASR_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kizunasr/context.h"

#ifdef __cplusplus
extern "C" {
#endif

// Thread-safety: one thread at a time per object; objects may share a context only if they are
// used from the same thread.
typedef struct ksr_decoder ksr_decoder;

struct ksr_decoder_params { // all zero = defaults
    int bits;               // of a sample in the RGB frames: 8 or 16; 0 = 8
};

// Properties of the video. Frames with another size or pixel format than the first one are
// converted to that of the first.
struct ksr_decoder_info {
    int64_t total_frames;     // exact; at least 1
    int width, height;        // of every frame, in pixels, before rotation and sample aspect ratio
    const char *pixel_format; // of the video, an FFmpeg name; owned by the decoder
    int time_base_num, time_base_den;         // seconds per unit of `pts` and `duration`
    int frame_rate_num, frame_rate_den;       // average, per second; 0/1 = unknown
    int sample_aspect_num, sample_aspect_den; // sample aspect ratio; 0/1 = unknown
};

// One frame as an array [height][width][3] of full-range R, G, B (0 .. 255, or 0 .. 65535 as
// uint16_t in native byte order), rows from top to bottom, `stride` bytes apart. YCbCr is converted
// with the video's own matrix, range and chroma location, in integers, with the same result on
// every machine; if the matrix is unspecified, BT.709 from 1280x720 on and BT.601 below. No
// dithering. Alpha is dropped; transfer and primaries are not converted.
struct ksr_picture {
    int64_t frame_index; // from 0, in presentation order
    int64_t pts;         // timestamp, in units of the time base
    int64_t duration;    // until the next frame, in the same units; of the last: from the file
    int width, height;   // in pixels
    int bits;            // of a sample: 8 or 16
    bool damaged;        // the decoder reported errors in it
    const void *data;    // first pixel; aligned to 16 bytes; owned by the decoder
    ptrdiff_t stride;    // bytes from one row to the next, at least width * 3 * bits / 8
};

// Opens a video or an image sequence ("in%05d.png"), and reads it once.
// *out: new object, owned by the caller, free with ksr_decoder_destroy(); NULL on failure.
// ctx: receives messages, and the progress of reading (KSR_PHASE_PLAN); may be NULL; must outlive
// the object.
// params: NULL = defaults; read only during the call.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOT_FOUND, KSR_E_INPUT (unreadable, without video, or in a
// pixel format that cannot be converted), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_open(ksr_decoder **out, ksr_context *ctx,
                                                 const char *path,
                                                 const struct ksr_decoder_params *params);

// Frees *decoder and sets it to NULL. Accepts NULL and a pointer to NULL.
KSR_API void ksr_decoder_destroy(ksr_decoder **decoder);

// Returns the properties of the video, valid until ksr_decoder_destroy(); NULL if decoder is NULL.
KSR_API const struct ksr_decoder_info *ksr_decoder_info(const ksr_decoder *decoder);

// Decodes the next frame.
// *out: the frame, owned by the decoder, valid until the next call with this decoder; NULL after
// the last one. A gap in the frame numbers is a frame that could not be decoded.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_INPUT, KSR_E_PROCESS (decoding failed), KSR_E_NOMEM,
// KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_next(ksr_decoder *decoder,
                                                 const struct ksr_picture **out);

// Makes ksr_decoder_next() continue with frame `frame_index`, 0 .. total_frames (the end).
// Returns KSR_OK, KSR_E_PARAM (out of range; nothing has changed), KSR_E_INPUT, KSR_E_PROCESS,
// KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_seek(ksr_decoder *decoder, int64_t frame_index);

#ifdef __cplusplus
}
#endif

#endif
