// Indexing: one pass over a file finds every frame of its video stream, and what the frames look
// like.
//
// That pass is enough when every packet that will be shown is one frame with its own valid
// timestamp: then a frame is known by its timestamp, and a worker may seek. Otherwise (fields that
// are packets, timestamps that are those of decoding, or none) the video is decoded once, and a
// frame is known by its place in that linear decode (`linear`).
//
// The folder media/index:
//   takes        a path and the configuration
//   gives        a struct ksr_film: every frame, and what is known of the whole video
//   may include  media/input and below

#ifndef KSR_MEDIA_INDEX_INDEX_H
#define KSR_MEDIA_INDEX_INDEX_H

#include "media/av/film.h"

// Indexes a file; reads it once, or twice where it must be decoded. tolerant: a file that ends
// in the middle is taken as far as it goes, with a warning, instead of failing.
// Logs a warning for what was repaired. Free with ksr_film_free().
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_film_index(ksr_context *ctx, const char *path, bool tolerant, struct ksr_film *out);

// The same of another video stream: its number among them, from 1; 0 = the default one, else the
// first. Returns KSR_E_PARAM also where there are fewer (logged).
ksr_status ksr_film_index_video(ksr_context *ctx, const char *path, int video, bool tolerant,
                                struct ksr_film *out);

// Takes the format of all frames from those that ksr_film_cut() with these times will leave.
void ksr_film_focus(struct ksr_film *film, int64_t start, int64_t duration);

// Cuts the film to the frames at or after `start`, counted from its first frame, and before
// start + duration, both in microseconds; duration < 0: to its end. The first one left is then at
// time 0.
// Returns KSR_OK, KSR_E_PARAM (no frame is left; logged).
ksr_status ksr_film_cut(ksr_context *ctx, struct ksr_film *film, int64_t start, int64_t duration);

// Adds the streams of subtitle files to an input that was indexed. subs: a list (external.h);
// NULL or "" = none.
// Returns KSR_OK, KSR_E_INPUT (logged), KSR_E_NOMEM.
ksr_status ksr_film_add_subs(ksr_context *ctx, const char *path, const char *subs,
                             struct ksr_film *film);

// Gives a film that is an image sequence, whose times are numbers of frames, another rate than 24.
void ksr_film_set_rate(struct ksr_film *film, struct ksr_rational rate);

#endif
