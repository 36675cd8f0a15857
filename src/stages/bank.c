// The learned filters at work, plain C: the definition. See bank.h.

#include "stages/bank.h"

void ksr_bank_apply(int16_t out[4][KSR_TILE], const int16_t *const tap[KSR_BANK_TAPS],
                    const int16_t class[KSR_TILE], int count)
{
    for (int p = 0; p < 4; p++)
        for (int i = 0; i < count; i++) {
            int sum = 1 << (KSR_BANK_BITS - 1);
            for (int k = 0; k < KSR_BANK_TAPS; k++)
                sum += ksr_bank[p][k / 2][class[i]][k & 1] * tap[k][i];
            out[p][i] = (int16_t)ksr_clamp(sum >> KSR_BANK_BITS, INT16_MIN, INT16_MAX);
        }
}
