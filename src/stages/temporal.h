// Stage 5: averaging what stands still over time. Frames pass it before all other stages.
//
//     out = cur + trunc(w * (memory - cur))        w = weight * stillness
//
// The memory is the last output. It is followed where a block of 11x11 samples around differs from it
// by no more than coding noise does, which is asked of sums over the block, `gap` = memory - cur:
//
//     shift    |sum of gap * slope| / (sum of slope^2 + FLOOR), along x and along y: how far the
//              content has moved, in samples, whatever its contrast. 0.04 is motion; noise, which
//              has no direction, comes to a fraction of that
//     mean     |sum of gap| / 121: fades, and anything of one colour. 1 code of 8 bits
//     size     sum of |gap| / 121, less what white noise as strong as the frame's in this block
//              comes to: what has moved further than a sample. 1.2 codes
//     one      |gap| of the sample itself: small things. 12.75 codes
//
// These limits are those of a motion threshold of 0.1, and in proportion to it. Stillness is
// 2 - the greatest of the four, each as a multiple of its limit, rounded down to eighths and cut to
// 0 .. 1. It is 0 in all of a frame that starts a new scene: one where half of all luma samples
// changed by more than half the threshold, or by more than 16 codes of 8 bits if that is less.
//
// Frames must come out the same whether the video is run from its start or from a few frames before
// (job segments). So there are two memories, started afresh in turn: at every frame whose number in
// the video is a multiple of `period`, the older one becomes that frame. The one shown was started
// `period` to 2 * period - 1 frames ago, so a frame depends on at most 2 * period - 1 frames before
// it, exactly. A memory that was started `age` frames ago has a weight of no more than
// age / (age + 1), that of a plain mean. All of it depends on the frame's number alone.

#ifndef KSR_STAGES_TEMPORAL_H
#define KSR_STAGES_TEMPORAL_H

#include <stdbool.h>

#include "frame/frame.h"
#include "kizunasr/config.h"

#define KSR_TEMPORAL_REACH      5
#define KSR_TEMPORAL_SHARE_BITS 15
#define KSR_TEMPORAL_FLOOR      384000 // 6000 squared 8-bit codes, in units of 1/64

struct ksr_temporal_params {
    int weight;          // share of the memory where still, in 1/16384
    int threshold;       // the motion threshold, of 32767; 0 = everything is motion
    int one, mean, size; // 8 / limit, in 2^-15: of a sample; of sums in 1/16 of an 8-bit code
    int shift;           // limit of shift, in 1/512 samples
    int changed;         // differences above this count for a scene cut
    int period;          // frames between two fresh starts
};

// What a frame does with one of the two memories.
struct ksr_temporal_memory {
    bool shown; // it is the output
    int weight; // of params_make(), or less; 0 = it becomes the frame
};

// Returns the integer parameters of a configuration, each rounded to the nearest.
struct ksr_temporal_params ksr_temporal_params_make(const struct ksr_pipeline_config *config);

// Returns whether there is anything to blend.
bool ksr_temporal_active(const struct ksr_temporal_params *params);

// Returns how many frames before another one it depends on: 2 * period - 1, where the period is
// 1 / (1 - weight), rounded, and 2.
int ksr_temporal_warmup(double weight);

// Returns what frame number `frame` of the video does with memory `number`, 0 or 1.
struct ksr_temporal_memory ksr_temporal_memory(const struct ksr_temporal_params *params,
                                               int64_t frame, int number);

// Returns how many samples of rows y0 .. y1-1 changed clearly between two inputs.
int64_t ksr_temporal_changed_rows(const struct ksr_plane *cur, const struct ksr_plane *before,
                                  const struct ksr_temporal_params *params, int y0, int y1);

// Returns whether a luma plane of `samples`, `changed` of which did so, starts a new scene.
bool ksr_temporal_is_cut(int64_t changed, int64_t samples);

// Writes rows y0 .. y1-1 of cur, blended with a memory, which reads KSR_TEMPORAL_REACH + 1 rows
// around them. dst: neither of the others. weight: of ksr_temporal_memory().
void ksr_temporal_rows(const struct ksr_plane *dst, const struct ksr_plane *memory,
                       const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                       int weight, int y0, int y1);

// Writes how still rows y0 .. y1-1 of cur are against another frame: 0 to 8 eighths.
void ksr_temporal_still_rows(const struct ksr_plane *dst, const struct ksr_plane *other,
                             const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                             int y0, int y1);

#endif
