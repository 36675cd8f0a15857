// One row of one layer, AVX2, AVX-VNNI, AVX-512, its VNNI and AMX; equal to the plain C one in
// net/conv.c.
//
// A block of pixels by two registers of outputs is kept in registers while the kernel is gone
// through: per group of inputs each pixel's values are spread over a register and multiplied with
// the weights of all outputs. VNNI multiplies u8 by s8 and adds four products to a 32-bit lane,
// exactly. The others take pairs of 16 bits, since 8-bit products would have to pass through a
// 16-bit sum that saturates.

#include "net/x86/vector.h"

#include <stdbool.h>

#define GROUP KSR_NET_GROUP

#if GROUP == 4
typedef int8_t weight;
typedef uint8_t input;
#if LANES == 16
#define groups(s, a, b) ksr_add_fours_512(s, a, b)
#else
#define groups(s, a, b) ksr_add_fours_256(s, a, b)
#endif
#define weights_of(l) ((l)->weight8)
#else
typedef int16_t weight;
typedef int16_t input; // activations are widened before
#define groups(s, a, b) pairs(s, a, b)
#define weights_of(l)   ((l)->weight16)
#endif

_Static_assert(2 * 32 + 3 <= KSR_NET_SPARE, "blocks of up to 32 pixels go beyond the last one");

#define START(p) vector low##p = load(bias), high##p = two ? load(bias + LANES) : low##p;

#define STORE(p)                                                                                   \
    {                                                                                              \
        low##p = shift_by(low##p, load(shift));                                                    \
        if (two)                                                                                   \
            high##p = shift_by(high##p, load(shift + LANES));                                      \
        if (skip) {                                                                                \
            low##p = add_skip(low##p, skip + p * step);                                            \
            if (two)                                                                               \
                high##p = add_skip(high##p, skip + p * step + LANES);                              \
        }                                                                                          \
        store(out + p * step, low##p);                                                             \
        if (two)                                                                                   \
            store(out + p * step + LANES, high##p);                                                \
    }

#if GROUP == 2
#define ADD_GROUP(p)                                                                               \
    if (two)                                                                                       \
        add_both(&low##p, &high##p, a + p * stride, w_low, w_high);                                \
    else                                                                                           \
        low##p = pairs(low##p, spread(a + p * stride), w_low);
#else
#define ADD_GROUP(p)                                                                               \
    {                                                                                              \
        const vector v = spread(a + p * stride);                                                   \
        low##p = groups(low##p, v, w_low);                                                         \
        if (two)                                                                                   \
            high##p = groups(high##p, v, w_high);                                                  \
    }
#endif

#define ADD_SAMPLES(p)                                                                             \
    if (two)                                                                                       \
        add_both(&low##p, &high##p, a + p, w_low, w_high);                                         \
    else                                                                                           \
        low##p = pairs(low##p, spread(a + p), w_low);

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
    // To the compiler the instruction reads eight bytes of the 64: others would not be stored.
    __asm__ volatile("" : : "r"(&s) : "memory");
    _tile_loadconfig(&s);
}

// Adds the products of inputs a and weights w to the sums. Tile numbers are part of instructions.
#define ADD_TILES(A, W, a, w)                                                                      \
    {                                                                                              \
        _tile_loadd(W, w, 4 * l->channels);                                                        \
        _tile_loadd(A, a, stride);                                                                 \
        _tile_dpbusd(0, A, W);                                                                     \
        if (more) {                                                                                \
            _tile_loadd(A, (a) + 16 * stride, stride);                                             \
            _tile_dpbusd(2, A, W);                                                                 \
        }                                                                                          \
        if (two) {                                                                                 \
            _tile_loadd(W, (w) + 64, 4 * l->channels);                                             \
            if (more) {                                                                            \
                _tile_dpbusd(3, A, W);                                                             \
                _tile_loadd(A, a, stride);                                                         \
            }                                                                                      \
            _tile_dpbusd(1, A, W);                                                                 \
        }                                                                                          \
    }

// Stores 16 pixels, from pixel x on, by 16 outputs from output `o` on.
static inline void store_sums(const struct ksr_net_layer *l, const struct ksr_net_part *part,
                              int32_t sum[16][16], int x, int o)
{
    const vector bias = load(l->bias + part->channel + o),
                 shift = load(l->shift + part->channel + o);
    for (int p = 0; p < 16; p++) {
        const int at = (x + p) * part->step + o;
        const vector v = shift_by(add(load(sum[p]), bias), shift);
        store(part->out + at, part->skip ? add_skip(v, part->skip + at) : v);
    }
}

// 16 pixels, or 32 with `more`, by 16 outputs, or 32 with `two`, from output `o` on.
static inline __attribute__((always_inline)) void body_block(const struct ksr_net_layer *l,
                                                             const struct ksr_net_part *part,
                                                             const ksr_act *const in[3], int x,
                                                             int o, const int stride,
                                                             const bool two, const bool more)
{
    const int row = l->side * l->inputs, whole = row < 64 ? row : 64, end = row - row % whole;
    _Alignas(64) int32_t sum[4][16][16];
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int r = 0; r < l->side; r++) {
        const ksr_act *a = in[r] + x * stride;
        const int8_t *w = l->weight8 + r * row * l->channels + 4 * (part->channel + o);
        for (int k = 0; k < end; k += whole)
            ADD_TILES(4, 5, a + k, w + k * l->channels)
        if (end < row)
            ADD_TILES(6, 7, a + end, w + end * l->channels)
    }
    _tile_stored(0, sum[0], 64);
    store_sums(l, part, sum[0], x, o);
    if (two) {
        _tile_stored(1, sum[1], 64);
        store_sums(l, part, sum[1], x, o + 16);
    }
    if (more) {
        _tile_stored(2, sum[2], 64);
        store_sums(l, part, sum[2], x + 16, o);
    }
    if (two && more) {
        _tile_stored(3, sum[3], 64);
        store_sums(l, part, sum[3], x + 16, o + 16);
    }
}

static inline void body_pixels(const struct ksr_net_layer *l, const struct ksr_net_part *part,
                               const ksr_act *const in[3], int x, int o, int stride, bool more)
{
    if (o + 32 <= l->outputs && more)
        body_block(l, part, in, x, o, stride, true, true);
    else if (o + 32 <= l->outputs)
        body_block(l, part, in, x, o, stride, true, false);
    else if (more)
        body_block(l, part, in, x, o, stride, false, true);
    else
        body_block(l, part, in, x, o, stride, false, false);
}

void ksr_net_body(const struct ksr_net_layer *l, const ksr_act *const in[],
                  const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    (void)work;
    shape_tiles(l->side * l->inputs);
    for (int i = 0; i < ksr_net_parts(l); i++) {
        const struct ksr_net_part part = ksr_net_part(l, i, skip, out);
        for (int x = 0; x < count; x += 32)
            for (int o = 0; o < l->outputs; o += 32)
                body_pixels(l, &part, in, x, o, ksr_net_stride(l), x + 16 < count);
    }
    _tile_release();
}

#else

static inline __attribute__((always_inline)) void body_block(const struct ksr_net_layer *l,
                                                             const struct ksr_net_part *part,
                                                             const input *const in[3], int x, int o,
                                                             const int stride, const bool two)
{
    const int step = part->step;
    const int32_t *bias = l->bias + part->channel + o, *shift = l->shift + part->channel + o;
    const ksr_act *skip = part->skip ? part->skip + x * step + o : NULL;
    ksr_act *out = part->out + x * step + o;
    EACH_PIXEL(START)
    const weight *w = weights_of(l) + (part->channel + o) * GROUP;
    for (int r = 0; r < l->side; r++) {
        const input *a = in[r] + x * stride;
        for (int i = 0; i < l->side * l->inputs; i += GROUP, a += GROUP, w += l->channels * GROUP) {
            const vector w_low = load(w), w_high = two ? load(w + LANES * GROUP) : w_low;
            EACH_PIXEL(ADD_GROUP)
        }
    }
    EACH_PIXEL(STORE)
}

static inline __attribute__((always_inline)) void body_part(const struct ksr_net_layer *l,
                                                            const struct ksr_net_part *part,
                                                            const input *const in[3], int count,
                                                            const int stride)
{
    for (int o = 0; o < l->outputs; o += 2 * LANES)
        for (int x = 0; x < count; x += PIXELS)
            if (o + 2 * LANES <= l->outputs)
                body_block(l, part, in, x, o, stride, true);
            else
                body_block(l, part, in, x, o, stride, false);
}

// Pixels x .. x + count - 1 of a row. Offsets between pixels must be constants, as there are more
// of them than registers.
static inline void body_row(const struct ksr_net_layer *l, const input *const in[3],
                            const ksr_act *const skip[2], ksr_act *const out[2], int x, int count)
{
    for (int i = 0; i < ksr_net_parts(l); i++) {
        struct ksr_net_part part = ksr_net_part(l, i, skip, out);
        part.out += x * part.step;
        part.skip += part.skip ? x * part.step : 0;
        switch (ksr_net_stride(l)) {
        case 16: body_part(l, &part, in, count, 16); break;
        case 32: body_part(l, &part, in, count, 32); break;
        case 48: body_part(l, &part, in, count, 48); break;
        case 64: body_part(l, &part, in, count, 64); break;
        case 96: body_part(l, &part, in, count, 96); break;
        case 128: body_part(l, &part, in, count, 128); break;
        case 192: body_part(l, &part, in, count, 192); break;
        default: body_part(l, &part, in, count, 256); break;
        }
    }
}

#if GROUP == 4

static void direct(const struct ksr_net_layer *l, const ksr_act *const in[3],
                   const ksr_act *const skip[2], ksr_act *const out[2], int count)
{
    body_row(l, in, skip, out, 0, count);
}

#else

#define CHUNK 24 // pixels that are widened at once

_Static_assert(CHUNK % PIXELS == 0 && 2 * CHUNK + 1 <= KSR_NET_SPARE, "chunks may be too long");

static void widen(const ksr_act *in, int16_t *out, int count)
{
    for (int i = 0; i < count; i += 16)
        _mm256_store_si256((__m256i *)(out + i),
                           _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(in + i))));
}

static void direct(const struct ksr_net_layer *l, const ksr_act *const in[3],
                   const ksr_act *const skip[2], ksr_act *const out[2], int count)
{
    _Alignas(32) int16_t wide[3][(2 * CHUNK + 1) * KSR_MODEL_WIDTH];
    const int16_t *const rows[3] = {wide[0], wide[1], wide[2]};
    const int stride = ksr_net_stride(l), last = (CHUNK - 1) * stride + l->side * l->inputs;
    for (int x = 0; x < count; x += CHUNK) {
        for (int r = 0; r < l->side; r++)
            widen(in[r] + x * stride, wide[r], last);
        body_row(l, rows, skip, out, x, CHUNK < count - x ? CHUNK : count - x);
    }
}

#endif

void ksr_net_body(const struct ksr_net_layer *l, const ksr_act *const in[],
                  const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    if (KSR_NET_TILED && l->tiled16)
        ksr_net_winograd(l, in, skip, out, count, work);
    else
        direct(l, in, skip, out, count);
}

#endif

static inline __attribute__((always_inline)) void head_block(const struct ksr_net_layer *l,
                                                             const int16_t *const in[], int x,
                                                             ksr_act *out, int o, const bool two)
{
    const int step = l->outputs;
    const int32_t *bias = l->bias + o, *shift = l->shift + o;
    const ksr_act *const skip = NULL;
    out += x * step + o;
    EACH_PIXEL(START)
    const int16_t *w = l->weight16 + 2 * o;
    for (int r = 0; r < l->inputs * l->side; r++)
        for (int c = 0; c < l->side; c += 2, w += 2 * l->outputs) {
            const int16_t *a = in[r] + x + c;
            const vector w_low = load(w), w_high = two ? load(w + LANES * 2) : w_low;
            EACH_PIXEL(ADD_SAMPLES)
        }
    EACH_PIXEL(STORE)
}

void ksr_net_head(const struct ksr_net_layer *l, const int16_t *const in[], ksr_act *out, int count)
{
    for (int o = 0; o < l->outputs; o += 2 * LANES)
        for (int x = 0; x < count; x += PIXELS)
            if (o + 2 * LANES <= l->outputs)
                head_block(l, in, x, out, o, true);
            else
                head_block(l, in, x, out, o, false);
}

// --- The last layer: too few outputs for the lanes, which hold inputs instead ---

// Stores the four outputs of pixel x from output `o` on.
static inline void store_tail(const struct ksr_net_layer *l, int32_t *out, int x, int o,
                              __m128i sum)
{
    const __m128i bias = _mm_loadu_si128((const __m128i *)(l->bias + o));
    const __m128i shift = _mm_loadu_si128((const __m128i *)(l->shift + o));
    _mm_storeu_si128((__m128i *)(out + l->outputs * x + o),
                     _mm_srav_epi32(_mm_add_epi32(sum, bias), shift));
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

// Four outputs from output `o` on. 64 bytes are 64 / width pixels, or a part of one; four times as
// many at once.
static inline __attribute__((always_inline)) void tail_row(const struct ksr_net_layer *l,
                                                           const uint8_t *const in[3], int32_t *out,
                                                           int count, int o, const int width)
{
    const int each = width <= 32 ? 64 / width : 1, row = KSR_NET_TAIL(width);
    for (int x = 0; x < count; x += 4 * each) {
        __m512i sum[4][4];
        _Pragma("GCC unroll 4") for (int p = 0; p < 4; p++)
            _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) sum[p][k] = _mm512_setzero_si512();
        for (int r = 0; r < l->side; r++)
            for (int i = 0; i < l->side * row; i += 64) {
                const uint8_t *a = in[r] + (x + i / row) * width + i % row;
                const int tap = r * l->side + i / row;
                const int8_t *w = l->tail8 + (tap * l->outputs + o) * row + i % row;
                _Pragma("GCC unroll 4") for (int p = 0; p < 4; p++)
                {
                    const __m512i v = _mm512_loadu_si512(a + p * each * width);
                    _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) sum[p][k] =
                        ksr_add_fours_512(sum[p][k], v, _mm512_loadu_si512(w + k * row));
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
                store_tail(l, out, x + p * each + k, o, whole);
            }
        }
    }
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    for (int o = 0; o < l->outputs; o += 4)
        switch (l->inputs) {
        case 16: tail_row(l, in, out, count, o, 16); break;
        case 32: tail_row(l, in, out, count, o, 32); break;
        case 48: tail_row(l, in, out, count, o, 48); break;
        case 64: tail_row(l, in, out, count, o, 64); break;
        case 96: tail_row(l, in, out, count, o, 96); break;
        default: tail_row(l, in, out, count, o, 128); break;
        }
}

#else

#if GROUP == 4
#define TAIL_ADD        ksr_add_fours_256
#define TAIL_STEP       32                  // inputs in a register
#define TAIL_OUTPUT     KSR_NET_TAIL(width) // weights from one output to the next
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

static inline __m256i load_inputs(const uint8_t *p, int width)
{
    (void)width;
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
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

// The four outputs of pixel x from output `o` on.
static inline void tail_pixel(const struct ksr_net_layer *l, const ksr_act *const in[3],
                              int32_t *out, int x, int o)
{
    const int width = l->inputs;
    __m256i sum[4];
    for (int k = 0; k < 4; k++)
        sum[k] = _mm256_setzero_si256();
    const weight *w = tail_weights(l) + o * TAIL_OUTPUT;
    for (int r = 0; r < l->side; r++)
        for (int c = 0; c < l->side; c++, w += l->outputs * TAIL_OUTPUT) {
            const ksr_act *a = in[r] + (x + c) * width;
            for (int i = 0; i < width; i += TAIL_STEP) {
                const __m256i v = load_inputs(a + i, width);
                for (int k = 0; k < 4; k++)
                    sum[k] = TAIL_ADD(
                        sum[k], v, _mm256_loadu_si256((const __m256i *)(w + k * TAIL_OUTPUT + i)));
            }
        }
    store_tail(l, out, x, o,
               total(quarter(sum[0]), quarter(sum[1]), quarter(sum[2]), quarter(sum[3])));
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    for (int x = 0; x < count; x++)
        for (int o = 0; o < l->outputs; o += 4)
            tail_pixel(l, in, out, x, o);
}

#endif
