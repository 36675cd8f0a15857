// The memory that decoders put frames in.
//
// FFmpeg's own takes a frame's memory in small pages and writes zeroes over all of it before the
// decoder writes the first sample, anew whenever a file is opened. Here it comes from the system,
// zeroed, in large pages. Decoders find the same in it: zeroes, or an earlier frame of theirs.

#ifndef KSR_MEDIA_AV_BUFFERS_H
#define KSR_MEDIA_AV_BUFFERS_H

#include "media/av/ffmpeg.h"

struct ksr_buffers;

// Makes a video decoder that is not open yet put its frames in such memory. Returns NULL when out
// of memory. Free after the decoder with ksr_buffers_free(); frames may live on.
struct ksr_buffers *ksr_buffers_use(AVCodecContext *decoder);

// Sets *buffers to NULL. Accepts a pointer to NULL.
void ksr_buffers_free(struct ksr_buffers **buffers);

#endif
