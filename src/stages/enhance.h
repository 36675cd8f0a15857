// Stage 4: sharpening, line darkening and contrast on luma, saturation on chroma.
//
// Luma, for each sample c:
//   sharpening:  c + s * (c - blur), blur = the 5x5 binomial mean, then limited to what stands in
//                the 3x3 samples around c, and s/16 of their span beyond: edges get steeper, halos
//                do not grow
//   darkening:   less d/2 of the valley's depth: the greatest of min(a, b) - c over opposite pairs
//                a, b at 2 and 4 samples (3 on the diagonals), less one code of 8 bits. Only a line
//                that is brighter on both sides is a valley, not the dark side of an edge
//   contrast:    mid + k * (c - mid), mid = the middle between black and white
// Chroma: zero + k * (c - zero).
// Nothing is pushed past black or white (16 and 235, chroma 16 and 240, of 8 bits in limited
// range); what was beyond them before may stay there.

#ifndef KSR_STAGES_ENHANCE_H
#define KSR_STAGES_ENHANCE_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_ENHANCE_REACH 4 // rows of src read above and below a row of luma

struct ksr_enhance_params {
    int sharpening;              // in 1/256, 0 .. 512
    int line_darkening;          // in 1/256, 0 .. 256
    int contrast;                // in 1/4096, 0 .. 16384
    int saturation;              // in 1/4096, 0 .. 16384
    int black, white, mid;       // levels of luma
    int chroma_low, chroma_high; // levels of chroma
};

// Returns the integer parameters, each rounded to the nearest.
struct ksr_enhance_params ksr_enhance_params_make(const struct ksr_pipeline_config *config,
                                                  bool full_range);

// Return whether a part has anything to do.
bool ksr_enhance_luma_active(const struct ksr_enhance_params *params);
bool ksr_enhance_chroma_active(const struct ksr_enhance_params *params);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_enhance_luma_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_enhance_params *params, int y0, int y1);

// The same for a plane of chroma; dst and src may be one.
void ksr_enhance_chroma_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                             const struct ksr_enhance_params *params, int y0, int y1);

#endif
