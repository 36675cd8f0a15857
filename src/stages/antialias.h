// Anti-aliasing: stairs of lines that were drawn, enlarged or doubled without it.
//
// Between two rows, a | b, a step is a place where samples above and below each other differ by
// 16 codes of 8 bits or more. A run is a stretch of it along which both rows are flat, up to a
// limit of 3/16 of the step. A run ends clearly, on either side, where the border between the two
// colours goes on one row higher or lower (or two rows, where rows are doubled): that is a stair.
// A slanted line that was drawn without anti-aliasing consists of such runs.
//
// With l and r samples between a sample and the ends of its run, L = l + r + 1, the line that was
// meant lies rise * |r - l| / (2 L) rows above the border, where rise is that of the nearer end: so
// it goes from one end, half a stair above or below, through the border in the middle of the run,
// to the other end. What it covers of the row takes on the colour of the other side. In the middle,
// where l = r, it covers (sum of both rises) / (16 L) on either side.
//
// A run counts if
// - its ends lead to opposite sides, and are no higher than it is long. One that is as long as a
//   stair is high must fit within 1/16 of the step;
// - its ends lead to the same side, and it is five times as long as a stair: the top of an arch;
// - it has one end, that fits within 1/16 of the step, and is twice as long as a stair.
//
// The same is done between columns; of both, the greater change counts. Edges that have
// anti-aliasing do not jump from one colour to the other along a row, so they have no ends and
// stay.

#ifndef KSR_STAGES_ANTIALIAS_H
#define KSR_STAGES_ANTIALIAS_H

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_ANTIALIAS_REACH 16 // rows of src read above and below a row of dst

struct ksr_antialias_params {
    int strength; // share of the change, in 1/256; 0 = off, at most 256
};

// Returns the integer parameters of a configuration.
struct ksr_antialias_params ksr_antialias_params_make(const struct ksr_pipeline_config *config);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_antialias_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_antialias_params *params, int y0, int y1);

#endif
