// Dot crawl and rainbows, what composite video leaves in frames: whole frames, before the temporal
// stage.
//
// Composite video holds chroma on a subcarrier within luma. What a decoder does not tell apart is
// chroma seen as dots in luma (dot crawl), and fine luma seen as colours (rainbows). Both are of the
// subcarrier's phase, which is reversed from frame to frame (NTSC; PAL: every two frames). So where a
// frame is held, the mean of it and of one of opposite phase is without either.
//
// Phases are not known: after inverse telecine, fields of 3 of 4 frames are of the opposite phase of
// those of the frame before, of the fourth of the same, and top and bottom fields not at the same
// place. But of opposite phase is what differs most. With four frames around, n-1, n+1, n-2 and n+2,
//
//     held     0 .. 8: how still luma is against it, by the temporal stage's sums, of luma that is the
//              mean of 4x4 samples: of a subcarrier little is left then, whose period is nearly four
//              samples (PAL: three) and which is reversed from line to line of a field. At chroma the
//              least of the samples of luma that lie there; of n-2 and n+2 no more than of n-1 and n+1
//     energy   sum of held * |gap| over 9 samples of the row and of the two above and below of the
//              same field; gap = other - cur
//     share    1 where energy is the greatest of the four, 0 up to three quarters of it, between
//              them in eighths
//
//     out = cur + (sum of share * held * gap) / (16 * sum of share), rounded to nearest
//
// Fades of one colour into another come out as they are: the frames before and after differ alike, in
// opposite directions.

#ifndef KSR_STAGES_COMPOSITE_H
#define KSR_STAGES_COMPOSITE_H

#include "stages/temporal.h"

#define KSR_COMPOSITE_AROUND 2 // frames before and after
#define KSR_COMPOSITE_FRAMES (2 * KSR_COMPOSITE_AROUND)

// One of the frames around: n-1, n+1, n-2, n+2.
struct ksr_composite_frame {
    struct ksr_plane plane; // of the same size as the one to clean; .data NULL: there is none
    struct ksr_plane held;  // of luma's size, 0 .. 8
};

// Returns the parameters of ksr_temporal_still_rows() on luma of ksr_composite_smooth_rows(): its
// limits at a motion threshold of `strength` / 5, but 12 codes for a sample and 1.6 for the size at 1.
struct ksr_temporal_params ksr_composite_params_make(double strength);

// Writes rows y0 .. y1-1, each sample the mean of 4x4: itself, one before and two after, on both
// axes.
void ksr_composite_smooth_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0,
                               int y1);

// Writes rows y0 .. y1-1 of a plane. shift_x, shift_y: how much smaller than luma it is. Reads
// four rows around them, and all rows of luma there.
void ksr_composite_rows(const struct ksr_plane *dst, const struct ksr_plane *cur,
                        const struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES], int shift_x,
                        int shift_y, int y0, int y1);

#endif
