// Dot crawl: what is left in luma of the chroma of composite video (NTSC), as a figure.
//
// The subcarrier is reversed from frame to frame and from line to line of a field, and has a period
// of 3.77 samples. So where a drawing is held, the difference of two frames in a row is that
// carrier: two samples further along a row, and two rows further down, it is its own negative; four
// rows further down it is itself again. Noise of coding and grain are like that only by chance.

#ifndef KSR_FRAME_CRAWL_H
#define KSR_FRAME_CRAWL_H

#include <stdbool.h>

#include "frame/frame.h"

// What pairs of frames say. All zero = nothing has been looked at.
struct ksr_crawl {
    int64_t blocks; // of 16x16 samples that are held and differ nevertheless
    int64_t crawl;  // of them, those that differ by a subcarrier
};

// Adds two planes of luma, of frames in a row, of one size. Blocks are held where no mean of 4x4
// samples changes by more than a code of 8 bits, and differ by a code on average (of squares).
void ksr_crawl_add(struct ksr_crawl *crawl, const struct ksr_plane *first,
                   const struct ksr_plane *second);

// Returns whether these frames have dot crawl: at a tenth of at least 64 blocks.
// docs/stages.md has the shares of clean and of composite video.
bool ksr_crawl_found(const struct ksr_crawl *crawl);

#endif
