// How a film was scanned: whether its frames show two fields each, or that telecine made them.

#ifndef KSR_MEDIA_INDEX_SCAN_H
#define KSR_MEDIA_INDEX_SCAN_H

#include "media/av/film.h"

// What was seen in the frames of a film.
struct ksr_scan {
    int seen, repeating;         // frames; those of which a player is told to repeat a field
    int moving;                  // frames in which something moves
    int top, bottom;             // of those, frames that repeat this field
    int top_first, bottom_first; // frames of two fields, taken in this order
    int whole;                   // frames whose fields were taken together
    int lit;                     // frames that are not black
    int border[4];               // black lines that they all have: left, right, top, bottom
};

// Looks at up to 192 frames: of a long film at four places, of a short one at its beginning and
// from a keyframe before its middle on. Sets film->telecined (only in films that are marked as
// interlaced or run at the rate that telecine makes, 29.97 frames per second) and, in films that
// are not marked as interlaced, film->unmarked_fields and film->format.bottom_first.
// film->single_fields: frames are marked as single fields, and do not look like two. film->content:
// the part that is left of frames without black borders, if they have some. Image sequences are not
// looked at. Returns KSR_OK, or why nothing could be looked at (KSR_E_INPUT, KSR_E_NOMEM, ...;
// logged).
ksr_status ksr_scan_film(ksr_context *ctx, const char *path, struct ksr_film *film);

// The same in two steps: looking, and what it means.
ksr_status ksr_scan_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                         struct ksr_scan *out);
void ksr_scan_judge(ksr_context *ctx, const struct ksr_scan *scan, struct ksr_film *film);

#endif
