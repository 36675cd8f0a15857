// Times of sound that a damaged container has wrong, found by the times around them.
//
// A packet says when it begins and how long it lasts. Where the next one begins later there is a
// hole, and nothing is wrong with it: sound may pause, with the picture or without. But where times
// leave the line and come back to it, as if nothing had been between, what is between has them
// wrong: the sound of those packets is exactly as long as the time that they leave.

// Where the clock of all streams restarts or jumps, they are put in line together (timeline.c).
// docs/timeline.md has the rules and their thresholds.

#ifndef KSR_MEDIA_INDEX_AUDIO_TIMESTAMPS_H
#define KSR_MEDIA_INDEX_AUDIO_TIMESTAMPS_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Collects the timestamps of the packets of all streams. Memory grows with the breaks, not with the
// length. Thread-safety: one thread at a time per object.
typedef struct ksr_jumps ksr_jumps;

// video: the stream that is upscaled.
// Returns a collection for an input, free with ksr_jumps_destroy(); NULL when out of memory.
ksr_jumps *ksr_jumps_create(const AVFormatContext *input, int video);
void ksr_jumps_destroy(ksr_jumps **jumps);

// Notes a packet, in the order of the file. Returns false when out of memory.
bool ksr_jumps_note(ksr_jumps *jumps, const AVPacket *packet);

// Fills film->jumps with what has to be added to which timestamps, film->falling and
// film->timeline. Returns false when out of memory.
bool ksr_jumps_judge(ksr_jumps *jumps, struct ksr_film *film);

// Applies film->jumps to packets that are read from the start of the file.
// Thread-safety: one thread at a time per object.
typedef struct ksr_mender ksr_mender;

// jumps: must outlive the object. streams: of the input. Returns NULL when out of memory.
ksr_mender *ksr_mender_create(const struct ksr_film_jump *jumps, size_t count, int streams);
void ksr_mender_destroy(ksr_mender **mender);

// Changes the timestamps of the next packet. Returns whether it stays.
bool ksr_mender_apply(ksr_mender *mender, AVPacket *packet);

#endif
