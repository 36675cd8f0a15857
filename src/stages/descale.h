// Descaling: a plane that was enlarged along each axis by a known kernel, back at the size at which
// it was drawn.
//
// An enlarged line is A x, where row y of A has the kernel's weights around (y + 1/2) h / H - 1/2.
// The least squares solution of A x = s is x = P s with P = (A^T A)^-1 A^T. A^T A is a band, so its
// factors L D L^T are computed once for an axis, in integers of 64 bits, and rows of P follow from
// two sweeps each. They fall off fast, so they are kept as integer filters of a few dozen taps, and
// every sample is made of its surroundings alone. docs/stages.md has the figures.

#ifndef KSR_STAGES_DESCALE_H
#define KSR_STAGES_DESCALE_H

#include <stdbool.h>

#include "frame/frame.h"
#include "frame/kernel.h"

#define KSR_DESCALE_LEAST   16 // samples of a drawn line, at least,
#define KSR_DESCALE_MOST    3  // and how many times they may have been enlarged; not by less than
                               // 16/15: samples half-way between two hold too little of either
#define KSR_DESCALE_PADDING 16 // taps come in groups of as many

// How the samples of a line are made of those of another: sample i is the sum of `taps` weights,
// in units of 1 / (1 << bits), times samples first[i] and on. All weights of a sample add up to 1;
// those of samples that do not exist are 0.
struct ksr_descale_axis {
    int size; // samples made
    int taps; // a multiple of KSR_DESCALE_PADDING
    int bits;
    int *first;
    int16_t *weights; // `taps` for each sample
};

// Makes the axis that enlarges `from` samples to `to`, or, where `to` is the smaller one, that
// undoes this; the identity where they are equal. The smaller one has at least KSR_DESCALE_LEAST
// samples, the larger at most 65535, and 16/15 to KSR_DESCALE_MOST times as many. Free with
// ksr_descale_axis_free(), which accepts an axis that is all zero. Returns false when out of
// memory.
bool ksr_descale_axis_make(struct ksr_descale_axis *axis, enum ksr_kernel kernel, int from, int to);
void ksr_descale_axis_free(struct ksr_descale_axis *axis);

// Returns how many bytes ksr_descale_rows() needs for planes of this width, zeroed once.
size_t ksr_descale_scratch(int width);

// Fills rows y0 .. y1-1 of dst from the whole of src: columns first, rounded to samples, then rows.
void ksr_descale_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_descale_axis *x, const struct ksr_descale_axis *y,
                      void *scratch, int y0, int y1);

#endif
