// One row of one layer: the inner loops of the engine. conv.c is the definition; x86/conv.c and
// arm/conv.c replace it at the SIMD levels, and may store activations and weights in another form.
//
// Every output is an exact integer sum: the model reader (model.h) refuses models whose sums could
// exceed 31 bits, for any input. So the order of additions is free, which is what lets each level
// multiply as many inputs at once as its instructions do, and still give the same bits. An
// instruction that saturates in between (pmaddubsw: pairs of 8-bit products in 16 bits) is not
// exact and would differ for a few samples of a few frames; it must not be used, however rarely
// that happens in tests.

#ifndef KSR_NET_CONV_H
#define KSR_NET_CONV_H

#include "net/net.h"
#include "net/schedule.h"

// How a level stores activations, and how many inputs it multiplies and adds in one lane.
#if defined(KSR_LEVEL) && defined(__ARM_FEATURE_DOTPROD)
typedef int8_t ksr_act; // less 128
#define KSR_NET_GROUP 4
#elif defined(KSR_LEVEL)
typedef uint8_t ksr_act;
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define KSR_NET_GROUP 4
#else
#define KSR_NET_GROUP 2
#endif
#else
typedef int16_t ksr_act;
#define KSR_NET_GROUP 2
#endif

// Pixels after the last one of a row that may be read and written.
#define KSR_NET_SPARE 72

// Whether this level computes layers with `tiled16` in tiles (x86/winograd.c, arm/winograd.c).
#if defined(KSR_LEVEL) && KSR_NET_GROUP == 2
#define KSR_NET_TILED 1
#else
#define KSR_NET_TILED 0
#endif

// Bytes that ksr_net_body() works in.
#define KSR_NET_WORK (352 << 10)

// All three: in[r] is row r of what is read, at the column of its left side; out is a row of
// `count` pixels.
//   head: in[i * side + r] is row r of input i: samples less 16384; out[x * width + channel],
//         limited to 0..255
//   body: in[r][x * inputs + channel], or 2 * x with KSR_LAYER_DOWN; out[r] the same with outputs,
//         for the rows that are made at once: KSR_LAYER_UP makes 2 * count pixels of each.
//         skip: what is added, in the form of out; NULL = nothing. work: KSR_NET_WORK bytes.
//   tail: in the same; out[x * outputs + k]: differences for top left, top right, bottom left,
//         bottom right, of each plane
void ksr_net_head(const struct ksr_net_layer *layer, const int16_t *const in[], ksr_act *out,
                  int count);
void ksr_net_body(const struct ksr_net_layer *layer, const ksr_act *const in[],
                  const ksr_act *const skip[], ksr_act *const out[], int count, void *work);
void ksr_net_tail(const struct ksr_net_layer *layer, const ksr_act *const in[3], int32_t *out,
                  int count);

// As ksr_net_body(), for a layer whose rows are made KSR_NET_TILE at once; x86/winograd.c,
// arm/winograd.c.
void ksr_net_winograd(const struct ksr_net_layer *layer, const ksr_act *const in[],
                      const ksr_act *const skip[], ksr_act *const out[], int count, void *work);

// Where one phase of an upsampling layer's outputs lies, or all of another layer's.
struct ksr_net_part {
    int channel;         // of the convolution, the first of `outputs`
    int step;            // from one pixel to the next in out and skip
    const ksr_act *skip; // NULL = none
    ksr_act *out;
};

static inline int ksr_net_parts(const struct ksr_net_layer *l)
{
    return l->kind == KSR_LAYER_UP ? 4 : 1;
}

static inline struct ksr_net_part ksr_net_part(const struct ksr_net_layer *l, int index,
                                               const ksr_act *const skip[2], ksr_act *const out[2])
{
    const int column = index % 2 * l->outputs;
    return (struct ksr_net_part){index * l->outputs, (l->kind == KSR_LAYER_UP ? 2 : 1) * l->outputs,
                                 skip ? skip[index / 2] + column : NULL, out[index / 2] + column};
}

// Returns the inputs between those of one pixel and of the next.
static inline int ksr_net_stride(const struct ksr_net_layer *l)
{
    return l->kind == KSR_LAYER_DOWN ? 2 * l->inputs : l->inputs;
}

#endif
