// The part of a video's frames that players show: PixelCrop of Matroska, the clean aperture of MP4
// and MOV. FFmpeg's demuxers and muxers do not hand it on (before 7.1).

#ifndef KSR_MEDIA_CONTAINER_APERTURE_H
#define KSR_MEDIA_CONTAINER_APERTURE_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Reads what the file of a stream says; all zero: nothing, or what leaves nothing of a frame.
// Moves the place in the file and back. Returns 0 or an AVERROR.
int ksr_aperture_read(const AVFormatContext *input, int stream, struct ksr_aperture *out);

// The same of the sample entry of an MP4 or MOV, a box of `size` bytes.
void ksr_aperture_of_entry(const uint8_t *entry, size_t size, struct ksr_aperture *out);

// Corrects the sample aspect ratios of Matroska's streams with a crop: the display size is that of
// the part shown. Returns 0 or an AVERROR.
int ksr_aperture_correct_aspects(AVFormatContext *input);

// Returns whether anything is cut off.
bool ksr_aperture_crops(const struct ksr_aperture *aperture);

// Returns an aperture of frames of one size for frames of another.
struct ksr_aperture ksr_aperture_scale(const struct ksr_aperture *aperture, int from_width,
                                       int from_height, int to_width, int to_height);

// Makes room in the name of a Matroska track that will be written. Returns 0 or an AVERROR.
int ksr_aperture_reserve(AVStream *video);

struct ksr_ebml_part;

// Puts an aperture into the track with that room, of the tracks of a Matroska file. Returns 0 or an
// AVERROR.
int ksr_aperture_put(struct ksr_ebml_part *tracks, const struct ksr_aperture *aperture);

#endif
