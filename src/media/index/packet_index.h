// What video packets hold, by their headers: whether packets alone are an index of the frames.
//
// They are where each packet is one frame, shown at the packet's own timestamp. They are not where
// fields have packets of their own, or where the timestamps are those of decoding.

#ifndef KSR_MEDIA_INDEX_PACKET_INDEX_H
#define KSR_MEDIA_INDEX_PACKET_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "media/av/ffmpeg.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_coded ksr_coded;

// video: its parameters are copied. Returns NULL when out of memory.
ksr_coded *ksr_coded_create(const AVStream *video);
void ksr_coded_destroy(ksr_coded **coded);

// Looks at the next packet of the stream, in decode order. Returns how many frames it adds to those
// shown: 0 for a hidden frame, or the second field of a frame.
int ksr_coded_note(ksr_coded *coded, const AVPacket *packet);

// Returns why the frames must be found by decoding; NULL: packets tell them. For use after the last
// packet.
const char *ksr_coded_reason(const ksr_coded *coded);

// Returns how many packets were fields.
size_t ksr_coded_fields(const ksr_coded *coded);

// Returns how many frames of a VP8, VP9, AV1 or MPEG-4 packet are shown; 1 where its headers make
// no sense, and for other codecs. ticks: of MPEG-4, in a second; 0 = not known.
int ksr_coded_shown(enum AVCodecID codec, const uint8_t *data, size_t size, int ticks);

#endif
