// The learned filters at work, AVX2 and AVX-512; equal to the plain C one in stages/bank.c.
//
// A pair of taps is multiplied and added by one instruction; its coefficients differ from sample to
// sample. With AVX-512 a register has pairs of as many samples as it has 32-bit lanes, and the 32
// classes of one pair are two registers, from which a permutation by class picks. AVX2 could only
// gather, which takes a load per sample and coefficient; there a register has four taps of one
// sample for all four outputs, and what belongs to its class follows each other in memory.

#include "stages/bank.h"

#include <stddef.h>

#include "core/attributes.h"
#include "core/x86/pairs.h"

#define PAIRS (KSR_BANK_TAPS / 2)
#define BLOCK KSR_BANK_BLOCK
#define HALF  (1 << (KSR_BANK_BITS - 1))

// Returns the k-th difference of a patch that is not the one in the middle.
static inline const int16_t *tap_lane(ksr_bank_lane patch[KSR_BANK_TAPS + 1], int k)
{
    return patch[k + (k >= KSR_BANK_TAPS / 2)];
}

#if defined(__AVX512BW__)

_Static_assert(KSR_BANK_CLASSES == 32, "a permutation picks one of 32");
_Static_assert(BLOCK == 32, "a register has all samples");

void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    (void)bank; // ksr_bank is read as it is
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    ksr_bank_lane patch[KSR_BANK_TAPS + 1], const int16_t class[BLOCK])
{
    (void)bank;
    // Interleaving splits the samples into two registers, and packing puts them together.
    const __m512i zero = _mm512_setzero_si512();
    const __m512i c = _mm512_loadu_si512(class);
    const __m512i class_low = _mm512_unpacklo_epi16(c, zero);
    const __m512i class_high = _mm512_unpackhi_epi16(c, zero);
    __m512i low[4], high[4];
    for (int p = 0; p < 4; p++)
        low[p] = high[p] = _mm512_set1_epi32(HALF);
    for (int k = 0; k < PAIRS; k++) {
        const __m512i a = _mm512_loadu_si512(tap_lane(patch, 2 * k));
        const __m512i b = _mm512_loadu_si512(tap_lane(patch, 2 * k + 1));
        const __m512i taps_low = _mm512_unpacklo_epi16(a, b);
        const __m512i taps_high = _mm512_unpackhi_epi16(a, b);
        for (int p = 0; p < 4; p++) {
            const __m512i first = _mm512_loadu_si512(ksr_bank[p][k]);
            const __m512i last = _mm512_loadu_si512(ksr_bank[p][k] + 16);
            low[p] = ksr_add_pairs_512(low[p], _mm512_permutex2var_epi32(first, class_low, last),
                                       taps_low);
            high[p] = ksr_add_pairs_512(high[p], _mm512_permutex2var_epi32(first, class_high, last),
                                        taps_high);
        }
    }
    for (int p = 0; p < 4; p++)
        _mm512_storeu_si512(out[p], _mm512_packs_epi32(_mm512_srai_epi32(low[p], KSR_BANK_BITS),
                                                       _mm512_srai_epi32(high[p], KSR_BANK_BITS)));
}

#else

#define QUADS    (KSR_BANK_TAPS / 4)

// For every class, four taps after the other: their coefficients of outputs 0, 1, 2 and 3.
void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    for (int c = 0; c < KSR_BANK_CLASSES; c++)
        for (int k = 0; k < KSR_BANK_TAPS; k++)
            for (int p = 0; p < 4; p++)
                bank->of_class[c][(k / 4 * 4 + p) * 4 + k % 4] = ksr_bank[p][k / 2][c][k & 1];
}

// What the filters of 16 samples read: their taps in fours, and where the coefficients of their
// classes lie, in bytes from those of class 0.
struct turned {
    _Alignas(32) int64_t taps[QUADS][16];
    _Alignas(32) uint16_t filters[16];
};

// Where sample i of 16 lies after turn_taps().
#define PLACE(i) ((((i)&6) * 2) | (((i)&8) >> 2) | ((i)&1))

// Puts four taps of one sample together, 16 samples at once.
static inline void turn_taps(int64_t to[16], ksr_bank_lane patch[KSR_BANK_TAPS + 1], int k, int i)
{
    __m256i t[4];
    for (int j = 0; j < 4; j++)
        t[j] = _mm256_loadu_si256((const __m256i *)(tap_lane(patch, k + j) + i));
    const __m256i low = _mm256_unpacklo_epi16(t[0], t[1]), high = _mm256_unpackhi_epi16(t[0], t[1]);
    const __m256i low_2 = _mm256_unpacklo_epi16(t[2], t[3]),
                  high_2 = _mm256_unpackhi_epi16(t[2], t[3]);
    __m256i *v = (__m256i *)to;
    _mm256_store_si256(v, _mm256_unpacklo_epi32(low, low_2));
    _mm256_store_si256(v + 1, _mm256_unpackhi_epi32(low, low_2));
    _mm256_store_si256(v + 2, _mm256_unpacklo_epi32(high, high_2));
    _mm256_store_si256(v + 3, _mm256_unpackhi_epi32(high, high_2));
}

static inline void find_filters(uint16_t filters[16], const int16_t class[16])
{
    const __m256i size = _mm256_set1_epi16(KSR_BANK_TAPS * 4 * sizeof(int16_t));
    const __m256i v = _mm256_loadu_si256((const __m256i *)class);
    _mm256_store_si256((__m256i *)filters, _mm256_mullo_epi16(v, size));
}

// Filters one sample. Returns pairs to be added: outputs 0 and 1 in the low half, 2 and 3 in the
// high one.
static inline __m256i filter_one(const struct ksr_bank_order *bank, const struct turned *t, int j)
{
    const __m256i *filters = (const __m256i *)((const char *)bank->of_class + t->filters[j]);
    __m256i sum = _mm256_set1_epi32(0);
    for (int k = 0; k < QUADS; k++)
        sum = ksr_add_pairs_256(sum, filters[k], _mm256_set1_epi64x(t->taps[k][PLACE(j)]));
    return sum;
}

static inline __m256i filter_two(const struct ksr_bank_order *bank, const struct turned *t, int j)
{
    const __m256 a = _mm256_castsi256_ps(filter_one(bank, t, j));
    const __m256 b = _mm256_castsi256_ps(filter_one(bank, t, j + 1));
    const __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
    const __m256i odd = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xDD));
    const __m256i sum = _mm256_add_epi32(even, _mm256_add_epi32(odd, _mm256_set1_epi32(HALF)));
    return _mm256_srai_epi32(sum, KSR_BANK_BITS);
}

// Filters four samples: outputs 0 and 1 of each in the low half, 2 and 3 in the high one.
static inline __m256i filter_four(const struct ksr_bank_order *bank, const struct turned *t, int j)
{
    // Within halves: the even 16-bit lanes, then the odd ones.
    const __m256i apart = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    return _mm256_shuffle_epi8(
        _mm256_packs_epi32(filter_two(bank, t, j), filter_two(bank, t, j + 2)), apart);
}

static inline void store_halves(int16_t *low, int16_t *high, __m256i v)
{
    _mm_storeu_si128((__m128i *)low, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)high, _mm256_extracti128_si256(v, 1));
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    ksr_bank_lane patch[KSR_BANK_TAPS + 1], const int16_t class[BLOCK])
{
    struct turned turned;
    for (int i = 0; i < BLOCK; i += 16) {
        for (int k = 0; k < QUADS; k++)
            turn_taps(turned.taps[k], patch, 4 * k, i);
        find_filters(turned.filters, class + i);
        // Loads that broadcast cost less than permuting what is in registers.
        KSR_OPAQUE_MEMORY(&turned);
        KSR_UNROLL(2)
        for (int j = 0; j < 16; j += 8) {
            const __m256i a = filter_four(bank, &turned, j);
            const __m256i b = filter_four(bank, &turned, j + 4);
            store_halves(out[0] + i + j, out[2] + i + j, _mm256_unpacklo_epi64(a, b));
            store_halves(out[1] + i + j, out[3] + i + j, _mm256_unpackhi_epi64(a, b));
        }
    }
}

#endif
