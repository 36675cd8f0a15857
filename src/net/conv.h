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

// Samples after the last one of a row that may be read and written.
#define KSR_NET_SPARE 32

// All three: in[r] is row r of the kernel, at the column of its left side; out is a row of `count`
// pixels.
//   head: in: samples less 16384; out[x * width + channel], limited to 0..255
//   body: in[r][x * width + channel]; out the same
//   tail: in the same; out[x * 4 + k]: differences for top left, top right, bottom left, bottom
//   right
void ksr_net_head(const struct ksr_net_layer *layer, const int16_t *const in[5], ksr_act *out,
                  int count);
void ksr_net_body(const struct ksr_net_layer *layer, const ksr_act *const in[3], ksr_act *out,
                  int count);
void ksr_net_tail(const struct ksr_net_layer *layer, const ksr_act *const in[3], int32_t *out,
                  int count);

#endif
