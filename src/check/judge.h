// What measured pictures mean: the checks of verify about the picture, in plain words.
//
// docs/verification.md has the limits and what they were measured on.

#ifndef KSR_CHECK_JUDGE_H
#define KSR_CHECK_JUDGE_H

#include "check/check.h"
#include "check/metrics.h"

// Adds the checks. settings: of the run; NULL = not known, which makes some limits wider.
ksr_status ksr_judge_picture(ksr_context *ctx, struct ksr_checks *checks,
                             const struct ksr_pictures *picture,
                             const struct ksr_pipeline_config *settings);

// Adds a check of what some frames tell: whether colours are read by another matrix or range than
// they were coded by. Its limits are wide, for few frames say little.
ksr_status ksr_judge_sample(ksr_context *ctx, struct ksr_checks *checks,
                            const struct ksr_pictures *picture);

// The median of a member of all frames, such as offsetof(struct ksr_picture_frame, psnr).
// Returns 0 without frames, or out of memory.
double ksr_judge_median(const struct ksr_pictures *picture, size_t member);

// The number in `frames` of the one with the lowest PSNR; 0 without frames.
size_t ksr_judge_worst(const struct ksr_pictures *picture);

#endif
