// Stage 2: what is here, an edge or a surface? And smoothing that follows the answer.
//
// Around every luma sample the structure tensor of the gradient is summed over 5x5 samples with
// weights 1 2 3 2 1 each way. Its eigenvalues say how strong the edge is and how much all
// gradients agree (coherence), its eigenvectors where the edge points. The three together are the
// sample's class.
//
// Smoothing runs along the edge where a direction is clear (coherence 2 and above), over 3x3
// samples where there is nothing or only a weak gradient without direction, which is noise
// (strength 0 and 1), and not at all on corners and texture.
//
// along:  out = c + (2 * (sum of soft(p - c)) + 8) >> 4 over three steps along the edge to either
//         side (two are the same; the table is in structure.c)
// around: as in stage 1 (normalize.h, tile.h)

#ifndef KSR_STAGES_STRUCTURE_H
#define KSR_STAGES_STRUCTURE_H

#include <stddef.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

// A class is strength | coherence << 2 | direction << 4, 0 .. 127:
// strength 0..3: mean gradient below 1, 3, 10 codes of 8 bits per sample, or above.
// coherence 0..3: (l1 - l2) / (l1 + l2) of the eigenvalues below 1/4, 1/2, 3/4, or above.
// direction 0..7: of the gradient, in steps of 22.5 degrees from the x axis towards the y axis
// (downwards); the edge runs at right angles to it.
#define KSR_CLASS_STRENGTH(c)  ((c)&3)
#define KSR_CLASS_COHERENCE(c) ((c) >> 2 & 3)
#define KSR_CLASS_DIRECTION(c) ((c) >> 4)
#define KSR_CLASS_COUNT        128

#define KSR_STRUCTURE_REACH 3 // rows of src read above and below a row of dst

struct ksr_structure_params {
    int limit; // differences up to this many of 32767 are smoothed; 0 = off, at most 2048
};

// Returns the integer parameters of a configuration.
struct ksr_structure_params ksr_structure_params_make(const struct ksr_pipeline_config *config);

// Writes the classes of rows y0 .. y1-1 of src, `stride` bytes from one row of them to the next.
void ksr_structure_classify_rows(uint8_t *classes, ptrdiff_t stride, const struct ksr_plane *src,
                                 int y0, int y1);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_structure_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_structure_params *params, int y0, int y1);

#endif
