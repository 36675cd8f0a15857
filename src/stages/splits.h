// What the splits of the learned filters compare; see learned.h.

#ifndef KSR_STAGES_SPLITS_H
#define KSR_STAGES_SPLITS_H

#include <stdint.h>

// The numerators of splits; their denominator is the range of the patch. In the turned patch, with
// the signs of all differences turned so that it rises from left to right.
enum feature {
    INNER_DEPTH,  // from the middle to the nearer end of the 3x3 range
    OUTER_DEPTH,  // and of the patch's
    INNER_RANGE,  // of 3x3
    LEFT,         // middle less left
    RIGHT,        // right less middle
    FAR_RIGHT,    // the next step to the right
    FAR_LEFT,     // and to the left
    ACROSS,       // half the second difference along x
    ALONG,        // and along y
    ALONG_SIZE,   // its size
    LAPLACE,      // size of half the sum of both
    SLOPE,        // size of right less left
    SLOPE_Y,      // below less above
    TOP_LEFT,     // neighbours less the middle
    TOP_RIGHT,    //
    BOTTOM_LEFT,  //
    BOTTOM_RIGHT, //
    UP,           //
    DOWN,         //
    DIAGONAL,     // size of half the second difference to the bottom right
    DIAGONAL_2,   // and to the top right
    FEATURES
};

// Samples of class `from` go to class `to` where the feature is at least threshold / 32768 of the
// range.
struct split {
    int16_t from, feature, threshold, to;
};

#include "stages/learned_splits.h"

#define SPLITS ((int)(sizeof(splits) / sizeof(splits[0])))

#endif
