// How one axis of a picture is cut into overlapping tiles.
//
// All tiles are of one size, so the runtime plans once; it is the smallest with which as many tiles
// cover the picture as of the size wanted. A result is kept from the tile in which it
// has most picture around it: neighbours part in the middle of their overlap. Tiles start at
// multiples of what the model wants, so a model that works on groups of samples sees the same
// groups in every tile; the last tile may reach beyond the picture, which goes on there by
// repeating its last sample.

#ifndef KSR_NET_TILES_H
#define KSR_NET_TILES_H

struct ksr_tiling {
    int length;      // of the picture
    int size;        // of a tile; a multiple of what the model wants
    int step;        // from one tile's start to the next
    int count, last; // tiles, and where the last one starts
};

// What a tile reads, from start to start + size - 1, and whose results are kept, from .. to - 1.
struct ksr_tile {
    int start, from, to;
};

// size: at most, and at least two of `multiple`; a picture that is smaller gets one tile of its own
// size. multiple: what sizes are multiples of. fixed: the size is the only one the model takes. An
// overlap above half of the size counts as that half.
struct ksr_tiling ksr_tiling_make(int length, int size, int overlap, int multiple, int fixed);
struct ksr_tile ksr_tiling_tile(const struct ksr_tiling *tiling, int i);

#endif
