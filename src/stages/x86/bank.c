// The learned filters at work, AVX2 and AVX-512; equal to the plain C one in stages/bank.c.
//
// A pair of taps is multiplied and added by one instruction; its coefficients differ from sample to
// sample. With AVX-512 a register has pairs of as many samples as it has 32-bit lanes, and the 32
// classes of one pair are two registers, from which a permutation by class picks. AVX2 could only
// gather, which takes a load per sample and coefficient; there a register has four taps of one
// sample for all four outputs, and what belongs to its class follows each other in memory.

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

#define QUADS    (KSR_BANK_TAPS / 4)

// The coefficients of a class, four taps after the other, as four taps of one sample meet them: for
// every output the two of taps 0 and 1, and those of taps 2 and 3.
typedef int32_t by_class[KSR_BANK_CLASSES][QUADS][8];

static void store_halves(int32_t *low, int32_t *high, __m256i v)
{
    _mm_store_si128((__m128i *)low, _mm256_castsi256_si128(v));
    _mm_store_si128((__m128i *)high, _mm256_extracti128_si256(v, 1));
}

// Eight classes' coefficients of four taps.
static void turn_filters(int32_t to[8][QUADS][8], int k, int class)
{
    __m256i u[4], v[4]; // per output, classes 0, 1, 4 and 5, and the others
    for (int p = 0; p < 4; p++) {
        const __m256i a = _mm256_loadu_si256((const __m256i *)ksr_bank[p][2 * k][class]);
        const __m256i b = _mm256_loadu_si256((const __m256i *)ksr_bank[p][2 * k + 1][class]);
        u[p] = _mm256_unpacklo_epi32(a, b);
        v[p] = _mm256_unpackhi_epi32(a, b);
    }
    for (int p = 0; p < 4; p += 2) {
        store_halves(to[0][k] + 2 * p, to[4][k] + 2 * p, _mm256_unpacklo_epi64(u[p], u[p + 1]));
        store_halves(to[1][k] + 2 * p, to[5][k] + 2 * p, _mm256_unpackhi_epi64(u[p], u[p + 1]));
        store_halves(to[2][k] + 2 * p, to[6][k] + 2 * p, _mm256_unpacklo_epi64(v[p], v[p + 1]));
        store_halves(to[3][k] + 2 * p, to[7][k] + 2 * p, _mm256_unpackhi_epi64(v[p], v[p + 1]));
    }
}

// Where sample i of 16 lies after turn_taps().
#define PLACE(i) ((((i)&6) * 2) | (((i)&8) >> 2) | ((i)&1))

// Puts four taps of one sample together, 16 samples at once.
static void turn_taps(int64_t to[16], const int16_t *const tap[4], int i)
{
    __m256i t[4];
    for (int k = 0; k < 4; k++)
        t[k] = _mm256_loadu_si256((const __m256i *)(tap[k] + i));
    const __m256i low = _mm256_unpacklo_epi16(t[0], t[1]), high = _mm256_unpackhi_epi16(t[0], t[1]);
    const __m256i low_2 = _mm256_unpacklo_epi16(t[2], t[3]),
                  high_2 = _mm256_unpackhi_epi16(t[2], t[3]);
    __m256i *v = (__m256i *)to;
    _mm256_store_si256(v, _mm256_unpacklo_epi32(low, low_2));
    _mm256_store_si256(v + 1, _mm256_unpackhi_epi32(low, low_2));
    _mm256_store_si256(v + 2, _mm256_unpacklo_epi32(high, high_2));
    _mm256_store_si256(v + 3, _mm256_unpackhi_epi32(high, high_2));
}

// Filters four samples: outputs 0 and 1 of each in the low half, 2 and 3 in the high one.
static inline __m256i filter_four(by_class filters, int64_t taps[QUADS][16], const int16_t *class,
                                  int first)
{
    __m256i sum[4];
    for (int j = 0; j < 4; j++) {
        const int place = PLACE(first + j);
        sum[j] = _mm256_set1_epi64x(HALF);
        for (int k = 0; k < QUADS; k++)
            sum[j] = ksr_add_pairs_256(
                sum[j], _mm256_load_si256((const __m256i *)filters[class[first + j]][k]),
                _mm256_set1_epi64x(taps[k][place]));
    }
    return _mm256_packs_epi32(_mm256_srai_epi32(_mm256_hadd_epi32(sum[0], sum[1]), KSR_BANK_BITS),
                              _mm256_srai_epi32(_mm256_hadd_epi32(sum[2], sum[3]), KSR_BANK_BITS));
}

void ksr_bank_apply(int16_t out[4][KSR_TILE], const int16_t *const tap[KSR_BANK_TAPS],
                    const int16_t class[KSR_TILE], int count)
{
    _Alignas(32) by_class filters;
    _Alignas(32) int64_t taps[QUADS][16];
    // Within halves: the even 16-bit lanes, then the odd ones.
    const __m256i apart = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15));
    for (int k = 0; k < QUADS; k++)
        for (int c = 0; c < KSR_BANK_CLASSES; c += 8)
            turn_filters(filters + c, k, c);
    for (int i = 0; i < count; i += 16) {
        for (int k = 0; k < QUADS; k++)
            turn_taps(taps[k], tap + 4 * k, i);
        for (int j = 0; j < 16; j += 8) {
            const __m256i a = _mm256_shuffle_epi8(filter_four(filters, taps, class + i, j), apart);
            const __m256i b =
                _mm256_shuffle_epi8(filter_four(filters, taps, class + i, j + 4), apart);
            const __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);
            _mm_storeu_si128((__m128i *)(out[0] + i + j), _mm256_castsi256_si128(even));
            _mm_storeu_si128((__m128i *)(out[1] + i + j), _mm256_castsi256_si128(odd));
            _mm_storeu_si128((__m128i *)(out[2] + i + j), _mm256_extracti128_si256(even, 1));
            _mm_storeu_si128((__m128i *)(out[3] + i + j), _mm256_extracti128_si256(odd, 1));
        }
    }
}

#endif
