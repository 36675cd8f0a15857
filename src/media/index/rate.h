// The constant frame rate that coarse ticks of a container hide.

#ifndef KSR_MEDIA_INDEX_RATE_H
#define KSR_MEDIA_INDEX_RATE_H

#include "media/av/film.h"

// Finds the exact rate, such as 24000/1001, at which every frame is shown within a tick or a
// millisecond, whichever is longer. Returns false where the rate varies; *rate: then the likeliest.
bool ksr_film_find_rate(const struct ksr_film *film, struct ksr_rational *rate);

// Gives every frame its exact time at a rate, from the first one on.
void ksr_film_make_constant(struct ksr_film *film, struct ksr_rational rate);

// Returns whether all frames are equally far apart, to a tick.
bool ksr_film_is_even(const struct ksr_film *film);

#endif
