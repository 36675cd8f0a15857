// What a pixel format is: of any whose components are integers of up to 16 bits, how its frames are
// coded, and whether they can be written.

#ifndef KSR_MEDIA_AV_PIXEL_FORMAT_H
#define KSR_MEDIA_AV_PIXEL_FORMAT_H

#include "frame/rows.h"
#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Describes working frames for pictures of a format. *bits: depth of a code value (8..16).
// Returns false when the format is not one of integers (float, hardware, unknown).
bool ksr_pixels_layout(const struct ksr_video_format *format, struct ksr_layout *layout, int *bits);

// Sets where a layout's chroma lies. Unspecified chroma is left of centre, as the MPEG standards
// since MPEG-2 have it.
void ksr_pixels_siting(const struct ksr_video_format *format, struct ksr_layout *layout);

// Returns whether the pictures are RGB: their working frames hold full-range YCbCr 4:4:4.
bool ksr_pixels_is_rgb(const struct ksr_video_format *format);

// Returns the format that holds the same and can be written: the given one, or one for palettes and
// components of fewer than 8 bits; AV_PIX_FMT_NONE where there is none, or it cannot be read.
enum AVPixelFormat ksr_pixels_carrier(enum AVPixelFormat format);

// Says how a film's colour is made of its samples: the weights of red and blue in luma (both 0
// where it has none: RGB), and the depth that working samples are unpacked from.
void ksr_pixels_weights(const struct ksr_video_format *format, double *kr, double *kb, int *bits);

// --- Of FFmpeg's descriptors ---

bool ksr_pixfmt_is_rgb(const AVPixFmtDescriptor *d);

bool ksr_pixfmt_has_alpha(const AVPixFmtDescriptor *d);

bool ksr_pixfmt_has_color(const AVPixFmtDescriptor *d);

// Number of components; a palette stands for red, green, blue and alpha.
int ksr_pixfmt_components(const AVPixFmtDescriptor *d);

int ksr_pixfmt_depth(const AVPixFmtDescriptor *d, int component);

bool ksr_pixfmt_supported(const AVPixFmtDescriptor *d);

// Whether the component lies in a plane of its own as bytes or native 16-bit words.
bool ksr_pixfmt_is_plain(const AVPixFmtDescriptor *d, int component);

// Which component a working plane holds: green, blue, red for RGB, as ksr_rgb_to_ycc_rows() wants.
int ksr_pixfmt_component_of(const AVPixFmtDescriptor *d, int plane);

// Whether pictures of the format can be written: not a palette, and no component below `least`
// bits.
bool ksr_pixfmt_writable_from(const AVPixFmtDescriptor *d, int least);

bool ksr_pixfmt_writable(const AVPixFmtDescriptor *d);

const AVPixFmtDescriptor *ksr_pixfmt_describe(const struct ksr_video_format *format);

bool ksr_pixfmt_is_full_range(const struct ksr_video_format *format);

// Weights of red and blue in luma. Where the matrix is not said, it goes by size, as in players.
bool ksr_pixfmt_luma_weights(const struct ksr_video_format *f, double *kr, double *kb);

// Weights of the luma that working frames of a source have.
bool ksr_pixfmt_frame_weights(const struct ksr_video_format *source, double *kr, double *kb);

// *out: the planes of a picture of that format, but for `pack`, if each sample has bytes of its own
// in which no other's bits stand, and no conversion is needed. Returns whether that is so.
bool ksr_pixfmt_raw(const AVPixFmtDescriptor *d, const AVFrame *picture, struct ksr_raw_frame *out);

#endif
