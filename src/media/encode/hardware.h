// GPUs that encode: frames are uploaded to those that take no others, and each has an identity.

#ifndef KSR_MEDIA_ENCODE_HARDWARE_H
#define KSR_MEDIA_ENCODE_HARDWARE_H

#include <stddef.h>

#include "media/av/ffmpeg.h"
#include "media/encode/codecs.h"

// Opens the device of an encoder that takes frames of it alone, and prepares `c`, which is not open
// yet, for frames of its pixel format, to be uploaded. Returns 0, or FFmpeg's error, logged as
// FFmpeg does.
int ksr_hardware_prepare(const struct ksr_codec *codec, AVCodecContext *c);

// Returns the pixel format of frames that are filled for an open encoder.
enum AVPixelFormat ksr_hardware_format(const AVCodecContext *c);

// Copies a frame to the device. *out: free with av_frame_free(). Returns 0, or FFmpeg's error.
int ksr_hardware_upload(const AVCodecContext *c, const AVFrame *frame, AVFrame **out);

// Writes which GPU and which version of its driver encode, as far as they can be found out; empty
// for encoders in software. gpu: the number of the user's option of that name, NULL = none.
void ksr_hardware_identity(const struct ksr_codec *codec, const char *gpu, char *out, size_t size);

#endif
