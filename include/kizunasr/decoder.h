// Reading the frames of a film as RGB pictures: for looking at inputs and outputs, measuring them,
// and for programs that want exact frame numbers. The main job (job.h) does not need it.
//
// Opening reads the whole file once, so that the number of frames is exact and every frame has its
// number and its time. Frames then come in the order they are shown, or from any frame on after a
// seek; what a seek gives is bit for bit what reading from the start gives.
//
//     ksr_decoder *decoder = NULL;
//     const struct ksr_picture *picture = NULL;
//     status = ksr_decoder_open(&decoder, ctx, "film.mkv", NULL);
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
    int bits;               // of a sample in the pictures: 8 or 16; 0 = 8
};

// What is the same for all frames of a film. Frames whose size or pixel format changes midway are
// converted to that of the first.
struct ksr_decoder_info {
    int64_t total_frames;     // exact; at least 1
    int width, height;        // of every frame, in pixels, before rotation and sample aspect
    const char *pixel_format; // of the film, an FFmpeg name; owned by the decoder
    int time_base_num, time_base_den;         // seconds per unit of `pts` and `duration`
    int frame_rate_num, frame_rate_den;       // average, per second; 0/1 = not known
    int sample_aspect_num, sample_aspect_den; // width of a pixel by its height; 0/1 = not known
};

// One frame: rows from the top, pixels of three samples R, G, B, full range (0 .. 255, or
// 0 .. 65535 as uint16_t in the machine's byte order). YCbCr is converted by the film's own matrix
// and range, and chroma keeps its place, in integers that are the same on every machine; where the
// film does not name its matrix it is BT.709 from 1280x720 on and BT.601 below. No dithering.
// Transparency is left out; light values (transfer, primaries) stay as they are.
struct ksr_picture {
    int64_t frame_index; // from 0, in the order shown
    int64_t pts;         // when it is shown, in units of the time base
    int64_t duration;    // until the next frame, in the same units; of the last: as the file says
    int width, height;   // in pixels
    int bits;            // of a sample: 8 or 16
    bool damaged;        // the decoder says that it is not as it was coded
    const void *data;    // first pixel; aligned to 16 bytes; owned by the decoder
    ptrdiff_t stride;    // bytes from one row to the next, at least width * 3 * bits / 8
};

// Opens a film, or an image sequence ("in%05d.png"), and reads it once.
// *out: new object, owned by the caller, free with ksr_decoder_destroy(); NULL on failure.
// ctx: receives messages, and progress of the reading (KSR_PHASE_PLAN); must outlive the object.
// params: NULL = defaults; read only during the call.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_INPUT (missing, unreadable, without video, or in a kind of
// colour that cannot be converted), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_open(ksr_decoder **out, ksr_context *ctx,
                                                 const char *path,
                                                 const struct ksr_decoder_params *params);

// Frees *decoder and sets it to NULL. Accepts NULL and a pointer to NULL.
KSR_API void ksr_decoder_destroy(ksr_decoder **decoder);

// Returns what the film is, valid until ksr_decoder_destroy(); NULL when decoder is NULL.
KSR_API const struct ksr_decoder_info *ksr_decoder_info(const ksr_decoder *decoder);

// Decodes the next frame.
// *out: the frame, valid until the next call with this decoder; NULL after the last one. Numbers
// that are left out are frames that do not decode.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_INPUT, KSR_E_PROCESS (decoding failed), KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_next(ksr_decoder *decoder,
                                                 const struct ksr_picture **out);

// Makes ksr_decoder_next() go on with frame `frame_index`, 0 .. total_frames (the end).
// Returns KSR_OK, KSR_E_PARAM (out of range; nothing has changed), KSR_E_INPUT, KSR_E_PROCESS,
// KSR_E_NOMEM, KSR_E_CANCELLED.
KSR_API KSR_MUST_USE ksr_status ksr_decoder_seek(ksr_decoder *decoder, int64_t frame_index);

#ifdef __cplusplus
}
#endif

#endif
