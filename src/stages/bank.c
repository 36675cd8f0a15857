// The learned filters at work, plain C: the definition. See bank.h.

#include "stages/bank.h"

#include "frame/tile.h"

void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    (void)bank; // ksr_bank is read as it is
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    const struct ksr_bank_patch *patch, const int16_t class[KSR_BANK_BLOCK])
{
    (void)bank;
    for (int i = 0; i < KSR_BANK_BLOCK; i++) {
        int tap[KSR_BANK_TAPS];
        for (int k = 0; k < KSR_BANK_TAPS; k++)
            tap[k] = patch->of[k < KSR_BANK_TAPS / 2 ? k : k + 1][i];
        for (int p = 0; p < 4; p++) {
            int sum = 1 << (KSR_BANK_BITS - 1);
            for (int k = 0; k < KSR_BANK_TAPS; k++)
                sum += ksr_bank[p][k / 2][class[i]][k & 1] * tap[k];
            out[p][i] = (int16_t)ksr_clamp(sum >> KSR_BANK_BITS, INT16_MIN, INT16_MAX);
        }
    }
}
