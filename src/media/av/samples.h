// The samples of frames, whatever their pixel format keeps them in: what two encoders got is the
// same where these are.

#ifndef KSR_MEDIA_AV_SAMPLES_H
#define KSR_MEDIA_AV_SAMPLES_H

#include "core/hash.h"
#include "media/av/ffmpeg.h"

// Adds a frame in memory to a hash: component by component (Y, Cb, Cr or R, G, B, then alpha), row
// by row, without padding; samples of up to 8 bits as bytes, others as 16 bits, little-endian (32,
// where they are longer). So yuv420p and nv12 of one image have one hash.
// Returns false when out of memory.
bool ksr_samples_add(ksr_hasher *hasher, const AVFrame *frame);

// Returns whether frames of two pixel formats, by name, can have the same samples.
bool ksr_samples_alike(const char *a, const char *b);

#endif
