// Which variant of a network suits a video.
//
// A network that chooses (net/model.h) looks at parts of frames from all over the video, those with
// the most detail: what it gives for them, less what they are, are votes.

#ifndef KSR_MEDIA_INDEX_VARIANT_H
#define KSR_MEDIA_INDEX_VARIANT_H

#include "media/av/film.h"
#include "net/net.h"

// What a network says of parts of frames. All zero = nothing has been looked at.
struct ksr_votes {
    int64_t of[KSR_MODEL_VARIANTS - 1]; // for all but the first, in working samples
    int64_t samples;                    // that were looked at
};

// Returns the variant that has the most votes, 0 where none has enough of them.
int ksr_votes_choose(const struct ksr_votes *votes, int variants);

// Looks at frames from all over the video, whatever range or crop of it is wanted. What cannot be
// decoded is passed over. chooser: the network that chooses. *chosen: index of a variant; 0 where
// nothing is clear. Returns KSR_OK, KSR_E_NOMEM (logged), KSR_E_CANCELLED.
ksr_status ksr_variant_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            const ksr_net *chooser, int *chosen);

#endif
