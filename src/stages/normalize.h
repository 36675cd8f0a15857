// Stage 1: light clean-up of coding noise that keeps its hands off edges.
//
// out = c + (sum of w * soft(p - c) + 8) >> 4 over the eight neighbours p of c, w = 2 beside and
// above, 1 at the corners. soft() follows small differences and ignores large ones (tile.h).

#ifndef KSR_STAGES_NORMALIZE_H
#define KSR_STAGES_NORMALIZE_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_NORMALIZE_REACH 1 // rows of src read above and below a row of dst

struct ksr_normalize_params {
    int limit; // differences up to this many of 32767 are noise; 0 = off, at most 2048
};

// Returns the integer parameters of a configuration without KSR_AUTO.
struct ksr_normalize_params ksr_normalize_params_make(const struct ksr_pipeline_config *config);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_normalize_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_normalize_params *params, int y0, int y1);

#endif
