// Where the audio of a track begins and ends: measured on decoded frames, since the packets of many
// containers have no lengths or wrong ones.

#ifndef KSR_MEDIA_COMPARE_EXTENT_H
#define KSR_MEDIA_COMPARE_EXTENT_H

#include "media/input/input.h"

// Milliseconds. All zero before the first frame.
struct ksr_extent {
    double start, end;
    double longest; // frame
    double hole;    // the longest stretch without a frame in between
    int64_t frames;
};

// Decodes a track packet by packet.
// Thread-safety: one thread at a time per object.
struct ksr_extent_meter {
    struct ksr_extent extent;
    AVCodecContext *decoder;
    AVFrame *frame;
    double tick;
    int64_t time; // of the last frame, in ticks of the stream: one that stands still tells nothing
    double next;  // by its time, where the next frame begins if none is missing
};

// Returns KSR_OK, KSR_E_INPUT (no audio; or no decoder, which is logged), KSR_E_NOMEM. To be closed
// also after a failure.
ksr_status ksr_extent_open(ksr_context *ctx, const AVStream *stream,
                           struct ksr_extent_meter *meter);
void ksr_extent_close(struct ksr_extent_meter *meter);

// packet: NULL at the end. Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_extent_send(ksr_context *ctx, struct ksr_extent_meter *meter,
                           const AVPacket *packet);

#endif
