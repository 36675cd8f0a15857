// Vectors of 16-bit lanes, as wide as the level has them: 16 with AVX2, 32 with AVX-512. So one
// source serves both.

#ifndef KSR_CORE_X86_LANES_H
#define KSR_CORE_X86_LANES_H

#include <immintrin.h>
#include <stdint.h>

#include "core/x86/pairs.h"

#if defined(__AVX512BW__)

#define LANES       32
#define LANES_OF(f) _mm512_##f
typedef __m512i lanes;
typedef __mmask32 lane_mask; // a bit for every lane

static inline lanes lanes_load(const void *from)
{
    return _mm512_loadu_si512(from);
}

// Returns the same 128 bits in every part.
static inline lanes lanes_repeat(__m128i v)
{
    return _mm512_broadcast_i32x4(v);
}

static inline void lanes_store(void *to, lanes v)
{
    _mm512_storeu_si512(to, v);
}

// Returns where a < b.
static inline lane_mask lanes_less(lanes a, lanes b)
{
    return _mm512_cmplt_epi16_mask(a, b);
}

// Returns where a lane is negative.
static inline lane_mask lanes_negative(lanes v)
{
    return _mm512_movepi16_mask(v);
}

// Returns the mask that memory has as -1 and 0.
static inline lane_mask lanes_load_mask(const int16_t *from)
{
    return lanes_negative(lanes_load(from));
}

// Returns whether any bit is set.
static inline int lanes_any(lanes v)
{
    return _mm512_test_epi16_mask(v, v) != 0;
}

// Returns b where the mask is set, else a.
static inline lanes lanes_pick(lane_mask mask, lanes a, lanes b)
{
    return _mm512_mask_blend_epi16(mask, a, b);
}

// Returns v, negated where the mask is set.
static inline lanes lanes_negate(lane_mask mask, lanes v)
{
    return _mm512_mask_sub_epi16(v, mask, _mm512_setzero_si512(), v);
}

static inline lanes lanes_and(lanes a, lanes b)
{
    return _mm512_and_si512(a, b);
}

static inline lanes lanes_or(lanes a, lanes b)
{
    return _mm512_or_si512(a, b);
}

static inline lanes lanes_xor(lanes a, lanes b)
{
    return _mm512_xor_si512(a, b);
}

// Returns a[0], b[1], a[2], b[3] ..
static inline lanes lanes_alternate(lanes a, lanes b)
{
    return _mm512_mask_blend_epi16(0xAAAAAAAA, a, b);
}

// Writes a[0], b[0], a[1], b[1] ..
static inline void lanes_store_interleaved(void *to, lanes a, lanes b)
{
    const __m512i low = _mm512_unpacklo_epi16(a, b), high = _mm512_unpackhi_epi16(a, b);
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i last = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    _mm512_storeu_si512(to, _mm512_permutex2var_epi64(low, first, high));
    _mm512_storeu_si512((int16_t *)to + LANES, _mm512_permutex2var_epi64(low, last, high));
}

#else

#define LANES       16
#define LANES_OF(f) _mm256_##f
typedef __m256i lanes;
typedef __m256i lane_mask; // all bits of a lane, or none

static inline lanes lanes_load(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

static inline lanes lanes_repeat(__m128i v)
{
    return _mm256_broadcastsi128_si256(v);
}

static inline void lanes_store(void *to, lanes v)
{
    _mm256_storeu_si256((__m256i *)to, v);
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return _mm256_cmpgt_epi16(b, a);
}

static inline lane_mask lanes_negative(lanes v)
{
    return _mm256_srai_epi16(v, 15);
}

static inline lane_mask lanes_load_mask(const int16_t *from)
{
    return lanes_load(from);
}

static inline int lanes_any(lanes v)
{
    return !_mm256_testz_si256(v, v);
}

static inline lanes lanes_pick(lane_mask mask, lanes a, lanes b)
{
    return _mm256_blendv_epi8(a, b, mask);
}

static inline lanes lanes_negate(lane_mask mask, lanes v)
{
    return _mm256_sign_epi16(v, _mm256_or_si256(mask, _mm256_set1_epi16(1)));
}

static inline lanes lanes_and(lanes a, lanes b)
{
    return _mm256_and_si256(a, b);
}

static inline lanes lanes_or(lanes a, lanes b)
{
    return _mm256_or_si256(a, b);
}

static inline lanes lanes_xor(lanes a, lanes b)
{
    return _mm256_xor_si256(a, b);
}

static inline lanes lanes_alternate(lanes a, lanes b)
{
    return _mm256_blend_epi16(a, b, 0xAA);
}

static inline void lanes_store_interleaved(void *to, lanes a, lanes b)
{
    const __m256i low = _mm256_unpacklo_epi16(a, b), high = _mm256_unpackhi_epi16(a, b);
    lanes_store(to, _mm256_permute2x128_si256(low, high, 0x20));
    lanes_store((int16_t *)to + LANES, _mm256_permute2x128_si256(low, high, 0x31));
}

#endif

// Returns, in every 128-bit part, the first four lanes and the last four in turn.
static inline lanes lanes_interleave_halves(lanes v)
{
    const __m128i order = _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
    return LANES_OF(shuffle_epi8)(v, lanes_repeat(order));
}

static inline lanes lanes_set(int v)
{
    return LANES_OF(set1_epi16)((int16_t)v);
}

static inline lanes lanes_add(lanes a, lanes b)
{
    return LANES_OF(add_epi16)(a, b);
}

static inline lanes lanes_sub(lanes a, lanes b)
{
    return LANES_OF(sub_epi16)(a, b);
}

// As lanes_add() and lanes_sub(), limited to int16.
static inline lanes lanes_add_limited(lanes a, lanes b)
{
    return LANES_OF(adds_epi16)(a, b);
}

static inline lanes lanes_sub_limited(lanes a, lanes b)
{
    return LANES_OF(subs_epi16)(a, b);
}

// Returns 32-bit lanes: sum, and the products of both pairs of 16-bit lanes.
static inline lanes lanes_add_pairs(lanes sum, lanes a, lanes b)
{
#if LANES == 32
    return ksr_add_pairs_512(sum, a, b);
#else
    return ksr_add_pairs_256(sum, a, b);
#endif
}

// As lanes_add() and lanes_sub(), in 32-bit lanes.
static inline lanes lanes_add_32(lanes a, lanes b)
{
    return LANES_OF(add_epi32)(a, b);
}

static inline lanes lanes_sub_32(lanes a, lanes b)
{
    return LANES_OF(sub_epi32)(a, b);
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return LANES_OF(min_epi16)(a, b);
}

static inline lanes lanes_max(lanes a, lanes b)
{
    return LANES_OF(max_epi16)(a, b);
}

static inline lanes lanes_size(lanes v)
{
    return LANES_OF(abs_epi16)(v);
}

// Returns v >> bits.
static inline lanes lanes_shift(lanes v, unsigned bits)
{
    return LANES_OF(srai_epi16)(v, bits);
}

// Returns a * b / 32768, halves up.
static inline lanes lanes_scale(lanes a, lanes b)
{
    return LANES_OF(mulhrs_epi16)(a, b);
}

// Returns floor((a + b) / 2).
static inline lanes lanes_mean(lanes a, lanes b)
{
    return lanes_add(lanes_and(a, b), lanes_shift(lanes_xor(a, b), 1));
}

#endif
