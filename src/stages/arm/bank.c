// The learned filters at work, NEON; equal to the plain C one in stages/bank.c.
//
// Every sample has a class and so coefficients of its own: a register has those of two taps for all
// four outputs, which follow each other in memory, and each half is multiplied by one tap.

#include "stages/bank.h"

#include <arm_neon.h>

#define BLOCK KSR_BANK_BLOCK
#define QUADS (KSR_BANK_TAPS / 4)

// For every class, one tap after the other: its coefficients of outputs 0, 1, 2 and 3.
void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    for (int c = 0; c < KSR_BANK_CLASSES; c++)
        for (int k = 0; k < KSR_BANK_TAPS; k++)
            for (int p = 0; p < 4; p++)
                bank->of_class[c][4 * k + p] = ksr_bank[p][k / 2][c][k & 1];
}

// Returns eight samples' k-th difference that is not the one in the middle of the patch.
static inline int16x8_t tap_lanes(const struct ksr_bank_patch *patch, int k, int i)
{
    return vld1q_s16(patch->of[k + (k >= KSR_BANK_TAPS / 2)] + i);
}

// Puts four taps of one sample together.
static inline void turn_taps(int16_t to[BLOCK][4], const struct ksr_bank_patch *patch, int k)
{
    for (int i = 0; i < BLOCK; i += 8) {
        const int16x8x4_t taps = {{tap_lanes(patch, k, i), tap_lanes(patch, k + 1, i),
                                   tap_lanes(patch, k + 2, i), tap_lanes(patch, k + 3, i)}};
        vst4q_s16(to[i], taps);
    }
}

// Returns the four outputs of sample i.
static inline int16x4_t filter_one(const int16_t *filters, int16_t taps[QUADS][BLOCK][4], int i)
{
    int32x4_t even = vdupq_n_s32(0), odd = even;
    for (int k = 0; k < QUADS; k++) {
        const int16x4_t t = vld1_s16(taps[k][i]);
        const int16x8_t first = vld1q_s16(filters + 16 * k), last = vld1q_s16(filters + 16 * k + 8);
        even = vmlal_lane_s16(even, vget_low_s16(first), t, 0);
        odd = vmlal_high_lane_s16(odd, first, t, 1);
        even = vmlal_lane_s16(even, vget_low_s16(last), t, 2);
        odd = vmlal_high_lane_s16(odd, last, t, 3);
    }
    return vqrshrn_n_s32(vaddq_s32(even, odd), KSR_BANK_BITS);
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    const struct ksr_bank_patch *patch, const int16_t class[BLOCK])
{
    int16_t taps[QUADS][BLOCK][4], outputs[BLOCK][4];
    for (int k = 0; k < QUADS; k++)
        turn_taps(taps[k], patch, 4 * k);
    for (int i = 0; i < BLOCK; i++)
        vst1_s16(outputs[i], filter_one(bank->of_class[class[i]], taps, i));
    for (int i = 0; i < BLOCK; i += 8) {
        const int16x8x4_t v = vld4q_s16(outputs[i]);
        for (int p = 0; p < 4; p++)
            vst1q_s16(out[p] + i, v.val[p]);
    }
}
