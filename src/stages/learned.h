// Stage 3 for luma: 2x upscaling with learned filters, selected for each sample. turn.c has step 1,
// bank.c step 3, patch.c the others.
//
// 1. Turn. Gradients are summed over the surrounding 9x9 samples: their squares along x and along
//    y, their product, and the first moment of their energy. They select one of the eight
//    symmetries of the square, so that the gradient runs mostly along x, rises or falls along both
//    axes together, and lies mostly to the right. All following steps see the surrounding 5x5
//    samples turned in this way, as differences from the middle sample.
// 2. Class. A list of splits, each of which compares a feature (a difference of samples in line, a
//    depth, a curvature) with a fraction of the range of the 5x5 samples.
// 3. Filter. Four int16 filters of 24 taps in 1/8192 per class, for the four outputs:
//
//        v = (sum of coefficient * difference + 4096) >> 13
//
// 4. Limit. The middle sample plus v, limited to the range of the surrounding 3x3 samples, extended
//    downwards by half the depth of a valley through the middle (how much both of two opposite
//    neighbours are above it, at most over four directions), and upwards for a crest: a step edge
//    cannot ring, a thin line keeps its depth.
// 5. Neighbours. Each of the four outputs is limited to the range of the other three and of the
//    three samples on its side, extended by 3/16 either way: fewer specks where classes disagree.
//
// Why so: turning first lets one class serve eight directions, which divides the size of the bank
// and of the training by eight, and makes mirrored input give mirrored output. Features are
// compared with the local range, never with absolute values, so the result scales with contrast,
// and filters trained on one brightness work on all. Limits in steps 4 and 5 hold for any
// coefficients: a bank can be trained freely without risking ringing.
//
// What would break it: the splits, the filters and the arithmetic belong together. Another rounding
// or sum in steps 1 and 2 moves samples to classes that were not trained for them, which looks like
// noise, not like an error; so does another order of features. A tie (a sum of exactly 0) must go
// the same way everywhere, or levels and GPUs differ. Flat areas are exact because all differences
// are 0; ramps are straight only because the filters of their classes were trained so.

#ifndef KSR_STAGES_LEARNED_H
#define KSR_STAGES_LEARNED_H

#include "frame/frame.h"

#define KSR_LEARNED_REACH 5 // input rows above and below row y / 2 that make output row y

// Fills rows y0 .. y1-1 of dst, which is at most twice as wide and high as src.
void ksr_learned_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);

#endif
