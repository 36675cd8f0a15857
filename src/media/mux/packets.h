// The packets of the streams that go along, cut to the film's time.

#ifndef KSR_MEDIA_MUX_PACKETS_H
#define KSR_MEDIA_MUX_PACKETS_H

#include "media/av/film.h"
#include "media/input/input.h"

// What is left of a whole film; all zero = all of it, as it is.
struct ksr_cut {
    bool on;
    AVRational base;                   // of the two times below
    int64_t from, to;                  // in the whole film's time; `from` becomes 0
    const struct ksr_film_jump *jumps; // to be put in line before that; of the film
    size_t jump_count;
};

// Returns the cut that a film stands for, which must outlive it.
struct ksr_cut ksr_cut_of(const struct ksr_film *film);

// Reads packets of an input from its start, each cut and moved as its kind asks for:
// audio and data that reach into the cut are whole; subtitles are shortened to it, and one without
// a length that is still shown at its start begins there; other video begins with its first
// keyframe; cover pictures stay.
// Thread-safety: one thread at a time per object.
typedef struct ksr_packets ksr_packets;

// input: open, must outlive the object. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_packets_create(ksr_context *ctx, struct ksr_input *input, const struct ksr_cut *cut,
                              ksr_packets **out);
void ksr_packets_destroy(ksr_packets **packets);

// Reads the next packet of any stream that is not discarded. Returns false at the end.
bool ksr_packets_next(ksr_packets *packets, AVPacket *out);

// Returns whether packets are missing for want of memory: then the end was none.
bool ksr_packets_starved(const ksr_packets *packets);

#endif
