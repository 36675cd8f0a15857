// Stage 3 for luma: twice the size by learned filters, chosen sample by sample.
//
// 1. Turn. Gradients are summed over the 9x9 samples around: their squares along x and along y,
// their
//    product, and the first moment of their energy. Of the eight symmetries of the square, the one
//    is taken that makes the gradient run mostly along x, rise or fall along both axes together,
//    and lie mostly to the right. All that follows sees the 5x5 samples around, turned so, as
//    differences to the middle one; so mirrored pictures give mirrored results, and one class
//    serves eight directions.
// 2. Class. A short list of splits, each of which compares a feature (a difference of samples that
//    lie in line, a depth, a curvature) with a share of the range of the 5x5 samples. No split
//    looks at absolute size: the result scales with contrast.
// 3. Filter. Four int16 filters of 24 taps in 1/8192 per class, for the four outputs:
//
//        v = (sum of coefficient * difference + 4096) >> 13
//
// 4. Limit. The middle sample plus v, limited to the range of the 3x3 samples around, which is
//    widened downwards by half the depth of a valley through the middle (how much both of two
//    opposite neighbours are above it, at most over four directions), and upwards for a crest: a
//    step edge cannot ring, a thin line keeps its depth.
// 5. Neighbours. Each of the four outputs is limited to the range of the other three and of the
//    three samples on its side, widened by 3/16 either way: fewer specks where classes disagree.
//
// Flat areas come out exact; ramps come out straight since the classes that see them were trained
// so.

#ifndef KSR_STAGES_LEARNED_H
#define KSR_STAGES_LEARNED_H

#include "frame/frame.h"

#define KSR_LEARNED_REACH 5 // input rows above and below row y / 2 that make output row y

// Fills rows y0 .. y1-1 of dst, which is at most twice as wide and high as src.
void ksr_learned_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);

#endif
