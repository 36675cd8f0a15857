// The learned filters of stage 3 at work; see learned.h.

#ifndef KSR_STAGES_BANK_H
#define KSR_STAGES_BANK_H

#include <stdint.h>

#include "frame/tile.h"

#define KSR_BANK_TAPS    24
#define KSR_BANK_BITS    13
#define KSR_BANK_CLASSES 32

// Coefficients of one output: pairs of taps (0 and 1, 2 and 3, ..) for every class.
typedef int16_t ksr_bank_filters[KSR_BANK_TAPS / 2][KSR_BANK_CLASSES][2];

// In the order top left, top right, bottom left, bottom right.
extern const ksr_bank_filters ksr_bank[4];

// Filters samples 0 .. count-1 (at most KSR_TILE): out[p][i] = (sum over k of the coefficient of
// tap k, output p and class[i], times tap[k][i], + 4096) >> 13, limited to int16. Samples up to the
// next multiple of 64 may be read and written too; their classes are in range.
void ksr_bank_apply(int16_t out[4][KSR_TILE], const int16_t *const tap[KSR_BANK_TAPS],
                    const int16_t class[KSR_TILE], int count);

#endif
