// Grain that was taken out, put back at the size of the output.
//
// Noise is a hash of where a sample is, the plane's number and the number of the frame in the
// video: nothing is remembered, so any part of any frame can be made anywhere, again. It is white,
// the sum of four bytes of the hash, and becomes grain by a separable low-pass:
//
//     taps: of [1 2 1] / 4, applied often enough that samples `scale` apart are as alike as
//           neighbours were in the source; in 1/1024
//     norm: what makes the standard deviation of the sum 1024, from the sums of the squared taps
//
// out = c + clamp((grain * strength(c) + 512) >> 10, -room, room)
//
// strength is that of the code of 8 bits that c lies in, linear between the middles of the bands of
// brightness; room is the distance to black or white, whichever is nearer: so grain is cut off
// equally on both sides, and no mean of a plane moves.

#ifndef KSR_STAGES_GRAIN_H
#define KSR_STAGES_GRAIN_H

#include "frame/grain.h"

#define KSR_GRAIN_CODES 256 // of 8 bits
#define KSR_GRAIN_REACH 12  // samples to either side whose noise a sample is made of

struct ksr_grain_params {
    int16_t strength[KSR_GRAIN_CODES]; // standard deviation at each code of 8 bits, of 32767
    int low, high;                     // samples between these change, and stay there
    int tap[2][KSR_GRAIN_REACH + 1];   // along rows, along columns: in the middle, and outwards
    int shift, norm;
    int plane;
};

// Returns the parameters of a plane whose source had `from` samples along each axis, width and
// height, for an output of `to`. The grain is to be put back (amount above 0).
struct ksr_grain_params ksr_grain_params_make(const struct ksr_grain *grain, bool full_range,
                                              int plane, const int from[2], const int to[2]);

// Returns whether a plane changes at all.
bool ksr_grain_active(const struct ksr_grain_params *params);

// Fills rows y0 .. y1-1 of dst: those of src with the grain of frame `frame`. No other rows are
// read.
void ksr_grain_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                    const struct ksr_grain_params *params, int64_t frame, int y0, int y1);

#endif
