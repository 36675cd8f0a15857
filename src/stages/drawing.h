// At which size a picture was drawn before it was enlarged, and by which kernel.
//
// Lines of some frames are descaled to every size and enlarged again. What comes back differs from
// what was there by the detail that the size cannot hold, so errors fall slowly as sizes grow, with
// a sharp dip at the size of the drawing. Integers alone decide.

#ifndef KSR_STAGES_DRAWING_H
#define KSR_STAGES_DRAWING_H

#include "core/pool.h"
#include "stages/descale.h"

#define KSR_DRAWING_FRAMES 8   // that are looked at, at most
#define KSR_DRAWING_LEAST  540 // rows of frames that are looked at; smaller ones are found nothing in

struct ksr_drawing {
    int width, height; // 0: none was found
    enum ksr_kernel kernel;
    int frames;       // that were looked at
    int depth;        // the error at this size, in thousandths of that around it; 1000: no dip
    int first, count; // heights of the curve
    int *curve;       // error at each height, in 1/1000 codes of 8 bits, of the middle line; owned
};

typedef struct ksr_drawing_search ksr_drawing_search;

// Returns an object for frames of this size; NULL when out of memory. Free with
// ksr_drawing_search_destroy(), which accepts a pointer to NULL.
ksr_drawing_search *ksr_drawing_search_create(int width, int height);
void ksr_drawing_search_destroy(ksr_drawing_search **search);

// Adds lines of a frame. Returns whether they are used: not those of frames without detail, nor
// more frames than KSR_DRAWING_FRAMES.
bool ksr_drawing_add(ksr_drawing_search *search, const struct ksr_plane *luma);

// Finds the size. pool: may be NULL. *out: to be freed with ksr_drawing_free().
// Returns false when out of memory.
bool ksr_drawing_find(ksr_drawing_search *search, ksr_pool *pool, struct ksr_drawing *out);

// Frees what a result owns, and leaves it all zero.
void ksr_drawing_free(struct ksr_drawing *drawing);

#endif
