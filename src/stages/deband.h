// Debanding: a gradient in place of bands, on the grid of the drawing: the input's, or what
// descaling makes of it.
//
// Where a decoder gives too few codes for a gradient, it comes as bands with a step between them.
// The step is less than what separates drawn colours, and flat samples lie on both sides of it. So
// a sample is replaced by a mean over its surroundings wherever they are flat up to `limit`:
//
// nearby:  all samples of the 7x7 around c differ from it by at most the limit, and c is no ridge
//          or valley: of no two samples opposite each other at 1 or 2 samples' distance (beside,
//          above, on the diagonals) both are above c, or both below, by more than a quarter of it
// rings:   six rings of four samples each, 3 to 20 samples away, turned by 90 degrees from each to
//          the next. A ring is flat if each of its samples differs from c by at most the limit, and
//          so does the sum of the differences of two opposite ones. Rings count from the inside
//          out, up to the first that is not flat
//
// out = c + ((sum of (p - c) over the rings that count * factor) + 32768) >> 16,
// factor = 65536 / (4 * rings that count), rounded
//
// Opposite samples cancel on a ramp, which does not change. Lines, edges, grain and hatching fail
// one of the tests; what passes by mistake changes by at most half the limit, as the sums say.
// The result has more levels than the input's codes: what of them the output's codes do not hold,
// its dither shows.

#ifndef KSR_STAGES_DEBAND_H
#define KSR_STAGES_DEBAND_H

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_DEBAND_REACH 20 // rows of src read above and below a row of dst

struct ksr_deband_params {
    int limit; // steps up to this many of 32767 are bands; 0 = off, at most 512
};

// Returns the integer parameters of a configuration.
struct ksr_deband_params ksr_deband_params_make(const struct ksr_pipeline_config *config);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_deband_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_deband_params *params, int y0, int y1);

#endif
