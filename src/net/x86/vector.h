// The registers of a level and what the inner loops of the network do with them.

#ifndef KSR_NET_X86_VECTOR_H
#define KSR_NET_X86_VECTOR_H

#include <string.h>

#include "core/x86/pairs.h"
#include "net/conv.h"

#if defined(__AVX512BW__)
typedef __m512i vector;
#define LANES          16
#define PIXELS         12 // of a block
#define set(v)         _mm512_set1_epi32(v)
#define zero()         _mm512_setzero_si512()
#define load(p)        _mm512_loadu_si512(p)
#define keep(p, v)     _mm512_storeu_si512(p, v)
#define add(a, b)      _mm512_add_epi32(a, b)
#define subtract(a, b) _mm512_sub_epi32(a, b)
#define multiply(a, b) _mm512_mullo_epi32(a, b)
#define times(a, n)    _mm512_slli_epi32(a, n) // 2 to the power of n
#define shift_by(a, b) _mm512_srav_epi32(a, b)
#define pairs(s, a, b) ksr_add_pairs_512(s, a, b)
#else
typedef __m256i vector;
#define LANES          8
#define PIXELS         6
#define set(v)         _mm256_set1_epi32(v)
#define zero()         _mm256_setzero_si256()
#define load(p)        _mm256_loadu_si256((const __m256i *)(p))
#define keep(p, v)     _mm256_storeu_si256((__m256i *)(p), v)
#define add(a, b)      _mm256_add_epi32(a, b)
#define subtract(a, b) _mm256_sub_epi32(a, b)
#define multiply(a, b) _mm256_mullo_epi32(a, b)
#define times(a, n)    _mm256_slli_epi32(a, n)
#define shift_by(a, b) _mm256_srav_epi32(a, b)
#define pairs(s, a, b) ksr_add_pairs_256(s, a, b)
#endif

// A block of pixels: PIXELS by one or two registers of outputs. Each sum is a variable of its own:
// compilers do not keep an array of so many in registers.
#if LANES == 16
#define EACH_PIXEL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
#define EACH_PIXEL(X) X(0) X(1) X(2) X(3) X(4) X(5)
#endif

// Four bytes of inputs in every lane.
static inline vector spread(const void *p)
{
    int32_t v;
    memcpy(&v, p, sizeof(v));
    return set(v);
}

// Adds the products of the pair of inputs at p with the weights of two registers of outputs. As
// instructions and not as intrinsics: nearly all registers are in use in the loops around it, and
// GCC 12 would keep sums in memory instead of doing with one for products.
static inline __attribute__((always_inline)) void add_both(vector *low, vector *high, const void *p,
                                                           vector w_low, vector w_high)
{
#if defined(__GNUC__) && !defined(__AVXVNNI__) && !defined(__AVX512VNNI__)
    vector v, product;
    __asm__("vpbroadcastd %6, %2\n\t"
            "vpmaddwd %4, %2, %3\n\t"
            "vpaddd %3, %0, %0\n\t"
            "vpmaddwd %5, %2, %2\n\t"
            "vpaddd %2, %1, %1"
            : "+v"(*low), "+v"(*high), "=&v"(v), "=&v"(product)
            : "v"(w_low), "v"(w_high), "m"(*(const int32_t(*)[1])p));
#else
    const vector v = spread(p);
    *low = pairs(*low, v, w_low);
    *high = pairs(*high, v, w_high);
#endif
}

// Adds LANES activations of an earlier layer.
static inline vector add_skip(vector v, const ksr_act *skip)
{
#if LANES == 8
    return add(v, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)skip)));
#else
    return add(v, _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)skip)));
#endif
}

static inline void store(ksr_act *out, vector v)
{
#if LANES == 8
    const __m128i limited =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(limited, limited));
#else
    _mm_storeu_si128((__m128i *)out, _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, zero())));
#endif
}

#endif
