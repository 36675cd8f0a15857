// Gradual refresh: keyframes of H.264 that are not whole pictures.

#ifndef KSR_MEDIA_AV_INTRA_REFRESH_H
#define KSR_MEDIA_AV_INTRA_REFRESH_H

#include "media/av/ffmpeg.h"

// Returns whether a packet begins a gradual refresh (a recovery point that is reached some frames
// later): demuxers call it a keyframe, but what is decoded from there on is not clean at once.
bool ksr_packet_is_refresh(const AVCodecParameters *parameters, const AVPacket *packet);

#endif
