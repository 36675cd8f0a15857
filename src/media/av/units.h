// Splitting packets into their units: H.264 and H.265 with lengths or start codes, MPEG-1, 2 and 4
// and VC-1 with start codes. Packets are foreign bytes: nothing outside them is read.

#ifndef KSR_MEDIA_AV_UNITS_H
#define KSR_MEDIA_AV_UNITS_H

#include "media/av/ffmpeg.h"

struct ksr_bytes {
    const uint8_t *at, *end;
};

// Returns the bytes of the length field before each unit of H.264 or H.265, from the stream's
// extradata; 0 = units have start codes.
int ksr_unit_length_size(const AVCodecParameters *parameters);

// Takes the next unit off a packet, without its start code or length. length_size: as above.
// Returns false when there is none, or what follows is damaged.
bool ksr_unit_next(struct ksr_bytes *packet, int length_size, struct ksr_bytes *unit);

#endif
