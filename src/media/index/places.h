// Frames from all over a video, for those who find out what it looks like.

#ifndef KSR_MEDIA_INDEX_PLACES_H
#define KSR_MEDIA_INDEX_PLACES_H

#include "media/av/film.h"
#include "media/input/reader.h"

struct ksr_places {
    const struct ksr_film *film;
    ksr_reader *reader; // of the film
    size_t count;       // places at most; each gives the first good frame from a keyframe on
    size_t turn;        // 1: in order; n: every n-th first, then those between; divides `count`
    bool keyframes;     // of a video that cannot be entered: no other frames
    // Called when the reader stands at a frame. What fails at one place may work at another; only
    // KSR_E_NOMEM ends the visit.
    ksr_status (*look)(void *opaque);
    bool (*has_enough)(const void *opaque);
    void *opaque;
};

// ctx: hears of what fails, usually a quiet one. run: whose cancelling counts.
// A video that cannot be entered is decoded from its start, 240 frames at most.
// Returns KSR_OK, KSR_E_CANCELLED or KSR_E_NOMEM.
ksr_status ksr_places_visit(ksr_context *ctx, const ksr_context *run, const struct ksr_places *p);

#endif
