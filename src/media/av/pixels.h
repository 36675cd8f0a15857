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

// Describes working frames for pictures of a format. *bits: depth of a code value (8..16).
// Returns false when the format is not one of integers (float, hardware, unknown).
bool ksr_pixels_layout(const struct ksr_video_format *format, struct ksr_layout *layout, int *bits);

// Returns whether the pictures are RGB: their working frames hold full-range YCbCr 4:4:4.
bool ksr_pixels_is_rgb(const struct ksr_video_format *format);

// Reads pictures as rows of working samples.
// Thread-safety: one thread at a time per object.
struct ksr_pixel_reader;

// Returns a reader, or NULL when out of memory. Free with ksr_pixel_reader_destroy().
struct ksr_pixel_reader *ksr_pixel_reader_create(void);
void ksr_pixel_reader_destroy(struct ksr_pixel_reader **reader);

// Returns the format that holds the same and can be written: the given one, or one for palettes and
// components of fewer than 8 bits; AV_PIX_FMT_NONE where there is none, or it cannot be read.
enum AVPixelFormat ksr_pixels_carrier(enum AVPixelFormat format);

// *source: gives the rows of a picture, which must have the layout's planes, size and subsampling;
// valid until the next call, and as long as the picture is. pool may be NULL.
// Returns KSR_OK, KSR_E_NOMEM, KSR_E_PROCESS (the picture is another kind; logged).
ksr_status ksr_pixels_read(ksr_context *ctx, struct ksr_pixel_reader *reader,
                           const AVFrame *picture, const struct ksr_layout *layout, ksr_pool *pool,
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
// the layout's size. When it has had all rows, ksr_pixels_finish() completes the picture.
struct ksr_row_sink ksr_pixels_write(struct ksr_pixel_writer *writer, AVFrame *picture);
ksr_status ksr_pixels_finish(ksr_context *ctx, struct ksr_pixel_writer *writer, ksr_pool *pool);

// Says how a film's colour is made of its samples: the weights of red and blue in luma (both 0
// where it has none: RGB), and the depth that working samples are unpacked from.
void ksr_pixels_weights(const struct ksr_video_format *format, double *kr, double *kb, int *bits);

// Chooses the encoder's pixel format: the named one, or for "auto" yuv420p for 8-bit 4:2:0
// input, else the nearest that the encoder takes, with a warning where something is lost.
// container: of the output, which may take fewer formats than the encoder.
// Returns KSR_OK, KSR_E_PARAM (unknown, or not taken by the encoder; logged).
ksr_status ksr_pixels_choose(ksr_context *ctx, const AVCodec *encoder, const char *container,
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
