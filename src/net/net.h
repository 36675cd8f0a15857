// The engine: a network on rows, fused so that no picture of features is ever in memory.
//
//   layer    sum of weight * input over the kernel, (sum + bias) >> shift, plus the same place of
//   an
//            earlier layer if there is a skip, limited to 0..255
//   last     the same without limit: four differences d for the four outputs of a sample, or
//            four each for those of U and V
//   output   limit((base + 8192 >> 14) + d, 0, 32767), base = the interpolation in rows.c, or
//            limit(base + d, low - (high - low >> 1), high + (high - low >> 1)), base = chroma
//            as a filter has enlarged it, low and high = the range of the 3x3 samples around:
//            where chroma is flat it stays, whatever a network says
//
// The picture goes on beyond its edges by repeating its first and last rows and columns, and every
// layer is computed there too, so all places are alike. Sample (i, j) of a layer of half the
// resolution lies at (2i, 2j) of the picture. All sums are exact (model.h), so nothing depends on
// their order, on bands or on tiles.

#ifndef KSR_NET_NET_H
#define KSR_NET_NET_H

#include "frame/frame.h"
#include "net/model.h"

// A layer with its weights in the orders that the inner loops read. The channels of a layer that
// doubles the resolution are in the order [row 2y + p][column 2x + q][output].
struct ksr_net_layer {
    enum ksr_layer_kind kind;
    int skip, inputs, outputs, side, halvings, before, after, kept; // as in the model
    int channels;                                                   // of the convolution
    int32_t *bias;                                                  // [channels]
    int32_t *bias8;                                                 // for inputs less 128
    int32_t *shift;                                                 // [channels]
    int16_t *weight16; // [row][column][input pair][channel][2];
                       // head: [input][row][column pair][channel][2]
    int8_t *weight8;  // [row][column][input / 4][channel][4]; NULL in the head
    int16_t *tail16;  // last layer: [row][column][output][inputs]
    int8_t *tail8;    // last layer: [row][column][output][KSR_NET_TAIL(inputs)]
    int16_t *tiled16; // [place of a tile][channel / 16][input pair][16][2]; NULL: not in tiles
    int tiled_kept;   // `kept`, where tiles make several rows of a layer at once
};

// All inputs again and again up to 64, or zeros after them up to a multiple of 64.
#define KSR_NET_TAIL(inputs) (((inputs) + 63) / 64 * 64)

// Rows and columns of outputs in a tile. A layer with `tiled16` may be computed in tiles: 3x3, and
// no sum with its bias has more than KSR_NET_TILED_BITS bits and the sign, for any input.
#define KSR_NET_TILE       4
#define KSR_NET_TILED_BITS 25

// Read-only once made: any number of threads may use one.
typedef struct ksr_net {
    struct ksr_net_layer layer[KSR_MODEL_LAYERS];
    bool chroma;                                         // as in the model
    int layers, width, unit, before, after, kept, reach; // likewise
    int tiled_kept;                                      // `kept`, with tiles
    int variants, variant;                               // likewise
    char variant_name[KSR_MODEL_VARIANTS][KSR_VARIANT_NAME];
    char hash[KSR_HASH_TEXT];                            // of the model's file
} ksr_net;

// Returns the engine's form of a model that was read or traced, NULL when out of memory. Free with
// ksr_net_destroy(), which accepts NULL and a pointer to NULL.
ksr_net *ksr_net_create(const struct ksr_model *model);
void ksr_net_destroy(ksr_net **net);

// Returns the multiplications for each sample of what a network enlarges, of a layer or of all.
double ksr_net_layer_multiplications(const struct ksr_net_layer *layer);
double ksr_net_multiplications(const ksr_net *net);

// Returns the multiplications for each pixel of the input: each sample of luma.
double ksr_net_pixel_multiplications(const ksr_net *net);

// Returns how many bytes ksr_net_rows() works in, aligned to KSR_ALIGN: 1 to 19 MB.
size_t ksr_net_scratch(const ksr_net *net);

// Makes rows y0 .. y1-1 of the picture of twice the size by a network of luma. Reads net->reach
// rows around. scratch: ksr_net_scratch() bytes, of this thread alone; nothing is kept in it
// between calls.
void ksr_net_rows(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                  void *scratch, int y0, int y1);

// What a network of chroma reads: U and V of 4:2:0, sited left, and their luma.
struct ksr_net_chroma {
    struct ksr_plane src[2], luma;
};

// Returns whether a layout has chroma that networks of chroma are for: 4:2:0, sited left.
bool ksr_net_chroma_possible(const struct ksr_layout *layout);

// Adds to rows y0 .. y1-1 of U and V, which a filter has enlarged to the size of luma, what a
// network of chroma says they lack. Reads net->reach rows of chroma around, and luma beside them.
// scratch: as of ksr_net_rows().
void ksr_net_chroma_rows(const struct ksr_plane dst[2], const struct ksr_net_chroma *src,
                         const ksr_net *net, void *scratch, int y0, int y1);

#endif
