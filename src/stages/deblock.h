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

#include <stdbool.h>

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

// What the lines between blocks say, between columns and between rows. All zero = nothing has been
// looked at.
struct ksr_blocks {
    int64_t lines[2]; // with anything that could be a seam on them, or among the lines beside them
    int64_t seams[2]; // of them, those whose seams are more than one and a half times as strong
};

// Adds the lines of a plane of luma that begins with a block, so that frames can be added up.
// Seams are n above, with a limit of 4 codes of 8 bits, so that edges of a drawing do not count.
// Those on a line between blocks are compared with the mean of the ten lines inside both blocks
// that are two and more samples away.
void ksr_blocks_add(struct ksr_blocks *blocks, const struct ksr_plane *luma);

// Returns the share of lines with seams in percent, in the direction that has more of them: between
// rows of woven fields there are none. A direction of less than 24 lines tells nothing.
int ksr_blocks_share(const struct ksr_blocks *blocks);

// Returns whether these frames have blocks: at 60 % of the lines.
// docs/stages.md has the shares of clean and of coded ones.
bool ksr_blocks_found(const struct ksr_blocks *blocks);

#endif
