// Times of sound that a damaged container has wrong, found by the times around them.
//
// A packet says when it begins and how long it lasts. Where the next one begins later there is a
// hole, and nothing is wrong with it: sound may pause, with the picture or without. But where times
// leave the line and come back to it, as if nothing had been between, what is between has them
// wrong: the sound of those packets is exactly as long as the time that they leave.

#ifndef KSR_MEDIA_JUMPS_H
#define KSR_MEDIA_JUMPS_H

#include "media/ffmpeg.h"
#include "media/film.h"

// Collects the packets' times of all sound tracks. Memory grows with the holes, not with the film.
// Thread-safety: one thread at a time per object.
typedef struct ksr_jumps ksr_jumps;

// Returns a collection for an input, free with ksr_jumps_destroy(); NULL when out of memory.
ksr_jumps *ksr_jumps_create(const AVFormatContext *input);
void ksr_jumps_destroy(ksr_jumps **jumps);

// Notes a packet, in the order of the file; of other streams than sound, nothing.
// Returns false when out of memory.
bool ksr_jumps_note(ksr_jumps *jumps, const AVPacket *packet);

// Fills film->jumps with what has to be added to which times, and film->falling.
// Returns false when out of memory.
bool ksr_jumps_judge(const ksr_jumps *jumps, struct ksr_film *film);

#endif
