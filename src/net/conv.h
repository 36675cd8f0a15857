// One row of one layer: the inner loops of the engine. conv.c is the definition; x86/conv.c
// replaces it at the SIMD levels, and may store activations and weights in another form.
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

// How a level stores activations, and how many inputs it multiplies and adds in one lane.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
typedef uint8_t ksr_act;
#define KSR_NET_GROUP 4
#else
typedef int16_t ksr_act;
#define KSR_NET_GROUP 2
#endif

// Pixels after the last one of a row that may be read and written.
#define KSR_NET_SPARE 72

// All three: in[r] is row r of the kernel, at the column of its left side; out is a row of `count`
// pixels.
//   head: in: samples less 16384; out[x * width + channel], limited to 0..255
//   body: in[r][x * inputs + channel], or 2 * x with KSR_LAYER_DOWN; out[0] the same with outputs.
//         KSR_LAYER_UP makes 2 * count pixels in out[0], and those of the row below in out[1].
//         skip: what is added, in the form of out; NULL = nothing.
//   tail: in the same; out[x * 4 + k]: differences for top left, top right, bottom left, bottom
//   right
void ksr_net_head(const struct ksr_net_layer *layer, const int16_t *const in[5], ksr_act *out,
                  int count);
void ksr_net_body(const struct ksr_net_layer *layer, const ksr_act *const in[3],
                  const ksr_act *const skip[2], ksr_act *const out[2], int count);
void ksr_net_tail(const struct ksr_net_layer *layer, const ksr_act *const in[3], int32_t *out,
                  int count);

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
