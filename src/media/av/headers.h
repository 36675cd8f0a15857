// What packets say about the frames that follow: sequence headers, parameter sets, frame headers.
//
// Nothing is decoded and little is understood: two packets whose headers have the same hash lead to
// frames of the same kind. Where the hash changes, somebody looks at a decoded frame (kinds.h).

#ifndef KSR_MEDIA_AV_HEADERS_H
#define KSR_MEDIA_AV_HEADERS_H

#include "media/av/ffmpeg.h"

// Returns a hash of the part of a video packet that says what its frames look like; 0 = the packet
// has no such part, so that what was said before holds.
uint64_t ksr_packet_headers(const AVCodecParameters *parameters, const AVPacket *packet);

// Returns whether ksr_packet_headers() knows the headers of a codec.
bool ksr_headers_known(enum AVCodecID codec);

// Returns whether the headers of an H.264 stream say that it has no chroma: FFmpeg decodes it as
// 4:2:0 with chroma that is neutral. Other codecs decode as grey formats.
bool ksr_headers_grey(const AVCodecParameters *parameters);

#endif
