// The learned filters at work, AVX2 and AVX-512; equal to the plain C one in stages/bank.c.
//
// A pair of taps is multiplied and added by one instruction, for as many samples as a register has
// 32-bit lanes. The pair's coefficients differ from sample to sample: with AVX-512 the 32 classes
// of one pair are two registers, from which a permutation by class picks; AVX2 gathers them.

#include "stages/bank.h"
#include "core/x86/pairs.h"

#define PAIRS (KSR_BANK_TAPS / 2)
#define HALF  (1 << (KSR_BANK_BITS - 1))

#if defined(__AVX512BW__)

_Static_assert(KSR_BANK_CLASSES == 32, "a permutation picks one of 32");

void ksr_bank_apply(int16_t out[4][KSR_TILE], const int16_t *const tap[KSR_BANK_TAPS],
                    const int16_t class[KSR_TILE], int count)
{
    const __m512i zero = _mm512_setzero_si512();
    for (int i = 0; i < count; i += 32) {
        // Interleaving splits the 32 samples into two registers, and packing puts them together.
        const __m512i c = _mm512_loadu_si512(class + i);
        const __m512i class_low = _mm512_unpacklo_epi16(c, zero);
        const __m512i class_high = _mm512_unpackhi_epi16(c, zero);
        __m512i low[4], high[4];
        for (int p = 0; p < 4; p++)
            low[p] = high[p] = _mm512_set1_epi32(HALF);
        for (int k = 0; k < PAIRS; k++) {
            const __m512i a = _mm512_loadu_si512(tap[2 * k] + i);
            const __m512i b = _mm512_loadu_si512(tap[2 * k + 1] + i);
            const __m512i taps_low = _mm512_unpacklo_epi16(a, b);
            const __m512i taps_high = _mm512_unpackhi_epi16(a, b);
            for (int p = 0; p < 4; p++) {
                const __m512i first = _mm512_loadu_si512(ksr_bank[p][k]);
                const __m512i last = _mm512_loadu_si512(ksr_bank[p][k] + 16);
                low[p] = ksr_add_pairs_512(
                    low[p], _mm512_permutex2var_epi32(first, class_low, last), taps_low);
                high[p] = ksr_add_pairs_512(
                    high[p], _mm512_permutex2var_epi32(first, class_high, last), taps_high);
            }
        }
        for (int p = 0; p < 4; p++)
            _mm512_storeu_si512(out[p] + i,
                                _mm512_packs_epi32(_mm512_srai_epi32(low[p], KSR_BANK_BITS),
                                                   _mm512_srai_epi32(high[p], KSR_BANK_BITS)));
    }
}

#else

static __m256i gather(const int16_t filters[KSR_BANK_CLASSES][2], __m256i class)
{
    return _mm256_i32gather_epi32((const int *)filters, class, 4);
}

void ksr_bank_apply(int16_t out[4][KSR_TILE], const int16_t *const tap[KSR_BANK_TAPS],
                    const int16_t class[KSR_TILE], int count)
{
    const __m256i zero = _mm256_setzero_si256();
    for (int i = 0; i < count; i += 16) {
        const __m256i c = _mm256_loadu_si256((const __m256i *)(class + i));
        const __m256i class_low = _mm256_unpacklo_epi16(c, zero);
        const __m256i class_high = _mm256_unpackhi_epi16(c, zero);
        __m256i low[4], high[4];
        for (int p = 0; p < 4; p++)
            low[p] = high[p] = _mm256_set1_epi32(HALF);
        for (int k = 0; k < PAIRS; k++) {
            const __m256i a = _mm256_loadu_si256((const __m256i *)(tap[2 * k] + i));
            const __m256i b = _mm256_loadu_si256((const __m256i *)(tap[2 * k + 1] + i));
            const __m256i taps_low = _mm256_unpacklo_epi16(a, b);
            const __m256i taps_high = _mm256_unpackhi_epi16(a, b);
            for (int p = 0; p < 4; p++) {
                low[p] = ksr_add_pairs_256(low[p], gather(ksr_bank[p][k], class_low), taps_low);
                high[p] = ksr_add_pairs_256(high[p], gather(ksr_bank[p][k], class_high), taps_high);
            }
        }
        for (int p = 0; p < 4; p++)
            _mm256_storeu_si256((__m256i *)(out[p] + i),
                                _mm256_packs_epi32(_mm256_srai_epi32(low[p], KSR_BANK_BITS),
                                                   _mm256_srai_epi32(high[p], KSR_BANK_BITS)));
    }
}

#endif
