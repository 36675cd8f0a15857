// Eight taps, plain C: the definition. See fir.h.

#include "stages/fir.h"

#include "frame/tile.h"

void ksr_fir_apply(int16_t *restrict out, const int16_t *const in[KSR_FIR_TAPS],
                   const int16_t tap[KSR_FIR_TAPS], int32_t bias, int count)
{
    for (int i = 0; i < count; i++) {
        const int32_t sum = tap[0] * in[0][i] + tap[1] * in[1][i] + tap[2] * in[2][i] +
                            tap[3] * in[3][i] + tap[4] * in[4][i] + tap[5] * in[5][i] +
                            tap[6] * in[6][i] + tap[7] * in[7][i];
        out[i] = (int16_t)ksr_clamp((sum + bias) >> KSR_FIR_BITS, INT16_MIN, INT16_MAX);
    }
}

void ksr_fir_apply_along(int16_t *out, const int16_t *row, const int16_t tap[KSR_FIR_TAPS],
                         int32_t bias, int count)
{
    const int16_t *in[KSR_FIR_TAPS];
    for (int k = 0; k < KSR_FIR_TAPS; k++)
        in[k] = row + k;
    ksr_fir_apply(out, in, tap, bias, count);
}
