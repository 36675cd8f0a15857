// Deblocking: the seams between the 8x8 blocks of MPEG-2, MPEG-4 and H.264, on the grid of the
// decoder's frames.
//
// Coding quantizes every block on its own, so that a step appears where two of them meet. Across a
// border, with samples p1 p0 | q0 q1:
//
// step:   e = (q0 - p0) - ((p0 - p1) + (q1 - q0)) / 2: what the slopes on both sides do not
// explain,
//         but no more than q0 - p0
// inside: the greater of |p0 - p1| and |q1 - q0|: what is as rough there is texture, not a seam
// seam:   n = soft(|e|) - inside, at least 0. soft() keeps up to `limit`, falls to 0 at twice the
//         limit, and is 0 beyond: edges of the drawing stay
//
// p0 and q0 move towards each other by (7 n + 8) >> 4, p1 and q1 by (3 n + 8) >> 4. Both directions
// are measured on src and added; the sum is limited to the range of samples.
// Planes of chroma have blocks of 8x8 of their own samples.

#ifndef KSR_STAGES_DEBLOCK_H
#define KSR_STAGES_DEBLOCK_H

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_DEBLOCK_BLOCK 8 // samples from border to border
#define KSR_DEBLOCK_REACH 3 // rows of src read above and below a row of dst

struct ksr_deblock_params {
    int limit; // steps up to this many of 32767 are seams; 0 = off, at most 2048
    int x, y;  // where in its block the first sample of the plane lies, 0 .. 7
};

// Returns the integer parameters of a configuration, for a plane that begins with a block.
struct ksr_deblock_params ksr_deblock_params_make(const struct ksr_pipeline_config *config);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_deblock_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_deblock_params *params, int y0, int y1);

#endif
