// How much noise of block coding a picture shows, in integers alone.
//
// Coding leaves ripples around edges, and they end where the block of 8x8 samples ends. So a smooth
// cell beside an edge is rougher where both are in one block than where a block ends between them.
// Texture, hatching and grain know no blocks: they are as rough on either side.

#ifndef KSR_FRAME_NOISE_H
#define KSR_FRAME_NOISE_H

#include "frame/frame.h"

#define KSR_NOISE_TILES 1024 // parts of pictures that are remembered

// What parts of pictures show. All zero = nothing has been looked at.
struct ksr_noise {
    int count[2];                   // parts that tell something: between columns, between rows
    int excess[2][KSR_NOISE_TILES]; // of each: working samples by which it is rougher within blocks
};

// Adds what a plane of luma shows, whose blocks begin at its first sample. Any size from 1x1 up.
void ksr_noise_add(struct ksr_noise *noise, const struct ksr_plane *luma);

// Returns by how many working samples two thirds of all parts are rougher within blocks, between
// columns and between rows; 0 where none are, or too few parts tell.
int ksr_noise_excess(const struct ksr_noise *noise);

#endif
