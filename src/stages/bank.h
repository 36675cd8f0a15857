// The learned filters of stage 3 at work; see learned.h.

#ifndef KSR_STAGES_BANK_H
#define KSR_STAGES_BANK_H

#include <stdint.h>

#define KSR_BANK_TAPS    24
#define KSR_BANK_BITS    13
#define KSR_BANK_CLASSES 32
#define KSR_BANK_BLOCK   32 // samples filtered at once

// Where a level's filters read all taps of one sample after the other.
#if defined(__AVX2__) && !defined(__AVX512BW__)
#define KSR_BANK_BY_SAMPLE
#endif

// Coefficients of one output: pairs of taps (0 and 1, 2 and 3, ..) for every class.
typedef int16_t ksr_bank_filters[KSR_BANK_TAPS / 2][KSR_BANK_CLASSES][2];

// In the order top left, top right, bottom left, bottom right.
extern const ksr_bank_filters ksr_bank[4];

// The coefficients once more, in another order, if a level reads them in one.
struct ksr_bank_order {
    _Alignas(32) int16_t of_class[KSR_BANK_CLASSES][KSR_BANK_TAPS * 4];
};

void ksr_bank_prepare(struct ksr_bank_order *bank);

// One value per sample of a block.
typedef int16_t ksr_bank_lane[KSR_BANK_BLOCK];

// The differences of the 5x5 samples to the one in the middle, as the level's filters read them.
struct ksr_bank_patch {
    _Alignas(64) ksr_bank_lane of[KSR_BANK_TAPS + 1]; // by place
#ifdef KSR_BANK_BY_SAMPLE
    int16_t taps[KSR_BANK_TAPS / 8][KSR_BANK_BLOCK][8]; // by sample, see lanes/taps.h
#endif
};

// Filters a block: out[p][i] = (sum over k of the coefficient of tap k, output p and class[i],
// times the k-th difference, + 4096) >> 13, limited to int16. The differences are those of the 5x5
// samples, all but the one in the middle.
void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    const struct ksr_bank_patch *patch, const int16_t class[KSR_BANK_BLOCK]);

#endif
