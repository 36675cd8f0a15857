// A part of a picture, turned by quarters or mirrored.

#ifndef KSR_FRAME_GEOMETRY_H
#define KSR_FRAME_GEOMETRY_H

#include "core/pool.h"
#include "frame/rows.h"

// All zero: the whole picture as it is.
struct ksr_geometry {
    int width, height;           // of the whole picture; 0 = nothing is done
    int x, y;                    // of the part's first luma sample, on the grid of its chroma
    int part_width, part_height; // before it is turned
    bool transposed;             // rows become columns
    bool mirrored_x, mirrored_y; // then left and right, top and bottom are exchanged
};

// Returns whether the part is turned or mirrored.
bool ksr_geometry_turns(const struct ksr_geometry *geometry);

// Writes the layout of the whole picture, of which `made` is what the geometry makes.
void ksr_geometry_whole(const struct ksr_geometry *geometry, const struct ksr_layout *made,
                        struct ksr_layout *whole);

// Applies a geometry to pictures.
// Thread-safety: one thread at a time per object.
typedef struct ksr_turner ksr_turner;

// made: the layout that comes out. pool: may be NULL. Free with ksr_turner_destroy().
// Returns NULL when out of memory.
ksr_turner *ksr_turner_create(const struct ksr_geometry *geometry, const struct ksr_layout *made,
                              ksr_pool *pool);
void ksr_turner_destroy(ksr_turner **turner);

// Takes the rows of a whole picture. Samples are moved as they are; only where the chroma of a
// mirrored picture then sits beside its place is it resampled.
// Returns a source that is valid until the next call and, where nothing is turned, as long as
// `whole` is.
struct ksr_row_source ksr_turner_run(ksr_turner *turner, const struct ksr_row_source *whole);

#endif
