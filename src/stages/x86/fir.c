// Eight taps, AVX2 and AVX-512; equal to the plain C one in stages/fir.c.
//
// Two inputs are interleaved, so that one instruction multiplies and adds a pair of taps; packing
// puts the two halves in order again. The last block ends with the last sample, and may overlap the
// one before.

#include "stages/fir.h"

#include "core/x86/pairs.h"

#if defined(__AVX512BW__)

#define LANES 32

static void apply_block(int16_t *out, const int16_t *const in[KSR_FIR_TAPS], const int32_t pairs[4],
                        int32_t bias, int i)
{
    __m512i low = _mm512_set1_epi32(bias), high = low;
    for (int k = 0; k < 4; k++) {
        const __m512i a = _mm512_loadu_si512(in[2 * k] + i);
        const __m512i b = _mm512_loadu_si512(in[2 * k + 1] + i);
        const __m512i taps = _mm512_set1_epi32(pairs[k]);
        low = ksr_add_pairs_512(low, _mm512_unpacklo_epi16(a, b), taps);
        high = ksr_add_pairs_512(high, _mm512_unpackhi_epi16(a, b), taps);
    }
    _mm512_storeu_si512(out + i, _mm512_packs_epi32(_mm512_srai_epi32(low, KSR_FIR_BITS),
                                                    _mm512_srai_epi32(high, KSR_FIR_BITS)));
}

#else

#define LANES 16

static void apply_block(int16_t *out, const int16_t *const in[KSR_FIR_TAPS], const int32_t pairs[4],
                        int32_t bias, int i)
{
    __m256i low = _mm256_set1_epi32(bias), high = low;
    for (int k = 0; k < 4; k++) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)(in[2 * k] + i));
        const __m256i b = _mm256_loadu_si256((const __m256i *)(in[2 * k + 1] + i));
        const __m256i taps = _mm256_set1_epi32(pairs[k]);
        low = ksr_add_pairs_256(low, _mm256_unpacklo_epi16(a, b), taps);
        high = ksr_add_pairs_256(high, _mm256_unpackhi_epi16(a, b), taps);
    }
    _mm256_storeu_si256((__m256i *)(out + i),
                        _mm256_packs_epi32(_mm256_srai_epi32(low, KSR_FIR_BITS),
                                           _mm256_srai_epi32(high, KSR_FIR_BITS)));
}

#endif

void ksr_fir_apply(int16_t *out, const int16_t *const in[KSR_FIR_TAPS],
                   const int16_t tap[KSR_FIR_TAPS], int32_t bias, int count)
{
    int32_t pairs[4];
    for (int k = 0; k < 4; k++)
        pairs[k] =
            (int32_t)((uint32_t)(uint16_t)tap[2 * k] | (uint32_t)(uint16_t)tap[2 * k + 1] << 16);
    for (int i = 0; i + LANES <= count; i += LANES)
        apply_block(out, in, pairs, bias, i);
    if (count % LANES != 0)
        apply_block(out, in, pairs, bias, count - LANES);
}
