// Four rows of a 3x3 convolution at once, NEON; x86/winograd.c explains the method, whose matrices,
// scales and proof are the same. Equal to net/conv.c.
//
// With the dot product every product is computed: it makes four at once where this saves three of
// four.

#include <arm_neon.h>

#include "net/conv.h"

#if KSR_NET_TILED

#define TILES   24                         // of a chunk, a multiple of 8
#define COLUMNS (TILES * KSR_NET_TILE + 2) // that a chunk reads
#define SIDE    (KSR_NET_TILE + 2)         // of the inputs of a tile
#define PLACES  (SIDE * SIDE)              // in it
#define NINTH   0x38e38e39                 // 9 * NINTH = 1 modulo 2^32

_Static_assert(TILES % 8 == 0 && 8 * KSR_NET_TILE + 2 <= KSR_NET_SPARE,
               "blocks of tiles go beyond the last pixel");

struct work {
    int16_t column[SIDE][COLUMNS][8];                       // B d, of eight inputs
    int16_t input[PLACES * (TILES * KSR_MODEL_WIDTH + 32)]; // V: [place][tile][input]
    int32_t product[TILES][PLACES][8];                      // M, of eight outputs
};

_Static_assert(sizeof(struct work) <= KSR_NET_WORK, "the memory suffices");

// Returns V of a place. Places are an odd number of cache lines apart: not all in the same set.
static inline int16_t *input_at(struct work *k, int place, int inputs)
{
    return k->input + place * (TILES * inputs + 32);
}

// B times six values.
static inline void spread_six(const int16x8_t d[SIDE], int16x8_t out[SIDE])
{
    const int16x8_t even = vsubq_s16(d[4], vshlq_n_s16(d[2], 2));
    const int16x8_t odd = vsubq_s16(d[3], vshlq_n_s16(d[1], 2));
    const int16x8_t near = vsubq_s16(d[4], d[2]);
    const int16x8_t far = vshlq_n_s16(vsubq_s16(d[3], d[1]), 1);
    out[0] = vaddq_s16(vshlq_n_s16(vsubq_s16(d[0], d[2]), 2), near);
    out[1] = vaddq_s16(even, odd);
    out[2] = vsubq_s16(even, odd);
    out[3] = vaddq_s16(near, far);
    out[4] = vsubq_s16(near, far);
    out[5] = vsubq_s16(vsubq_s16(d[5], d[3]), vshlq_n_s16(far, 1));
}

// Inputs from `i` on, of columns from x on.
static void transform_columns(struct work *k, const ksr_act *const in[SIDE], int inputs, int x,
                              int i, int columns)
{
    for (int c = 0; c < columns; c++) {
        int16x8_t d[SIDE], v[SIDE];
        for (int r = 0; r < SIDE; r++)
            d[r] = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(in[r] + (x + c) * inputs + i)));
        spread_six(d, v);
        for (int r = 0; r < SIDE; r++)
            vst1q_s16(k->column[r][c], v[r]);
    }
}

static void transform_rows(struct work *k, int inputs, int i, int tiles)
{
    for (int t = 0; t < tiles; t++)
        for (int r = 0; r < SIDE; r++) {
            int16x8_t d[SIDE], v[SIDE];
            for (int c = 0; c < SIDE; c++)
                d[c] = vld1q_s16(k->column[r][t * KSR_NET_TILE + c]);
            spread_six(d, v);
            for (int c = 0; c < SIDE; c++)
                vst1q_s16(input_at(k, r * SIDE + c, inputs) + t * inputs + i, v[c]);
        }
}

#define EACH_TILE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define START(t) int32x4_t low##t = vdupq_n_s32(0), high##t = low##t;

#define LOAD(t) const int16x8_t v##t = vld1q_s16(a + t * inputs);

// The weights of a pair of inputs, lanes 2g and 2g + 1.
#define ADD_PAIR(g)                                                                                \
    {                                                                                              \
        const int16x8x2_t both = vld2q_s16(w);                                                     \
        w += 32;                                                                                   \
        EACH_TILE(ADD_##g)                                                                         \
    }
#define ADD_LANE(t, part, lane)                                                                    \
    low##t = vmlal_laneq_s16(low##t, vget_low_s16(both.val[part]), v##t, lane);                    \
    high##t = vmlal_high_laneq_s16(high##t, both.val[part], v##t, lane);
#define ADD_0(t) ADD_LANE(t, 0, 0) ADD_LANE(t, 1, 1)
#define ADD_1(t) ADD_LANE(t, 0, 2) ADD_LANE(t, 1, 3)
#define ADD_2(t) ADD_LANE(t, 0, 4) ADD_LANE(t, 1, 5)
#define ADD_3(t) ADD_LANE(t, 0, 6) ADD_LANE(t, 1, 7)

#define KEEP(t)                                                                                    \
    vst1q_s32(out[t][0], low##t);                                                                  \
    vst1q_s32(out[t][0] + 4, high##t);

// Eight tiles at one place.
static inline void multiply_tiles(const int16_t *w, const int16_t *a, int32_t (*out)[PLACES][8],
                                  int inputs)
{
    EACH_TILE(START)
    for (int i = 0; i < inputs; i += 8, a += 8) {
        EACH_TILE(LOAD)
        ADD_PAIR(0)
        ADD_PAIR(1)
        ADD_PAIR(2)
        ADD_PAIR(3)
    }
    EACH_TILE(KEEP)
}

// Eight outputs from `o` on, of all tiles and places.
static void multiply_places(const struct ksr_net_layer *l, struct work *k, int o, int tiles)
{
    for (int place = 0; place < PLACES; place++) {
        const int16_t *w =
            l->tiled16 + (place * l->outputs + o / 16 * 16) * l->inputs + o % 16 * 2;
        for (int t = 0; t < tiles; t += 8)
            multiply_tiles(w, input_at(k, place, l->inputs) + t * l->inputs,
                           (int32_t(*)[PLACES][8]) & k->product[t][place], l->inputs);
    }
}

// A times six values.
static inline void gather_six(const int32x4_t m[SIDE], int32x4_t out[KSR_NET_TILE])
{
    const int32x4_t sum = vaddq_s32(m[1], m[2]), difference = vsubq_s32(m[1], m[2]);
    const int32x4_t sum2 = vaddq_s32(m[3], m[4]);
    const int32x4_t difference2 = vshlq_n_s32(vsubq_s32(m[3], m[4]), 1);
    out[0] = vaddq_s32(vaddq_s32(m[0], sum), sum2);
    out[1] = vaddq_s32(difference, difference2);
    out[2] = vaddq_s32(sum, vshlq_n_s32(sum2, 2));
    out[3] = vaddq_s32(vaddq_s32(difference, vshlq_n_s32(difference2, 2)), vshlq_n_s32(m[5], 1));
}

// What turns four outputs into activations.
struct finish {
    int32x4_t bias, shift; // 576 times as large; to the left
};

static inline struct finish finish_of(const struct ksr_net_layer *l, int o)
{
    return (struct finish){vmulq_n_s32(vld1q_s32(l->bias + o), 576),
                           vsubq_s32(vdupq_n_s32(-6), vld1q_s32(l->shift + o))};
}

// Four outputs of a tile, before `skip` and limits.
static inline void gather_tile(const int32_t (*m)[8], const struct finish *f,
                               int32x4_t out[KSR_NET_TILE][KSR_NET_TILE])
{
    int32x4_t column[KSR_NET_TILE][SIDE];
    for (int c = 0; c < SIDE; c++) {
        int32x4_t v[SIDE], y[KSR_NET_TILE];
        for (int r = 0; r < SIDE; r++)
            v[r] = vld1q_s32(m[r * SIDE + c]);
        if (c == 1)
            v[1] = vaddq_s32(v[1], f->bias); // what is here reaches every output once
        gather_six(v, y);
        for (int r = 0; r < KSR_NET_TILE; r++)
            column[r][c] = y[r];
    }
    for (int r = 0; r < KSR_NET_TILE; r++) {
        gather_six(column[r], out[r]);
        for (int c = 0; c < KSR_NET_TILE; c++)
            out[r][c] = vshlq_s32(vmulq_n_s32(out[r][c], NINTH), f->shift);
    }
}

static inline void store(ksr_act *out, int32x4_t low, int32x4_t high, const ksr_act *skip)
{
    const int16x8_t v = vqmovn_high_s32(vqmovn_s32(low), high);
    const int16x8_t more = skip ? vreinterpretq_s16_u16(vmovl_u8(vld1_u8(skip))) : vdupq_n_s16(0);
    vst1_u8(out, vqmovun_s16(vqaddq_s16(v, more)));
}

static void finish_tiles(const struct ksr_net_layer *l, const struct work *k,
                         const ksr_act *const skip[KSR_NET_TILE], ksr_act *const out[KSR_NET_TILE],
                         int x, int o, int tiles)
{
    const struct finish f[2] = {finish_of(l, o), finish_of(l, o + 4)};
    for (int t = 0; t < tiles; t++) {
        int32x4_t y[2][KSR_NET_TILE][KSR_NET_TILE];
        for (int h = 0; h < 2; h++)
            gather_tile((const int32_t(*)[8]) & k->product[t][0][4 * h], &f[h], y[h]);
        for (int r = 0; r < KSR_NET_TILE; r++)
            for (int c = 0; c < KSR_NET_TILE; c++) {
                const int at = (x + t * KSR_NET_TILE + c) * l->outputs + o;
                store(out[r] + at, y[0][r][c], y[1][r][c], skip ? skip[r] + at : NULL);
            }
    }
}

void ksr_net_winograd(const struct ksr_net_layer *l, const ksr_act *const in[],
                      const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    struct work *k = work;
    for (int x = 0; x < count; x += TILES * KSR_NET_TILE) {
        const int left = (count - x + KSR_NET_TILE - 1) / KSR_NET_TILE;
        const int wanted = left < TILES ? left : TILES, tiles = (wanted + 7) / 8 * 8;
        for (int i = 0; i < l->inputs; i += 8) {
            transform_columns(k, in, l->inputs, x, i, tiles * KSR_NET_TILE + 2);
            transform_rows(k, l->inputs, i, tiles);
        }
        for (int o = 0; o < l->outputs; o += 8) {
            multiply_places(l, k, o, tiles);
            finish_tiles(l, k, skip, out, x, o, wanted);
        }
    }
}

#endif
