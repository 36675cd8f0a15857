// Stage 5: blending with the previous output where the picture stands still.
//
//     out = cur + trunc(w * (memory - cur))        w = weight * stillness
//
// Stillness is 1 where no input sample of the 3x3 around differs by more than half the motion
// threshold from the frame before, falls to 0 at the threshold (the weight is cut to 1/16384), and
// is 0 in all of a frame that starts a new scene: one where half of all luma samples changed by
// more than half the threshold, or by more than 16 codes of 8 bits if that is less. It is found on
// the INPUT of this stage alone, plane by plane, never on its output, so what a frame remembers
// decays and cannot steer itself.
//
// Frames must come out the same whether the film is run from its start or from a few frames
// before (job segments). No rounding of the line above can promise that: two memories one code
// apart stay apart for as long as the input keeps them on two sides of a rounding border, and
// a shift of the input can always do so. So there are two memories, started afresh in turn: at
// every frame whose number in the film is a multiple of `period`, the older one forgets all. The
// one shown was started `period` to 2 * period - 1 frames ago, so a frame depends on at most
// 2 * period - 1 frames before it, exactly; period is half of W, the warm-up, rounded up.

#ifndef KSR_STAGES_TEMPORAL_H
#define KSR_STAGES_TEMPORAL_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

struct ksr_temporal_params {
    int weight;     // share of the memory where still, in 1/16384
    int threshold;  // a difference of this many of 32767 is motion; 0 = everything is
    int slope;      // weight / (threshold - threshold / 2) in 1 / 2^slope_bits, rounded up
    int slope_bits; // as many as keep the slope within 15 bits, 15 at most
    int changed;    // differences above this count for a scene cut
    int period;     // frames between two fresh starts
};

// Returns the integer parameters of a configuration, each rounded to the nearest.
struct ksr_temporal_params ksr_temporal_params_make(const struct ksr_pipeline_config *config);

// Returns whether there is anything to blend.
bool ksr_temporal_active(const struct ksr_temporal_params *params);

// Returns the smallest W with weight^W * 32767 < 0.5.
int ksr_temporal_warmup(double weight);

// Returns how many samples of rows y0 .. y1-1 changed clearly between two inputs.
int64_t ksr_temporal_changed_rows(const struct ksr_plane *cur, const struct ksr_plane *before,
                                  const struct ksr_temporal_params *params, int y0, int y1);

// Returns whether a luma plane of `samples`, `changed` of which did so, starts a new scene.
bool ksr_temporal_is_cut(int64_t changed, int64_t samples);

// Blends rows y0 .. y1-1 of cur into one or two memories (second: NULL = none), in place.
// before: the input of the frame before.
void ksr_temporal_rows(const struct ksr_plane *first, const struct ksr_plane *second,
                       const struct ksr_plane *cur, const struct ksr_plane *before,
                       const struct ksr_temporal_params *params, int y0, int y1);

#endif
