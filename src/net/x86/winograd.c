// Four rows of a 3x3 convolution at once, by Winograd's F(4x4, 3x3): 36 products for 16 outputs of
// one input, where the definition has 144; equal to net/conv.c.
//
// A tile is 4 x 4 outputs, made of 6 x 6 inputs. With the three matrices of the method, scaled to
// integers,
//
//   inputs    V = B d B', exact in 16 bits for activations of 0..255 (at most 17340)
//   weights   U = G w G', exact in 16 bits, made once (net.c)
//   products  M = the sum of U * V over all inputs, for each of the 36 places by itself
//   outputs   A M A' = 576 times the sum that is wanted: 24 for rows and 24 for columns
//
// Sums and products wrap around at 32 bits, as all of it is addition and multiplication modulo
// 2^32. There 576 = 64 * 9, and 9 has an inverse: times that it is 64 times the sum, which fits if
// the sum itself has 26 bits. net.c proves this from the weights; a layer that fails has no U and
// is computed directly.

#include "net/x86/vector.h"

#include <stdbool.h>

#if KSR_NET_TILED

#define TILES   24                         // of a chunk: PIXELS divides it
#define COLUMNS (TILES * KSR_NET_TILE + 2) // that a chunk reads
#define SIDE    (KSR_NET_TILE + 2)         // of the inputs of a tile
#define PLACES  (SIDE * SIDE)              // in it
#define BLOCK   (2 * LANES)                // outputs that are made at once, at most
#define NINTH   0x38e38e39                 // 9 * NINTH = 1 modulo 2^32

_Static_assert(TILES % PIXELS == 0 && PIXELS * KSR_NET_TILE + 2 <= KSR_NET_SPARE,
               "blocks of tiles go beyond the last pixel");

struct work {
    int16_t column[SIDE][COLUMNS][16];                      // B d, of 16 inputs
    int16_t input[PLACES * (TILES * KSR_MODEL_WIDTH + 32)]; // V: [place][tile][input]
    int32_t product[TILES][PLACES][BLOCK];                  // M
};

_Static_assert(sizeof(struct work) <= KSR_NET_WORK, "the memory suffices");

// Returns V of a place. Places are an odd number of cache lines apart: not all in the same set.
static inline int16_t *input_at(struct work *k, int place, int inputs)
{
    return k->input + place * (TILES * inputs + 32);
}

// B times six values.
static inline __attribute__((always_inline)) void spread_six(const __m256i d[SIDE],
                                                             __m256i out[SIDE])
{
    const __m256i even = _mm256_sub_epi16(d[4], _mm256_slli_epi16(d[2], 2));
    const __m256i odd = _mm256_sub_epi16(d[3], _mm256_slli_epi16(d[1], 2));
    const __m256i near = _mm256_sub_epi16(d[4], d[2]);
    const __m256i far = _mm256_slli_epi16(_mm256_sub_epi16(d[3], d[1]), 1);
    out[0] = _mm256_add_epi16(_mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 2), near);
    out[1] = _mm256_add_epi16(even, odd);
    out[2] = _mm256_sub_epi16(even, odd);
    out[3] = _mm256_add_epi16(near, far);
    out[4] = _mm256_sub_epi16(near, far);
    out[5] = _mm256_sub_epi16(_mm256_sub_epi16(d[5], d[3]), _mm256_slli_epi16(far, 1));
}

// Inputs from `i` on, of columns from x on.
static __attribute__((noinline)) void transform_columns(struct work *k,
                                                        const ksr_act *const in[SIDE], int inputs,
                                                        int x, int i, int columns)
{
    for (int c = 0; c < columns; c++) {
        __m256i d[SIDE], v[SIDE];
        _Pragma("GCC unroll 6") for (int r = 0; r < SIDE; r++) d[r] =
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(in[r] + (x + c) * inputs + i)));
        spread_six(d, v);
        _Pragma("GCC unroll 6") for (int r = 0; r < SIDE; r++)
            _mm256_store_si256((__m256i *)k->column[r][c], v[r]);
    }
}

static __attribute__((noinline)) void transform_rows(struct work *k, int inputs, int i, int tiles)
{
    for (int t = 0; t < tiles; t++)
        for (int r = 0; r < SIDE; r++) {
            __m256i d[SIDE], v[SIDE];
            _Pragma("GCC unroll 6") for (int c = 0; c < SIDE; c++) d[c] =
                _mm256_load_si256((const __m256i *)k->column[r][t * KSR_NET_TILE + c]);
            spread_six(d, v);
            _Pragma("GCC unroll 6") for (int c = 0; c < SIDE; c++) _mm256_store_si256(
                (__m256i *)(input_at(k, r * SIDE + c, inputs) + t * inputs + i), v[c]);
        }
}

#define START(p) vector low##p = zero(), high##p = low##p;

#define ADD_PAIR(p)                                                                                \
    if (two)                                                                                       \
        add_both(&low##p, &high##p, a + p * inputs, w_low, w_high);                                \
    else                                                                                           \
        low##p = pairs(low##p, spread(a + p * inputs), w_low);

#define KEEP(p)                                                                                    \
    {                                                                                              \
        keep(out[p][0], low##p);                                                                   \
        if (two)                                                                                   \
            keep(out[p][0] + LANES, high##p);                                                      \
    }

// PIXELS tiles at one place. next: from the weights of one register to those of the other.
static inline __attribute__((always_inline)) void multiply_tiles(const int16_t *w, int next,
                                                                 const int16_t *a,
                                                                 int32_t (*out)[PLACES][BLOCK],
                                                                 const int inputs, const bool two)
{
    EACH_PIXEL(START)
    for (int i = 0; i < inputs; i += 2, a += 2, w += 32) {
        const vector w_low = load(w), w_high = two ? load(w + next) : w_low;
        EACH_PIXEL(ADD_PAIR)
    }
    EACH_PIXEL(KEEP)
}

// Outputs from `o` on, of all tiles and places.
static inline __attribute__((always_inline)) void multiply_places(const struct ksr_net_layer *l,
                                                                  struct work *k, int o, int tiles,
                                                                  const int inputs, const bool two)
{
    const int next = LANES == 16 ? 16 * inputs : 16;
    for (int place = 0; place < PLACES; place++) {
        const int16_t *w = l->tiled16 + (place * l->outputs + o) * inputs;
        for (int t = 0; t < tiles; t += PIXELS)
            multiply_tiles(w, next, input_at(k, place, inputs) + t * inputs,
                           (int32_t(*)[PLACES][BLOCK]) & k->product[t][place], inputs, two);
    }
}

static __attribute__((noinline)) void multiply_any(const struct ksr_net_layer *l, struct work *k,
                                                   int o, int tiles, bool two)
{
#define CASE(inputs)                                                                               \
    if (two)                                                                                       \
        multiply_places(l, k, o, tiles, inputs, true);                                             \
    else                                                                                           \
        multiply_places(l, k, o, tiles, inputs, false);                                            \
    break;
    switch (l->inputs) {
    case 16: CASE(16)
    case 32: CASE(32)
    case 48: CASE(48)
    case 64: CASE(64)
    case 96: CASE(96)
    default: CASE(128)
    }
}

// A times six values.
static inline __attribute__((always_inline)) void gather_six(const vector m[SIDE],
                                                             vector out[KSR_NET_TILE])
{
    const vector sum = add(m[1], m[2]), difference = subtract(m[1], m[2]);
    const vector sum2 = add(m[3], m[4]), difference2 = times(subtract(m[3], m[4]), 1);
    out[0] = add(add(m[0], sum), sum2);
    out[1] = add(difference, difference2);
    out[2] = add(sum, times(sum2, 2));
    out[3] = add(add(difference, times(difference2, 2)), times(m[5], 1));
}

// LANES outputs of a tile, 64 times too large.
static inline __attribute__((always_inline)) void
gather_tile(const int32_t (*m)[BLOCK], vector bias, vector out[KSR_NET_TILE][KSR_NET_TILE])
{
    vector column[KSR_NET_TILE][SIDE];
    for (int c = 0; c < SIDE; c++) {
        vector v[SIDE], y[KSR_NET_TILE];
        _Pragma("GCC unroll 6") for (int r = 0; r < SIDE; r++) v[r] = load(m[r * SIDE + c]);
        if (c == 1)
            v[1] = add(v[1], bias); // what is here reaches every output once
        gather_six(v, y);
        _Pragma("GCC unroll 4") for (int r = 0; r < KSR_NET_TILE; r++) column[r][c] = y[r];
    }
    for (int r = 0; r < KSR_NET_TILE; r++)
        gather_six(column[r], out[r]);
}

// What turns BLOCK outputs of all tiles into activations.
struct finish {
    vector bias[2], shift[2];
};

static inline struct finish finish_of(const struct ksr_net_layer *l, int o, bool two)
{
    struct finish f;
    for (int h = 0; h < 2; h++) {
        const int at = o + (two ? h * LANES : 0);
        f.bias[h] = multiply(load(l->bias + at), set(576));
        f.shift[h] = add(load(l->shift + at), set(6));
    }
    return f;
}

static inline vector finished(vector y, vector shift, const ksr_act *skip)
{
    const vector v = shift_by(multiply(y, set(NINTH)), shift);
    return skip ? add_skip(v, skip) : v;
}

// Two pixels, `step` apart; at: where the first one's outputs are.
static inline __attribute__((always_inline)) void store_two(const struct finish *f,
                                                            vector (*y)[4][4], int r, int c,
                                                            const ksr_act *skip, ksr_act *out,
                                                            int step, bool two)
{
#if LANES == 8
    __m256i pixel[2];
    for (int p = 0; p < 2; p++) {
        const ksr_act *s = skip ? skip + p * step : NULL;
        pixel[p] = _mm256_packs_epi32(finished(y[0][r][c + p], f->shift[0], s),
                                      finished(y[1][r][c + p], f->shift[1], s ? s + LANES : NULL));
    }
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    const __m256i both =
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(pixel[0], pixel[1]), order);
    _mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(both));
    _mm_storeu_si128((__m128i *)(out + step), _mm256_extracti128_si256(both, 1));
    (void)two;
#else
    for (int p = 0; p < 2; p++)
        for (int h = 0; h < (two ? 2 : 1); h++) {
            const int at = p * step + h * LANES;
            store(out + at, finished(y[h][r][c + p], f->shift[h], skip ? skip + at : NULL));
        }
#endif
}

static inline __attribute__((always_inline)) void
finish_tiles(const struct ksr_net_layer *l, const struct work *k,
             const ksr_act *const skip[KSR_NET_TILE], ksr_act *const out[KSR_NET_TILE], int x,
             int o, int tiles, const bool two)
{
    const struct finish f = finish_of(l, o, two);
    for (int t = 0; t < tiles; t++) {
        vector y[2][KSR_NET_TILE][KSR_NET_TILE];
        for (int h = 0; h < (two ? 2 : 1); h++)
            gather_tile((const int32_t(*)[BLOCK]) & k->product[t][0][h * LANES], f.bias[h], y[h]);
        for (int r = 0; r < KSR_NET_TILE; r++)
            for (int c = 0; c < KSR_NET_TILE; c += 2) {
                const int at = (x + t * KSR_NET_TILE + c) * l->outputs + o;
                store_two(&f, y, r, c, skip ? skip[r] + at : NULL, out[r] + at, l->outputs, two);
            }
    }
}

static __attribute__((noinline)) void finish_any(const struct ksr_net_layer *l,
                                                 const struct work *k,
                                                 const ksr_act *const skip[KSR_NET_TILE],
                                                 ksr_act *const out[KSR_NET_TILE], int x, int o,
                                                 int tiles, bool two)
{
    if (two || BLOCK == 16) // outputs come in 16
        finish_tiles(l, k, skip, out, x, o, tiles, true);
    else
        finish_tiles(l, k, skip, out, x, o, tiles, false);
}

void ksr_net_winograd(const struct ksr_net_layer *l, const ksr_act *const in[],
                      const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    struct work *k = work;
    for (int x = 0; x < count; x += TILES * KSR_NET_TILE) {
        const int left = (count - x + KSR_NET_TILE - 1) / KSR_NET_TILE;
        const int wanted = left < TILES ? left : TILES;
        const int tiles = (wanted + PIXELS - 1) / PIXELS * PIXELS;
        for (int i = 0; i < l->inputs; i += 16) {
            transform_columns(k, in, l->inputs, x, i, tiles * KSR_NET_TILE + 2);
            transform_rows(k, l->inputs, i, tiles);
        }
        for (int o = 0; o < l->outputs; o += BLOCK) {
            const bool two = o + BLOCK <= l->outputs;
            multiply_any(l, k, o, tiles, two);
            finish_any(l, k, skip, out, x, o, wanted, two);
        }
    }
}

#endif
