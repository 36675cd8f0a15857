// The learned filters at work, AVX2 and AVX-512; equal to the plain C one in stages/bank.c.
//
// A pair of taps is multiplied and added by one instruction; its coefficients differ from sample to
// sample. With AVX-512 a register has pairs of as many samples as it has 32-bit lanes, and the 32
// classes of one pair are two registers, from which a permutation by class picks. AVX2 could only
// gather, which takes a load per sample and coefficient; there a register has eight taps of one
// sample for two outputs, and what belongs to its class follows each other in memory. Loads and
// stores are what limits that.

#include "stages/bank.h"

#include <stddef.h>

#include "core/attributes.h"
#include "core/x86/pairs.h"
#include "stages/lanes/taps.h"

#define PAIRS (KSR_BANK_TAPS / 2)
#define BLOCK KSR_BANK_BLOCK
#define HALF  (1 << (KSR_BANK_BITS - 1))

#if defined(__AVX512BW__)

_Static_assert(KSR_BANK_CLASSES == 32, "a permutation picks one of 32");
_Static_assert(BLOCK == 32, "a register has all samples");

// Returns the k-th difference of a patch that is not the one in the middle.
static inline const int16_t *tap_lane(const struct ksr_bank_patch *patch, int k)
{
    return patch->of[k + (k >= KSR_BANK_TAPS / 2)];
}

void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    (void)bank; // ksr_bank is read as it is
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    const struct ksr_bank_patch *patch, const int16_t class[BLOCK])
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

// For every class, eight taps after the other: their coefficients of outputs 0 and 2, then 1 and 3.
void ksr_bank_prepare(struct ksr_bank_order *bank)
{
    for (int c = 0; c < KSR_BANK_CLASSES; c++)
        for (int k = 0; k < KSR_BANK_TAPS; k++) {
            const int place = taps_place[k / 8][k % 8];
            const int tap = place - (place > KSR_BANK_TAPS / 2);
            for (int p = 0; p < 4; p++)
                bank->of_class[c][(k / 8 * 4 + p % 2 * 2 + p / 2) * 8 + k % 8] =
                    ksr_bank[p][tap / 2][c][tap & 1];
        }
}

// Where the coefficients of each sample's class lie, in bytes from those of class 0.
static inline void find_filters(uint16_t filters[16], const int16_t class[16])
{
    const __m256i size = _mm256_set1_epi16(KSR_BANK_TAPS * 4 * sizeof(int16_t));
    const __m256i v = _mm256_loadu_si256((const __m256i *)class);
    _mm256_store_si256((__m256i *)filters, _mm256_mullo_epi16(v, size));
}

// What the filters of a block read.
struct filtering {
    const struct ksr_bank_order *bank;
    const struct ksr_bank_patch *patch;
    _Alignas(32) uint16_t filters[BLOCK];
};

// Adds neighbouring lanes: those of a, then those of b, within halves.
static inline __m256i add_neighbours(__m256i a, __m256i b)
{
    const __m256 v = _mm256_castsi256_ps(a), w = _mm256_castsi256_ps(b);
    return _mm256_add_epi32(_mm256_castps_si256(_mm256_shuffle_ps(v, w, 0x88)),
                            _mm256_castps_si256(_mm256_shuffle_ps(v, w, 0xDD)));
}

// Filters sample j. Returns halves of sums, to be added: outputs 0 and 1 in the low half, 2 and 3
// in the high one.
static inline __m256i filter_one(const struct filtering *f, int j)
{
    const __m256i *filters = (const __m256i *)((const char *)f->bank->of_class + f->filters[j]);
    __m256i a = _mm256_setzero_si256(), b = a;
    for (int k = 0; k < TAPS_GROUPS; k++) {
        const __m256i taps = _mm256_broadcastsi128_si256(
            _mm_load_si128((const __m128i *)f->patch->taps[k][TAPS_OF(j)]));
        a = ksr_add_pairs_256(a, filters[2 * k], taps);
        b = ksr_add_pairs_256(b, filters[2 * k + 1], taps);
    }
    return add_neighbours(a, b);
}

static inline __m256i filter_two(const struct filtering *f, int j)
{
    const __m256i sum = _mm256_add_epi32(add_neighbours(filter_one(f, j), filter_one(f, j + 1)),
                                         _mm256_set1_epi32(HALF));
    return _mm256_srai_epi32(sum, KSR_BANK_BITS);
}

// Filters four samples: outputs 0 and 1 of each in the low half, 2 and 3 in the high one.
static inline __m256i filter_four(const struct filtering *f, int j)
{
    // Within halves: the even 16-bit lanes, then the odd ones.
    const __m256i apart = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    return _mm256_shuffle_epi8(_mm256_packs_epi32(filter_two(f, j), filter_two(f, j + 2)), apart);
}

static inline void store_halves(int16_t *low, int16_t *high, __m256i v)
{
    _mm_storeu_si128((__m128i *)low, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)high, _mm256_extracti128_si256(v, 1));
}

void ksr_bank_apply(ksr_bank_lane out[4], const struct ksr_bank_order *bank,
                    const struct ksr_bank_patch *patch, const int16_t class[BLOCK])
{
    struct filtering f = {bank, patch, {0}};
    for (int j = 0; j < BLOCK; j += 16)
        find_filters(f.filters + j, class + j);
    KSR_OPAQUE_MEMORY(&f); // loads cost less than taking them out of a register
    KSR_UNROLL(2)
    for (int j = 0; j < BLOCK; j += 8) {
        const __m256i a = filter_four(&f, j), b = filter_four(&f, j + 4);
        store_halves(out[0] + j, out[2] + j, _mm256_unpacklo_epi64(a, b));
        store_halves(out[1] + j, out[3] + j, _mm256_unpackhi_epi64(a, b));
    }
}

#endif
