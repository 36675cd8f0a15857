// One row of one layer, AVX2, AVX-VNNI, AVX-512, its VNNI and AMX; equal to the plain C one in
// net/conv.c.
//
// A block of pixels by two registers of outputs is kept in registers while the kernel is gone
// through: per group of inputs each pixel's values are spread over a register and multiplied with
// the weights of all outputs. VNNI multiplies u8 by s8 and adds four products to a 32-bit lane,
// exactly. The others take pairs of 16 bits, since 8-bit products would have to pass through a
// 16-bit sum that saturates.

#include "net/conv.h"

#include <stdbool.h>
#include <string.h>

#include "core/x86/pairs.h"

#define GROUP KSR_NET_GROUP

#if defined(__AVX512BW__)
typedef __m512i vector;
#define LANES          16
#define PIXELS         12 // of a block
#define set(v)         _mm512_set1_epi32(v)
#define load(p)        _mm512_loadu_si512(p)
#define add(a, b)      _mm512_add_epi32(a, b)
#define shift_by(a, b) _mm512_srav_epi32(a, b)
#define pairs(s, a, b) ksr_add_pairs_512(s, a, b)
#else
typedef __m256i vector;
#define LANES          8
#define PIXELS         6
#define set(v)         _mm256_set1_epi32(v)
#define load(p)        _mm256_loadu_si256((const __m256i *)(p))
#define add(a, b)      _mm256_add_epi32(a, b)
#define shift_by(a, b) _mm256_srav_epi32(a, b)
#define pairs(s, a, b) ksr_add_pairs_256(s, a, b)
#endif

#if GROUP == 4
typedef int8_t weight;
#if LANES == 16
#define groups(s, a, b) ksr_add_fours_512(s, a, b)
#else
#define groups(s, a, b) ksr_add_fours_256(s, a, b)
#endif
#define weights_of(l) ((l)->weight8)
#else
typedef int16_t weight;
#define groups(s, a, b) pairs(s, a, b)
#define weights_of(l)   ((l)->weight16)
#endif

_Static_assert(PIXELS <= KSR_NET_SPARE, "blocks go beyond the last pixel");

// Four bytes of inputs in every lane.
static inline vector spread(const void *p)
{
    int32_t v;
    memcpy(&v, p, sizeof(v));
    return set(v);
}

static inline void store(ksr_act *out, vector v)
{
#if GROUP == 4 && LANES == 8
    const __m128i limited =
        _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64((__m128i *)out, _mm_packus_epi16(limited, limited));
#elif GROUP == 4
    _mm_storeu_si128((__m128i *)out,
                     _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512())));
#elif LANES == 16
    const __m512i limited =
        _mm512_min_epi32(_mm512_max_epi32(v, _mm512_setzero_si512()), _mm512_set1_epi32(255));
    _mm256_storeu_si256((__m256i *)out, _mm512_cvtepi32_epi16(limited));
#else
    const __m256i limited =
        _mm256_min_epi32(_mm256_max_epi32(v, _mm256_setzero_si256()), _mm256_set1_epi32(255));
    _mm_storeu_si128((__m128i *)out, _mm_packs_epi32(_mm256_castsi256_si128(limited),
                                                     _mm256_extracti128_si256(limited, 1)));
#endif
}

// A block of pixels: PIXELS by one or two registers of outputs, from output `o` on. Each sum is a
// variable of its own: compilers do not keep an array of so many in registers.
#if LANES == 16
#define EACH_PIXEL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
#define EACH_PIXEL(X) X(0) X(1) X(2) X(3) X(4) X(5)
#endif

#define START(p)                                                                                   \
    vector low##p = load(l->bias + o), high##p = two ? load(l->bias + o + LANES) : low##p;

#define STORE(p)                                                                                   \
    store(out + p * l->outputs + o, shift_by(low##p, load(l->shift + o)));                         \
    if (two)                                                                                       \
        store(out + p * l->outputs + o + LANES, shift_by(high##p, load(l->shift + o + LANES)));

#define ADD_GROUP(p)                                                                               \
    {                                                                                              \
        const vector v = spread(a + p * width);                                                    \
        low##p = groups(low##p, v, w_low);                                                         \
        if (two)                                                                                   \
            high##p = groups(high##p, v, w_high);                                                  \
    }

#define ADD_SAMPLES(p)                                                                             \
    {                                                                                              \
        const vector v = spread(a + p);                                                            \
        low##p = pairs(low##p, v, w_low);                                                          \
        if (two)                                                                                   \
            high##p = pairs(high##p, v, w_high);                                                   \
    }

#if defined(__AMX_INT8__)

// AMX: a tile is 16 rows of up to 64 bytes. TDPBUSD takes 16 pixels by up to 64 inputs and those
// inputs by 16 outputs, and adds all products to a tile of sums. A row of the kernel is side *
// width bytes of inputs side by side, taken 64 at a time; what is left at width 32 has tiles of its
// own.
//
// Tiles: 0, 1 the sums of 16 pixels for 16 outputs each, 2, 3 those of the next 16 pixels;
// 4 inputs and 5 weights; 6 and 7 the same for what is left.

struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};

static inline void shape_tile(struct tile_shapes *s, int tile, int rows, int bytes)
{
    s->rows[tile] = (uint8_t)rows;
    s->bytes[tile] = (uint16_t)bytes;
}

static inline void shape_tiles(int row)
{
    const int whole = row < 64 ? row : 64, left = row % whole;
    _Alignas(64) struct tile_shapes s = {.palette = 1};
    for (int i = 0; i < 4; i++)
        shape_tile(&s, i, 16, 64);
    shape_tile(&s, 4, 16, whole);
    shape_tile(&s, 5, whole / 4, 64);
    if (left > 0) {
        shape_tile(&s, 6, 16, left);
        shape_tile(&s, 7, left / 4, 64);
    }
    _tile_loadconfig(&s);
}

// Adds the products of inputs a and weights w to the sums. Tile numbers are part of instructions.
#define ADD_TILES(A, W, a, w)                                                                      \
    {                                                                                              \
        _tile_loadd(W, w, 4 * width);                                                              \
        _tile_loadd(A, a, width);                                                                  \
        _tile_dpbusd(0, A, W);                                                                     \
        if (more) {                                                                                \
            _tile_loadd(A, (a) + 16 * width, width);                                               \
            _tile_dpbusd(2, A, W);                                                                 \
        }                                                                                          \
        if (two) {                                                                                 \
            _tile_loadd(W, (w) + 64, 4 * width);                                                   \
            if (more) {                                                                            \
                _tile_dpbusd(3, A, W);                                                             \
                _tile_loadd(A, a, width);                                                          \
            }                                                                                      \
            _tile_dpbusd(1, A, W);                                                                 \
        }                                                                                          \
    }

static inline void store_sums(const struct ksr_net_layer *l, int32_t sum[16][16], ksr_act *out,
                              int o)
{
    const vector bias = load(l->bias + o), shift = load(l->shift + o);
    for (int p = 0; p < 16; p++)
        store(out + p * l->outputs + o, shift_by(add(load(sum[p]), bias), shift));
}

// 16 pixels, or 32 with `more`, by 16 outputs, or 32 with `two`, from output `o` on.
static inline __attribute__((always_inline)) void body_block(const struct ksr_net_layer *l,
                                                             const ksr_act *const in[3], int x,
                                                             ksr_act *out, int o, const int width,
                                                             const bool two, const bool more)
{
    const int row = l->side * width, whole = row < 64 ? row : 64, end = row - row % whole;
    _Alignas(64) int32_t sum[4][16][16];
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int r = 0; r < l->side; r++) {
        const ksr_act *a = in[r] + x * width;
        const int8_t *w = l->weight8 + r * row * width + 4 * o;
        for (int k = 0; k < end; k += whole)
            ADD_TILES(4, 5, a + k, w + k * width)
        if (end < row)
            ADD_TILES(6, 7, a + end, w + end * width)
    }
    _tile_stored(0, sum[0], 64);
    store_sums(l, sum[0], out, o);
    if (two) {
        _tile_stored(1, sum[1], 64);
        store_sums(l, sum[1], out, o + 16);
    }
    if (more) {
        _tile_stored(2, sum[2], 64);
        store_sums(l, sum[2], out + 16 * width, o);
    }
    if (two && more) {
        _tile_stored(3, sum[3], 64);
        store_sums(l, sum[3], out + 16 * width, o + 16);
    }
}

static inline __attribute__((always_inline)) void body_row(const struct ksr_net_layer *l,
                                                           const ksr_act *const in[3], ksr_act *out,
                                                           int count, const int width)
{
    shape_tiles(l->side * width);
    for (int x = 0; x < count; x += 32)
        for (int o = 0; o < width; o += 32)
            if (x + 16 < count)
                body_block(l, in, x, out + x * width, o, width, width >= 32, true);
            else
                body_block(l, in, x, out + x * width, o, width, width >= 32, false);
    _tile_release();
}

#else

static inline __attribute__((always_inline)) void body_block(const struct ksr_net_layer *l,
                                                             const ksr_act *const in[3], int x,
                                                             ksr_act *out, int o, const int width,
                                                             const bool two)
{
    EACH_PIXEL(START)
    const weight *w = weights_of(l) + o * GROUP;
    for (int r = 0; r < l->side; r++) {
        const ksr_act *a = in[r] + x * width;
        for (int i = 0; i < l->side * width; i += GROUP, a += GROUP, w += width * GROUP) {
            const vector w_low = load(w), w_high = two ? load(w + LANES * GROUP) : w_low;
            EACH_PIXEL(ADD_GROUP)
        }
    }
    EACH_PIXEL(STORE)
}

static inline __attribute__((always_inline)) void body_row(const struct ksr_net_layer *l,
                                                           const ksr_act *const in[3], ksr_act *out,
                                                           int count, const int width)
{
    for (int x = 0; x < count; x += PIXELS)
        for (int o = 0; o < width; o += 2 * LANES)
            body_block(l, in, x, out + x * width, o, width, width >= 2 * LANES);
}

#endif

void ksr_net_body(const struct ksr_net_layer *l, const ksr_act *const in[3], ksr_act *out,
                  int count)
{
    switch (l->outputs) {
    case 16: body_row(l, in, out, count, 16); break;
    case 32: body_row(l, in, out, count, 32); break;
    default: body_row(l, in, out, count, 64); break;
    }
}

static inline __attribute__((always_inline)) void head_block(const struct ksr_net_layer *l,
                                                             const int16_t *const in[5], int x,
                                                             ksr_act *out, int o, const bool two)
{
    EACH_PIXEL(START)
    const int16_t *w = l->weight16 + 2 * o;
    for (int r = 0; r < l->side; r++)
        for (int c = 0; c < l->side; c += 2, w += 2 * l->outputs) {
            const int16_t *a = in[r] + x + c;
            const vector w_low = load(w), w_high = two ? load(w + LANES * 2) : w_low;
            EACH_PIXEL(ADD_SAMPLES)
        }
    EACH_PIXEL(STORE)
}

void ksr_net_head(const struct ksr_net_layer *l, const int16_t *const in[5], ksr_act *out,
                  int count)
{
    for (int x = 0; x < count; x += PIXELS)
        for (int o = 0; o < l->outputs; o += 2 * LANES)
            if (l->outputs >= 2 * LANES)
                head_block(l, in, x, out + x * l->outputs, o, true);
            else
                head_block(l, in, x, out + x * l->outputs, o, false);
}

// --- The last layer: too few outputs for the lanes, which hold inputs instead ---

static inline void store_tail(const struct ksr_net_layer *l, int32_t *out, __m128i sum)
{
    const __m128i bias = _mm_loadu_si128((const __m128i *)l->bias);
    const __m128i shift = _mm_loadu_si128((const __m128i *)l->shift);
    _mm_storeu_si128((__m128i *)out, _mm_srav_epi32(_mm_add_epi32(sum, bias), shift));
}

#if GROUP == 4 && LANES == 16

// Adds lanes within 128 bits: each quarter has the four totals of its lanes.
static inline __m512i totals(const __m512i s[4])
{
    const __m512i a =
        _mm512_add_epi32(_mm512_unpacklo_epi32(s[0], s[1]), _mm512_unpackhi_epi32(s[0], s[1]));
    const __m512i b =
        _mm512_add_epi32(_mm512_unpacklo_epi32(s[2], s[3]), _mm512_unpackhi_epi32(s[2], s[3]));
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// 64 bytes are 64 / width pixels; four times as many at once.
static inline __attribute__((always_inline)) void tail_row(const struct ksr_net_layer *l,
                                                           const uint8_t *const in[3], int32_t *out,
                                                           int count, const int width)
{
    const int each = 64 / width;
    for (int x = 0; x < count; x += 4 * each) {
        __m512i sum[4][4];
        _Pragma("GCC unroll 4") for (int p = 0; p < 4; p++)
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) sum[p][k] = _mm512_setzero_si512();
        const int8_t *w = l->tail8;
        for (int r = 0; r < l->side; r++)
            for (int c = 0; c < l->side; c++, w += 4 * 64) {
                const uint8_t *a = in[r] + (x + c) * width;
                _Pragma("GCC unroll 4") for (int p = 0; p < 4; p++)
                {
                    const __m512i v = _mm512_loadu_si512(a + 64 * p);
                    _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) sum[p][k] =
                        ksr_add_fours_512(sum[p][k], v, _mm512_loadu_si512(w + 64 * k));
                }
            }
        for (int p = 0; p < 4; p++) {
            const __m512i t = totals(sum[p]);
            const __m128i part[4] = {
                _mm512_extracti32x4_epi32(t, 0), _mm512_extracti32x4_epi32(t, 1),
                _mm512_extracti32x4_epi32(t, 2), _mm512_extracti32x4_epi32(t, 3)};
            for (int k = 0; k < each; k++) {
                __m128i whole = part[k * 4 / each];
                for (int q = 1; q < 4 / each; q++)
                    whole = _mm_add_epi32(whole, part[k * 4 / each + q]);
                store_tail(l, out + 4 * (x + p * each + k), whole);
            }
        }
    }
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    switch (l->inputs) {
    case 16: tail_row(l, in, out, count, 16); break;
    case 32: tail_row(l, in, out, count, 32); break;
    default: tail_row(l, in, out, count, 64); break;
    }
}

#else

#if GROUP == 4
#define TAIL_ADD        ksr_add_fours_256
#define TAIL_STEP       32 // inputs in a register
#define TAIL_OUTPUT     64 // weights from one output to the next
#define tail_weights(l) ((l)->tail8)

// 16 inputs fill half of a register; the rest is zero.
static inline __m256i load_inputs(const uint8_t *p, int width)
{
    return width < 32 ? _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i *)p))
                      : _mm256_loadu_si256((const __m256i *)p);
}
#else
#define TAIL_ADD        ksr_add_pairs_256
#define TAIL_STEP       16
#define TAIL_OUTPUT     width
#define tail_weights(l) ((l)->tail16)

static inline __m256i load_inputs(const int16_t *p, int width)
{
    (void)width;
    return _mm256_loadu_si256((const __m256i *)p);
}
#endif

// Adds the lanes of four sums: the result has the total of sum k in lane k.
static inline __m128i total(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return _mm_hadd_epi32(_mm_hadd_epi32(a, b), _mm_hadd_epi32(c, d));
}

static inline __m128i quarter(__m256i v)
{
    return _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    const int width = l->inputs;
    for (int x = 0; x < count; x++) {
        __m256i sum[4];
        for (int k = 0; k < 4; k++)
            sum[k] = _mm256_setzero_si256();
        const weight *w = tail_weights(l);
        for (int r = 0; r < l->side; r++)
            for (int c = 0; c < l->side; c++, w += 4 * TAIL_OUTPUT) {
                const ksr_act *a = in[r] + (x + c) * width;
                for (int i = 0; i < width; i += TAIL_STEP) {
                    const __m256i v = load_inputs(a + i, width);
                    for (int k = 0; k < 4; k++)
                        sum[k] = TAIL_ADD(
                            sum[k], v,
                            _mm256_loadu_si256((const __m256i *)(w + k * TAIL_OUTPUT + i)));
                }
            }
        store_tail(l, out + 4 * x,
                   total(quarter(sum[0]), quarter(sum[1]), quarter(sum[2]), quarter(sum[3])));
    }
}

#endif
