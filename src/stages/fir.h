// One filter of eight taps over many samples: the columns and the rows of upscale.c.

#ifndef KSR_STAGES_FIR_H
#define KSR_STAGES_FIR_H

#include <stdint.h>

#define KSR_FIR_TAPS 8
#define KSR_FIR_BITS 14

// out[i] = (sum over k of tap[k] * in[k][i], + bias) >> KSR_FIR_BITS, limited to int16, for i in
// 0 .. count-1. count: at least 32. The sum must fit int32; out overlaps none of in.
void ksr_fir_apply(int16_t *out, const int16_t *const in[KSR_FIR_TAPS],
                   const int16_t tap[KSR_FIR_TAPS], int32_t bias, int count);

// The same with in[k] = row + k. count: a multiple of 32.
void ksr_fir_apply_along(int16_t *out, const int16_t *row, const int16_t tap[KSR_FIR_TAPS],
                         int32_t bias, int count);

#endif
