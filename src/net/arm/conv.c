// One row of one layer, NEON and its dot product; equal to the plain C one in net/conv.c.
//
// A block of eight pixels by eight outputs is kept in registers while the kernel is gone through: an
// instruction multiplies the weights of four outputs by inputs of one pixel, which are a lane of a
// register. With the dot product a lane is four inputs of 8 bits, without it one of 16.
//
// The dot product that all processors with it have takes signed bytes, so activations are stored
// less 128 there. What the sums lack is 128 times the weights, and part of the bias (net.c).

#include <arm_neon.h>

#include "net/conv.h"

_Static_assert(2 * 8 + 3 <= KSR_NET_SPARE, "blocks of eight pixels go beyond the last one");

#define EACH_PIXEL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define START(p) int32x4_t low##p = bias_low, high##p = bias_high;

// What turns sums of eight outputs into activations.
struct finish {
    int32x4_t low, high; // shifts to the left
};

static inline struct finish finish_of(const int32_t *shift)
{
    return (struct finish){vnegq_s32(vld1q_s32(shift)), vnegq_s32(vld1q_s32(shift + 4))};
}

// skip: NULL = nothing is added. Limits to 16 bits change nothing that is within 8.
static inline void store(ksr_act *out, const struct finish *f, int32x4_t low, int32x4_t high,
                         const ksr_act *skip)
{
    const int16x4_t first = vqmovn_s32(vshlq_s32(low, f->low));
    const int16x8_t v = vqmovn_high_s32(first, vshlq_s32(high, f->high));
#if KSR_NET_GROUP == 4
    const int16x8_t more = skip ? vmovl_s8(vld1_s8(skip)) : vdupq_n_s16(-128);
    vst1_s8(out, vqmovn_s16(vqaddq_s16(v, more)));
#else
    const int16x8_t more = skip ? vreinterpretq_s16_u16(vmovl_u8(vld1_u8(skip))) : vdupq_n_s16(0);
    vst1_u8(out, vqmovun_s16(vqaddq_s16(v, more)));
#endif
}

#define STORE(p) store(out + p * step, &f, low##p, high##p, skip ? skip + p * step : NULL);

#if KSR_NET_GROUP == 4

#define INPUTS       16 // of a register
#define body_bias(l) ((l)->bias8)

#define LOAD(p) const int8x16_t v##p = vld1q_s8(a + p * stride);

// The weights of a group of inputs: lane g of the registers.
#define ADD_GROUP(g)                                                                               \
    {                                                                                              \
        const int8x16_t w_low = vld1q_s8(w), w_high = vld1q_s8(w + 16);                            \
        w += 4 * l->channels;                                                                      \
        EACH_PIXEL(ADD_##g)                                                                        \
    }
#define ADD_LANE(p, g)                                                                             \
    low##p = vdotq_laneq_s32(low##p, w_low, v##p, g);                                              \
    high##p = vdotq_laneq_s32(high##p, w_high, v##p, g);
#define ADD_0(p) ADD_LANE(p, 0)
#define ADD_1(p) ADD_LANE(p, 1)
#define ADD_2(p) ADD_LANE(p, 2)
#define ADD_3(p) ADD_LANE(p, 3)

#define WEIGHTS(l, channel) ((l)->weight8 + 4 * (channel))
typedef int8_t weight;

#else

#define INPUTS       8
#define body_bias(l) ((l)->bias)

#define LOAD(p) const int16x8_t v##p = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(a + p * stride)));

// The weights of a pair of inputs, lanes 2g and 2g + 1.
#define ADD_GROUP(g)                                                                               \
    {                                                                                              \
        const int16x8x2_t both = vld2q_s16(w);                                                     \
        w += 2 * l->channels;                                                                      \
        EACH_PIXEL(ADD_##g)                                                                        \
    }
#define ADD_LANE(p, part, lane)                                                                    \
    low##p = vmlal_laneq_s16(low##p, vget_low_s16(both.val[part]), v##p, lane);                    \
    high##p = vmlal_high_laneq_s16(high##p, both.val[part], v##p, lane);
#define ADD_0(p) ADD_LANE(p, 0, 0) ADD_LANE(p, 1, 1)
#define ADD_1(p) ADD_LANE(p, 0, 2) ADD_LANE(p, 1, 3)
#define ADD_2(p) ADD_LANE(p, 0, 4) ADD_LANE(p, 1, 5)
#define ADD_3(p) ADD_LANE(p, 0, 6) ADD_LANE(p, 1, 7)

#define WEIGHTS(l, channel) ((l)->weight16 + 2 * (channel))
typedef int16_t weight;

#endif

// Eight pixels from x on, by eight outputs from `o` on. Not inline: the addresses that its loop needs
// stay in registers.
static __attribute__((noinline)) void body_block(const struct ksr_net_layer *l,
                                                 const struct ksr_net_part *part,
                                                 const ksr_act *const in[3], int x, int o)
{
    const int step = part->step, stride = ksr_net_stride(l), channel = part->channel + o;
    const int32x4_t bias_low = vld1q_s32(body_bias(l) + channel),
                    bias_high = vld1q_s32(body_bias(l) + channel + 4);
    const weight *w = WEIGHTS(l, channel);
    EACH_PIXEL(START)
    for (int r = 0; r < l->side; r++) {
        const ksr_act *a = in[r] + x * stride;
        for (int i = 0; i < l->side * l->inputs; i += INPUTS, a += INPUTS) {
            EACH_PIXEL(LOAD)
            ADD_GROUP(0)
            ADD_GROUP(1)
            ADD_GROUP(2)
            ADD_GROUP(3)
        }
    }
    const struct finish f = finish_of(l->shift + channel);
    const ksr_act *skip = part->skip ? part->skip + x * step + o : NULL;
    ksr_act *out = part->out + x * step + o;
    EACH_PIXEL(STORE)
}

static void direct(const struct ksr_net_layer *l, const ksr_act *const in[3],
                   const ksr_act *const skip[2], ksr_act *const out[2], int count)
{
    for (int i = 0; i < ksr_net_parts(l); i++) {
        const struct ksr_net_part part = ksr_net_part(l, i, skip, out);
        for (int o = 0; o < l->outputs; o += 8)
            for (int x = 0; x < count; x += 8)
                body_block(l, &part, in, x, o);
    }
}

void ksr_net_body(const struct ksr_net_layer *l, const ksr_act *const in[],
                  const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    if (KSR_NET_TILED && l->tiled16)
        ksr_net_winograd(l, in, skip, out, count, work);
    else
        direct(l, in, skip, out, count);
}

// --- The first layer: a register has the samples of eight pixels ---

#define ADD_SAMPLES(p)                                                                             \
    low##p = vmlal_laneq_s16(low##p, vget_low_s16(w.val[0]), even, p);                             \
    high##p = vmlal_high_laneq_s16(high##p, w.val[0], even, p);                                    \
    low##p = vmlal_laneq_s16(low##p, vget_low_s16(w.val[1]), odd, p);                              \
    high##p = vmlal_high_laneq_s16(high##p, w.val[1], odd, p);

static inline void head_block(const struct ksr_net_layer *l, const int16_t *const in[], int x,
                              ksr_act *out, int o)
{
    const int step = l->outputs;
    const int32x4_t bias_low = vld1q_s32(l->bias + o), bias_high = vld1q_s32(l->bias + o + 4);
    const int16_t *weights = l->weight16 + 2 * o;
    EACH_PIXEL(START)
    for (int r = 0; r < l->inputs * l->side; r++)
        for (int c = 0; c < l->side; c += 2, weights += 2 * l->outputs) {
            const int16x8x2_t w = vld2q_s16(weights);
            const int16x8_t even = vld1q_s16(in[r] + x + c), odd = vld1q_s16(in[r] + x + c + 1);
            EACH_PIXEL(ADD_SAMPLES)
        }
    const struct finish f = finish_of(l->shift + o);
    const ksr_act *const skip = NULL;
    out += x * step + o;
    EACH_PIXEL(STORE)
}

void ksr_net_head(const struct ksr_net_layer *l, const int16_t *const in[], ksr_act *out, int count)
{
    for (int o = 0; o < l->outputs; o += 8)
        for (int x = 0; x < count; x += 8)
            head_block(l, in, x, out, o);
}

// --- The last layer: too few outputs for the lanes, which hold inputs instead ---

#define TAIL_PIXELS 4 // at once

#if KSR_NET_GROUP == 4
#define TAIL_ROW(l)     KSR_NET_TAIL((l)->inputs)
#define TAIL_WEIGHTS(l) ((l)->tail8)

static inline int32x4_t add_inputs(int32x4_t sum, const ksr_act *a, const int8_t *w)
{
    return vdotq_s32(sum, vld1q_s8(a), vld1q_s8(w));
}
#else
#define TAIL_ROW(l)     ((l)->inputs)
#define TAIL_WEIGHTS(l) ((l)->tail16)

static inline int32x4_t add_inputs(int32x4_t sum, const ksr_act *a, const int16_t *w)
{
    const int16x8_t v = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(a))), weights = vld1q_s16(w);
    sum = vmlal_s16(sum, vget_low_s16(v), vget_low_s16(weights));
    return vmlal_high_s16(sum, v, weights);
}
#endif

// The products of one place of the kernel with TAIL_PIXELS pixels.
static inline void add_place(int32x4_t sum[TAIL_PIXELS][4], const ksr_act *a, const weight *w,
                             int inputs, int row)
{
    for (int i = 0; i < inputs; i += INPUTS)
        for (int p = 0; p < TAIL_PIXELS; p++)
            for (int k = 0; k < 4; k++)
                sum[p][k] = add_inputs(sum[p][k], a + p * inputs + i, w + k * row + i);
}

// The four outputs from output `o` on.
static void tail_row(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                     int count, int o)
{
    const int row = TAIL_ROW(l);
    const int32x4_t bias = vld1q_s32(body_bias(l) + o), shift = vnegq_s32(vld1q_s32(l->shift + o));
    for (int x = 0; x < count; x += TAIL_PIXELS) {
        int32x4_t sum[TAIL_PIXELS][4];
        for (int p = 0; p < TAIL_PIXELS; p++)
            for (int k = 0; k < 4; k++)
                sum[p][k] = vdupq_n_s32(0);
        const weight *w = TAIL_WEIGHTS(l) + o * row;
        for (int r = 0; r < l->side; r++)
            for (int c = 0; c < l->side; c++, w += l->outputs * row)
                add_place(sum, in[r] + (x + c) * l->inputs, w, l->inputs, row);
        for (int p = 0; p < TAIL_PIXELS; p++) {
            const int32x4_t total = vpaddq_s32(vpaddq_s32(sum[p][0], sum[p][1]),
                                               vpaddq_s32(sum[p][2], sum[p][3]));
            vst1q_s32(out + l->outputs * (x + p) + o, vshlq_s32(vaddq_s32(total, bias), shift));
        }
    }
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    for (int o = 0; o < l->outputs; o += 4)
        tail_row(l, in, out, count, o);
}
