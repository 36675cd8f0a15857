// Alpha of VP8 and VP9, which are two streams each: Matroska and WebM keep the second one beside
// the packets of the first, as FFmpeg's wrappers of libvpx read and write it.

#ifndef KSR_MEDIA_AV_ALPHA_H
#define KSR_MEDIA_AV_ALPHA_H

#include "media/av/ffmpeg.h"

#define KSR_ALPHA_TAG "alpha_mode" // what FFmpeg's demuxer and muxer call the element of that name

// Returns whether a stream has alpha beside its packets.
bool ksr_alpha_is_beside(const AVStream *stream);

// Returns the decoder of such a stream that gives its alpha, NULL where this FFmpeg has none.
const AVCodec *ksr_alpha_decoder(const AVStream *stream);

// Returns whether pictures of a format, as a codec, are packets with alpha beside them.
bool ksr_alpha_goes_beside(enum AVCodecID codec, enum AVPixelFormat format);

// Puts what stands beside a packet's data behind them, and back. Return 0 or an AVERROR.
int ksr_alpha_pack(AVPacket *packet);
int ksr_alpha_unpack(AVPacket *packet);

#endif
