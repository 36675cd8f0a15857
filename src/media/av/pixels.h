// Between decoded or encoded pictures (AVFrame) and working frames.
//
// Any pixel format whose components are integers of up to 16 bits can be read and written without
// loss up to 15 bits. Where a picture must change its kind on the way to the encoder (subsampling,
// YCbCr to RGB, range) that is done on working samples: frame/resample.h, frame/matrix.h.

#ifndef KSR_MEDIA_AV_PIXELS_H
#define KSR_MEDIA_AV_PIXELS_H

#include "core/pool.h"
#include "frame/frame.h"
#include "frame/rows.h"
#include "media/av/ffmpeg.h"
#include "media/av/film.h"
#include "media/av/pixel_format.h"

// Returns how many planes pictures of a format have. rows, bytes: of each plane how many rows it
// has, and how many bytes of a row are used.
int ksr_pixels_planes(enum AVPixelFormat format, int width, int height,
                      size_t bytes[KSR_MAX_PLANES], int rows[KSR_MAX_PLANES]);

// Reads pictures as rows of working samples.
// Thread-safety: one thread at a time per object.
struct ksr_pixel_reader;

// Returns a reader, or NULL when out of memory. Free with ksr_pixel_reader_destroy().
struct ksr_pixel_reader *ksr_pixel_reader_create(void);
void ksr_pixel_reader_destroy(struct ksr_pixel_reader **reader);

// *source: gives the rows of a picture, which must have the layout's planes, size and subsampling;
// valid until the next call, and as long as the picture is.
// Returns KSR_OK, KSR_E_NOMEM, KSR_E_PROCESS (the picture is another kind; logged).
ksr_status ksr_pixels_read(ksr_context *ctx, struct ksr_pixel_reader *reader,
                           const AVFrame *picture, const struct ksr_layout *layout,
                           struct ksr_row_source *source);

// Writes working frames into pictures for an encoder.
// Thread-safety: one thread at a time per object.
struct ksr_pixel_writer;

// source: the format the working frames were read from; layout: of the frames to write (larger by
// the scale); target: the encoder's pixel format; color: its tags, as ksr_pixels_target_color()
// gives them (which is what NULL stands for).
// target: chosen by ksr_pixels_choose(), which refuses what cannot be written.
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_pixel_writer_create(ksr_context *ctx, const struct ksr_video_format *source,
                                   const struct ksr_layout *layout, enum AVPixelFormat target,
                                   const struct ksr_video_format *color, bool dither,
                                   struct ksr_pixel_writer **out);
void ksr_pixel_writer_destroy(struct ksr_pixel_writer **writer);

// *sink: puts rows of working samples into a picture, which is writable, of the target format and
// the layout's size. When it has had all rows, or the planes that it describes are written,
// ksr_pixels_finish() completes the picture.
struct ksr_row_sink ksr_pixels_write(struct ksr_pixel_writer *writer, AVFrame *picture);
ksr_status ksr_pixels_finish(ksr_context *ctx, struct ksr_pixel_writer *writer, ksr_pool *pool);

#endif
