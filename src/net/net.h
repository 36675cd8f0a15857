// The engine: a network on rows of luma, fused so that no picture of features is ever in memory.
//
//   layer    sum of weight * input over the kernel, (sum + bias) >> shift, limited to 0..255
//   last     the same without limit: four differences d for the four outputs of a sample
//   output   limit((base + 8192 >> 14) + d, 0, 32767), base = the interpolation in rows.c
//
// The picture goes on beyond its edges by repeating its first and last rows and columns, and every
// layer is computed there too, so all places are alike. All sums are exact (model.h), so nothing
// depends on their order, on bands or on tiles.

#ifndef KSR_NET_NET_H
#define KSR_NET_NET_H

#include "frame/frame.h"
#include "net/model.h"

// A layer with its weights in the orders that the inner loops read.
struct ksr_net_layer {
    int inputs, outputs, side;
    int32_t *bias;     // [outputs]
    int32_t *shift;    // [outputs]
    int16_t *weight16; // [row][column][input pair][output][2]; head: [row][column pair][output][2]
    int8_t *weight8;   // [row][column][input / 4][output][4]; NULL in the head
    int16_t *tail16;   // last layer: [row][column][output][inputs]
    int8_t *tail8;     // last layer: [row][column][output][64]: all inputs, again and again
};

// Read-only once made: any number of threads may use one.
typedef struct ksr_net {
    struct ksr_net_layer layer[KSR_MODEL_LAYERS];
    int layers, width, reach;
    char hash[KSR_HASH_TEXT]; // of the model's file
} ksr_net;

// Returns the engine's form of a model, NULL when out of memory. Free with ksr_net_destroy(), which
// accepts NULL and a pointer to NULL.
ksr_net *ksr_net_create(const struct ksr_model *model);
void ksr_net_destroy(ksr_net **net);

// Returns how many bytes ksr_net_rows() works in, aligned to KSR_ALIGN: below 5 MB.
size_t ksr_net_scratch(const ksr_net *net);

// Makes rows y0 .. y1-1 of the picture of twice the size. Reads net->reach rows around.
// scratch: ksr_net_scratch() bytes, of this thread alone; nothing is kept in it between calls.
void ksr_net_rows(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                  void *scratch, int y0, int y1);

#endif
