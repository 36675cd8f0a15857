// Chroma back in its place beside luma, on the grid of the drawing: the input's, or what descaling
// makes of it.
//
// Both planes of chroma move by the same distance, in sixteenths of their own samples. What lies
// between samples is made by eight taps, a sinc under a Kaiser window of beta 4:
//
//     column:  t = ((sum of cy * sample + 8192) >> 14) - 16384      for every input column
//     row:     v = ((sum of cx * t      + 8192) >> 14) + 16384, limited to 0 .. 32767
//
// Coefficients are in units of 1/16384; each set adds up to 16384, and its centre of gravity is
// exactly the place, so flat areas and ramps come out exact, and whole samples are copied. Edges
// replicate.

#ifndef KSR_STAGES_CHROMA_SHIFT_H
#define KSR_STAGES_CHROMA_SHIFT_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_CHROMA_SHIFT_TAPS 8

struct ksr_chroma_shift_params {
    int x, y; // how far to the right and down, in sixteenths of a sample of chroma
};

// Returns the integer parameters for chroma of layout `drawn`, of which `input` was made.
struct ksr_chroma_shift_params
ksr_chroma_shift_params_make(const struct ksr_pipeline_config *config,
                             const struct ksr_layout *input, const struct ksr_layout *drawn);

// Return whether there is anything to do, and how many rows of src are read above and below a row
// of dst.
bool ksr_chroma_shift_active(const struct ksr_chroma_shift_params *params);
int ksr_chroma_shift_reach(const struct ksr_chroma_shift_params *params);

// What an axis that is shifted by `shift` reads: sample i is made of the eight samples from
// i + first on.
struct ksr_chroma_shift_axis {
    int first;
    int16_t tap[KSR_CHROMA_SHIFT_TAPS];
};
struct ksr_chroma_shift_axis ksr_chroma_shift_axis_make(int shift);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_chroma_shift_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_chroma_shift_params *params, int y0, int y1);

#endif
