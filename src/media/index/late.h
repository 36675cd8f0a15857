// Streams that come late: a demuxer of a container without a full header (transport and program
// streams, FLV) knows a stream, or what is in it, only when its first packet has come by, which may
// be behind what FFmpeg looks at when it opens a file. The index finds them and says how far an
// opening must look (ksr_film.probe) so that all of them are known.

#ifndef KSR_MEDIA_INDEX_LATE_H
#define KSR_MEDIA_INDEX_LATE_H

#include "media/av/ffmpeg.h"
#include "media/container/output_plan.h"

struct ksr_late {
    int known;      // streams when the file was opened
    int64_t needed; // how far it must look; 0 = it has looked far enough
    bool seen[KSR_MAX_STREAMS];
    bool incomplete[KSR_MAX_STREAMS]; // of those, what FFmpeg's look did not find enough about
    int lost;                         // streams that no opening made known
    char labels[4][96];
};

// Begins with an input that has just been opened.
void ksr_late_begin(struct ksr_late *late, const AVFormatContext *input);

// Notes a packet that has just been read.
void ksr_late_note(struct ksr_late *late, const AVFormatContext *input, const AVPacket *packet);

// Returns how far the next opening has to look, when the last one looked as far as `probe`; 0 = no
// farther.
int64_t ksr_late_probe(const struct ksr_late *late, int64_t probe);

// Warns of streams that stay unknown.
void ksr_late_warn(ksr_context *ctx, const struct ksr_late *late);

#endif
