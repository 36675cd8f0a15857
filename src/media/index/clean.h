// Whether a source that its codec and its noise do not tell of is clean, as two networks see it:
// one that learned from damaged sources, and one for clean ones.
//
// What a network does to the source itself, and not between its samples, shows when its output is
// reduced again. Both take away what they hold for noise, the one for damaged sources more of it;
// on a clean source there is none, and of what remains, such as how they hold it to have been
// reduced, they share less.

#ifndef KSR_MEDIA_INDEX_CLEAN_H
#define KSR_MEDIA_INDEX_CLEAN_H

#include "media/av/film.h"
#include "net/net.h"

// What the networks change of the source, reduced again: sums over samples of parts of frames, in
// units of a quarter of a working sample. All zero = nothing was looked at.
struct ksr_changes {
    int64_t damaged, clean; // squares of what each changes
    int64_t both;           // products
};

// What they tell, in percent.
struct ksr_clean {
    int doubt; // how much of what the network for clean sources changes the other one changes, too:
               // over 100 where it takes away the same, but more of it. KSR_DOUBT_MOST where there
               // is nothing to see
    int alike; // the same, times the share of the other's change: 100 where both change the same,
               // however much
};

#define KSR_DOUBT_MOST 1000

struct ksr_clean ksr_changes_judge(const struct ksr_changes *changes);

// Looks at parts of frames (parts.h). Returns KSR_OK, KSR_E_NOMEM (logged), KSR_E_CANCELLED.
ksr_status ksr_clean_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                          const ksr_net *for_damaged, const ksr_net *for_clean,
                          struct ksr_clean *out);

#endif
