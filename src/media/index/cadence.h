// Which fields of a video were taken at the same moment: those of telecined film, of whole frames,
// and of interlaced video, in any order.

#ifndef KSR_MEDIA_INDEX_CADENCE_H
#define KSR_MEDIA_INDEX_CADENCE_H

#include "core/log.h"
#include "media/av/ffmpeg.h"

// What a moment belongs to.
enum ksr_cadence_kind {
    KSR_CADENCE_FILM,       // 24 frames a second, of two and three fields in turn
    KSR_CADENCE_VIDEO,      // 30 frames a second, of two fields
    KSR_CADENCE_INTERLACED, // 60 fields a second
    KSR_CADENCE_KINDS,
};

// Fields in a row that were taken at one moment. Field 2 * n is the first of frame n.
struct ksr_moment {
    size_t first;
    uint8_t count, kind;
};

// Frames that are measured one by one.
// Thread-safety: one thread at a time per object.
typedef struct ksr_cadence ksr_cadence;

// frames: how many will come at most. NULL when out of memory.
ksr_cadence *ksr_cadence_create(int width, int height, size_t frames);
void ksr_cadence_destroy(ksr_cadence **cadence);

// Measures the next frame; false where its format hides its samples, or it is of another size.
bool ksr_cadence_add(ksr_cadence *cadence, const AVFrame *frame, bool top_first);

// Takes the luma of a frame, or its green, in 8 bits, whatever its depth; rows have no gap. False
// as above.
bool ksr_cadence_luma(const AVFrame *frame, int width, int height, uint8_t *out);

// Finds the moments of all fields. Where flags tell players which fields to repeat (soft telecine),
// frames were never mixed: neither those, nor frames beside them that are flagged as progressive.
// Elsewhere: what costs least, if fields of one moment must not comb, if
// interlaced video is rare, and if changes of kind and cadence are. So a still goes on as what is
// around it. *moments: two for each frame at most, freed by the caller. Returns false when out of
// memory.
bool ksr_cadence_solve(ksr_cadence *cadence, struct ksr_moment **moments, size_t *count);

#endif
