// How much coding has damaged a video, and how strongly stage 1 should clean it up.
//
// Keyframes all over the video are decoded. Two things tell of damage, both in integers:
//
// - the quantizer, where FFmpeg's decoder hands it out (H.264, MPEG-1, -2 and -4 part 2, VP9), and
//   of HEVC (hevc_quantizer.h);
// - what the frames show (frame/noise.h), for all other codecs, and for what was coded before.
//
// The greater one counts, each after its share. Noise, grain and texture of the source are not
// damage.

#ifndef KSR_MEDIA_INDEX_DAMAGE_H
#define KSR_MEDIA_INDEX_DAMAGE_H

#include "frame/crawl.h"
#include "media/av/film.h"
#include "stages/deblock.h"
#include "stages/dehalo.h"

#define KSR_DAMAGE_MOST 50 // the highest strength that is ever found

struct ksr_damage {
    char codec[32];  // FFmpeg's name; "" where nothing could be looked at
    int strength;    // of stage 1, in hundredths: 0, or 10 .. KSR_DAMAGE_MOST in steps of 5
    char reason[48]; // in a word or two: "clean", "MPEG-2 noise", "no noise found"
    bool none;       // neither the quantizer nor the frames tell of any noise, before shares
};

// Percent of the strength that each of the two asks for: 100, or less for a network that removes
// such damage itself.
struct ksr_damage_share {
    int quantizer, shown;
};

// What else the same frames are asked for.
struct ksr_damage_more {
    struct ksr_blocks *blocks; // NULL: nobody asks
    struct ksr_halos *halos;   // likewise
    struct ksr_crawl *crawl;   // likewise; takes the frames behind those, too
};

// Looks at a video before a cut, a filter or a crop is planned: it is the same for all pieces of
// it. What cannot be decoded is passed over. Returns KSR_OK, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_damage_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           struct ksr_damage_share share, struct ksr_damage_more more,
                           struct ksr_damage *out);

#endif
