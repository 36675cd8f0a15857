// Frames from all over a video, for those who find out what it looks like.

#ifndef KSR_MEDIA_INDEX_PLACES_H
#define KSR_MEDIA_INDEX_PLACES_H

#include "media/av/film.h"
#include "media/input/reader.h"

struct ksr_places {
    size_t count;   // places at most; each gives the first good frame from a keyframe on
    size_t turn;    // 1: in order; n: every n-th first, then those between; divides `count`
    bool keyframes; // of a video that cannot be entered: no other frames
    // Called once each, before any frame and after all; may be NULL.
    void (*opened)(void *opaque, ksr_reader *reader);
    void (*closing)(void *opaque, const ksr_reader *reader);
    // Called when the reader stands at a frame. quiet: hears of what fails. What fails at one place
    // may work at another; only KSR_E_NOMEM ends the visit.
    ksr_status (*look)(void *opaque, ksr_context *quiet, ksr_reader *reader);
    bool (*has_enough)(const void *opaque);
    void *opaque;
};

// Opens a video and looks at frames of it. One that cannot be entered is decoded from its start,
// 240 frames at most. Returns KSR_OK, KSR_E_CANCELLED, KSR_E_NOMEM (logged); what else fails, as
// opening, is not logged.
ksr_status ksr_places_visit(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            const struct ksr_places *places);

#endif
