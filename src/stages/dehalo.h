// Dehalo: rims beside lines and edges, as sharpening before coding leaves them, are taken off luma.
//
// Profiles run through a sample in eight directions: across, down and along both diagonals, each
// way. Along a profile, s[k] is k steps further out, away from the edge, and s[-k] further in. Here
// for bright rims; for dark ones all signs are turned. A rim at s[0] has
//
// base B:     the greater of s[3] and s[4]
// height h:   s[0] - B, no less than s[3] and s[4] differ
// contrast C: B - the least of s[-1], s[-2], s[-3]; at least 24 codes of 8 bits
// opposite e: how far samples stick out on the other side of the edge, as sharpening acts on both
//             sides, and what is drawn beside a line does not. Of the greatest of, for k = 1 .. 6,
//             a dark rim:   s[-k] below the least of s[-k-3], s[-k-4], s[-k-5], and no more than
//                           the greatest of them is below B
//             a line:       s[-k] above the greatest of the three, and no more than above the least
//                           of s[-1] .. s[-k+1]
//
// r = min(soft(h), e) - (C >> 6): soft() keeps up to `limit` of C, and falls to 0 at twice that.
//
// Whether there are rims at all is a matter of all edges around. An edge votes where s[0] is within
// C / 4 of its base and s[-1] is not; where the base, here s[4] .. s[6], is flat up to C / 16; and
// where it is not black or white, unless it overshoots. Horizontally and vertically, each counts 1
// if the greatest of s[0] .. s[2] overshoots the base by a 16th to a half of C, and -1 otherwise.
// The sum of the votes of 49x49 samples, less 16, limited to 0 .. 64, is the share of r that
// counts:
//
// out = c + ((greatest r of dark rims - greatest r of bright rims) * share + 32) >> 6
//
// There are no votes outside the plane.

#ifndef KSR_STAGES_DEHALO_H
#define KSR_STAGES_DEHALO_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_DEHALO_REACH 30 // rows of src read above and below a row of dst

struct ksr_dehalo_params {
    int limit; // rims are up to this many 32768ths of the contrast high; 0 = off, at most 20480
};

// Returns the integer parameters of a configuration.
struct ksr_dehalo_params ksr_dehalo_params_make(const struct ksr_pipeline_config *config);

// Fills rows y0 .. y1-1 of dst. src is a plane of the same size at another place.
void ksr_dehalo_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_dehalo_params *params, int y0, int y1);

// What the edges of frames say. All zero = nothing has been looked at.
struct ksr_halos {
    int64_t edges;     // that vote
    int64_t halos;     // of them, those that vote for rims
    int64_t overshoot; // sum of those, in working samples; / edges is the mean of all that vote
};

// Adds the edges of a plane of luma, so that a mean over frames can be had.
void ksr_halos_add(struct ksr_halos *halos, const struct ksr_plane *luma);

// Returns whether these frames have halos: 42 % of at least 1000 edges vote for them.
// docs/stages.md has the shares of clean and of sharpened ones.
bool ksr_halos_found(const struct ksr_halos *halos);

#endif
