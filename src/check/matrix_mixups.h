// How colours are coded, and what it looks like when they are read with other terms.

#ifndef KSR_CHECK_MATRIX_MIXUPS_H
#define KSR_CHECK_MATRIX_MIXUPS_H

#include <stdint.h>

#include "frame/frame.h"
#include "media/av/film.h"

// What may have become of the colours of a whole film.
enum ksr_colour_case {
    KSR_COLOUR_SAME,
    KSR_COLOUR_601_AS_709, // coded with the one matrix, read with the other
    KSR_COLOUR_709_AS_601,
    KSR_COLOUR_STRETCHED, // limited range read as full
    KSR_COLOUR_SQUEEZED,  // full range read as limited
    KSR_COLOUR_CASES,
};

// What code values mean: weights of red and blue in luma, and the range, in working samples.
struct ksr_colours {
    double kr, kb; // 0 where there is no matrix
    double black, luma, chroma;
};

// bits: depth of the code values.
void ksr_colours_terms(const struct ksr_video_format *format, int bits, struct ksr_colours *out);

// Where one of two pictures doesn't say what its matrix is, it is that of the other.
void ksr_colours_agree(const struct ksr_video_format *a, const struct ksr_video_format *b,
                       struct ksr_colours *a_terms, struct ksr_colours *b_terms);

bool ksr_colours_equal(const struct ksr_colours *a, const struct ksr_colours *b);

// Codes the colours of a frame (YCbCr 4:4:4, or grey) in other terms.
void ksr_colours_convert(struct ksr_frame *frame, const struct ksr_colours *from,
                         const struct ksr_colours *to);

// How much of a case there is in a picture: what became of flat colours, projected on what the case
// would make of them. Sums over many pictures.
struct ksr_colour_sums {
    double along[KSR_COLOUR_CASES], whole[KSR_COLOUR_CASES];
    double residual[KSR_COLOUR_CASES];              // squared differences that the case leaves
    double predicted[KSR_COLOUR_CASES][3], seen[3]; // changes of Y, Cb and Cr, with their signs
    int64_t count;
};

// Adds a picture: `count` cells of Y, Cb and Cr before and after, as ksr_measure_cells() makes
// them.
void ksr_colours_add(const float *const before[3], const float *const after[3], int count,
                     const struct ksr_colours *terms, struct ksr_colour_sums *sums);

// Returns what became of the colours: the case that fits best, where it is there by at least half,
// explains a part of all differences, and the means have changed as it says. Noise that is gone
// looks like a case, too, but explains little and leaves the means.
enum ksr_colour_case ksr_colours_conclude(const struct ksr_colour_sums *sums);

// Returns the part of the squared difference that is left when a case is taken for what happened.
double ksr_colours_left(const struct ksr_colour_sums *sums, enum ksr_colour_case what);

#endif
