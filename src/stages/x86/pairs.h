// Sums of products of 16-bit pairs: one instruction with VNNI, two without.

#ifndef KSR_STAGES_X86_PAIRS_H
#define KSR_STAGES_X86_PAIRS_H

#include <immintrin.h>

#if defined(__AVX512BW__)
static inline __m512i ksr_add_pairs_512(__m512i sum, __m512i a, __m512i b)
{
#if defined(__AVX512VNNI__)
    return _mm512_dpwssd_epi32(sum, a, b);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
#endif
}
#endif

static inline __m256i ksr_add_pairs_256(__m256i sum, __m256i a, __m256i b)
{
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

#endif
