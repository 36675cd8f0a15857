// Parts of frames from all over a video, those with the most detail, for networks to look at.

#ifndef KSR_MEDIA_INDEX_PARTS_H
#define KSR_MEDIA_INDEX_PARTS_H

#include "media/av/film.h"
#include "net/net.h"
#include "stages/dispatch.h"

// A part, and what lies around it as far as networks see.
struct ksr_part {
    struct ksr_plane seen;
    int top, left, width, height; // of the part, in it
};

struct ksr_parts {
    int reach; // of the networks that look
    void (*look)(void *opaque, const struct ksr_part *part);
    void *opaque;
};

// Visits up to 16 parts, whatever range or crop of the video is wanted. What cannot be decoded, and
// parts that show nothing, are passed over. *frames: how many were looked at.
// Returns KSR_OK, KSR_E_NOMEM (logged), KSR_E_CANCELLED.
ksr_status ksr_parts_visit(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           const struct ksr_parts *parts, int *frames);

// What a network makes of parts, and what it works in.
struct ksr_part_output {
    const ksr_net *net;
    struct ksr_stage_table table;
    struct ksr_frame large; // twice the size of what is seen, around the part alone
    void *scratch;
};

// Returns false when out of memory. reach: as in struct ksr_parts. Free it in either case.
bool ksr_part_output_alloc(struct ksr_part_output *out, const ksr_net *net, int reach);
void ksr_part_output_free(struct ksr_part_output *out);

// Has the network enlarge a part. Sample (x, y) of what is seen becomes four at (2x, 2y).
struct ksr_plane ksr_part_enlarge(struct ksr_part_output *out, const struct ksr_part *part);

#endif
