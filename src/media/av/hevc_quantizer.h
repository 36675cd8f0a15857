// The quantizer of H.265 keyframes, which FFmpeg's decoder does not report.

#ifndef KSR_MEDIA_AV_HEVC_QUANTIZER_H
#define KSR_MEDIA_AV_HEVC_QUANTIZER_H

#include "media/av/ffmpeg.h"

// Reads parameter sets and the header of the first slice. *qp: of that slice, on the scale of 8
// bits, which goes from below 0 to 51; of blocks it may differ. Packets are foreign bytes: nothing
// outside them is read. Returns false where there is no intra slice, or its header cannot be read.
bool ksr_hevc_quantizer(const AVCodecParameters *parameters, const AVPacket *packet, int *qp);

#endif
