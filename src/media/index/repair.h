// Timestamps of frames that are missing or wrong, one by one: each gets one between its neighbours.

#ifndef KSR_MEDIA_INDEX_REPAIR_H
#define KSR_MEDIA_INDEX_REPAIR_H

#include "media/av/film.h"

// Whether a timestamp of a file is one: it is there, and it is not absurd.
bool ksr_film_is_time(int64_t time);

// Returns the distance of two frames that half of them do not exceed, where there are any that
// rise, else what the frame rate says; 0 when out of memory.
int64_t ksr_film_usual_step(const struct ksr_film *film);

// Whether the order of the timestamps, which rise, may not be that of the frames: among frames at a
// constant distance, few are so near to the one before, or one is far from all others, that they
// seem to be in a wrong place. usual: the distance.
bool ksr_film_looks_misplaced(const struct ksr_film *film, int64_t usual);

// Gives every frame a time above the one before and a duration of at least one tick, and counts
// what it had to change in film->repaired. Right timestamps keep their values. Returns false when
// out of memory.
bool ksr_film_repair(struct ksr_film *film);

#endif
