// Sums of products of 16-bit pairs: one instruction with VNNI, two without.

#ifndef KSR_CORE_X86_PAIRS_H
#define KSR_CORE_X86_PAIRS_H

#include <immintrin.h>

#if defined(__AVX512VNNI__) && defined(__GNUC__)
// Returns sum with four products of u8 (a) and s8 (b) added in every lane. As an instruction and
// not as an intrinsic, for which GCC 12 copies and spills sums: 1.75 times slower in a loop over 24
// of them.
static inline __m512i ksr_add_fours_512(__m512i sum, __m512i a, __m512i b)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}
#elif defined(__AVX512VNNI__)
static inline __m512i ksr_add_fours_512(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_dpbusd_epi32(sum, a, b);
}
#endif

#if defined(__AVXVNNI__) && defined(__GNUC__)
// The same for 256 bits, in the form that processors without AVX-512 know.
static inline __m256i ksr_add_fours_256(__m256i sum, __m256i a, __m256i b)
{
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
}
#elif defined(__AVXVNNI__)
static inline __m256i ksr_add_fours_256(__m256i sum, __m256i a, __m256i b)
{
    return _mm256_dpbusd_avx_epi32(sum, a, b);
}
#endif

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
#if defined(__AVXVNNI__)
    return _mm256_dpwssd_avx_epi32(sum, a, b);
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
}

#endif
