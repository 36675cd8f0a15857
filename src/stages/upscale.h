// Stage 3: twice the size by a separable eight-tap polyphase filter, without ringing.
//
// Output sample j of an axis lies at input position j/2 - s, and is made of eight input samples
// around input sample i = j / 2: i-4 .. i+3 for even j, i-3 .. i+4 for odd j (edges replicate).
// The shift s is 1/4 for luma, alpha and centred chroma, 1/8 for chroma that is subsampled by 2
// and co-sited with luma on this axis, 1/16 where subsampled by 4.
//
//     column:  t = ((sum of cy * sample + 8192) >> 14) - 16384      for every input column
//     row:     v = ((sum of cx * t      + 8192) >> 14) + 16384
//     result:  v, limited to the smallest and largest of the 3x3 input samples around
//              (jx / 2, jy / 2)
//
// Coefficients are int16 in units of 1/16384; each set adds up to 16384, and its centre of gravity
// is exactly the phase, so flat areas and ramps come out exact. The parts below zero of a column
// set add up to more than -8192, so t always fits int16.

#ifndef KSR_STAGES_UPSCALE_H
#define KSR_STAGES_UPSCALE_H

#include "frame/frame.h"

#define KSR_UPSCALE_TAPS 8
#define KSR_UPSCALE_BITS 14

// Row y of dst is made of rows y / 2 - KSR_UPSCALE_REACH .. y / 2 + KSR_UPSCALE_REACH of src.
#define KSR_UPSCALE_REACH 4

// The coefficients of one axis: for even and for odd output samples.
struct ksr_upscale_filter {
    int16_t tap[2][KSR_UPSCALE_TAPS];
};

struct ksr_upscale_params {
    const struct ksr_upscale_filter *x, *y;
};

// Returns the filters for plane i of a layout.
struct ksr_upscale_params ksr_upscale_params_make(const struct ksr_layout *layout, int i);

// Fills rows y0 .. y1-1 of dst, which is at most twice as wide and high as src (one sample less
// where an odd picture's chroma was rounded up).
void ksr_upscale_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_upscale_params *params, int y0, int y1);

#endif
