// Networks (net/net.h) on a GPU: luma or chroma doubled, with the bits of ksr_net_rows() and
// ksr_net_chroma_rows().
//
// Every layer is one kernel. It makes the activations of the picture and of what the layers after
// it need around it (net/model.h, `before` and `after`), which begin at the top left of its part of
// the scratch memory. What lies beyond, up to whole workgroups, is made too and never used. A part
// is taken again when no layer reads what is in it any more: without skips there are two.
//
//   activations   [block of 32 channels][row][column][channel], or [row][column][channel] where the
//                 channels are no multiple of 32; less 128, in signed 8 bits: bias + 128 * sum of
//                 weights makes up for it, exactly
//   weights       a block for each group of channels that a workgroup makes: weights in the order
//                 in which the shader reads them, biases, shifts
//
// Matrices have 32 inputs and outputs for each unit of activations. With 16 channels a unit is two
// pixels, and some of its weights are zero.

#ifndef KSR_VULKAN_NET_H
#define KSR_VULKAN_NET_H

#include "net/net.h"
#include "vulkan/kernel.h"
#include "vulkan/shaders/params.h"

// How the layers between the first and the last multiply. Matrices are for layers from and to
// multiples of 32 channels, or from 16 to 16; the others of a network do dot products beside them.
enum ksr_gpu_net_tier {
    KSR_GPU_NET_INT,    // 32-bit integers
    KSR_GPU_NET_DOT,    // dot products of four 8-bit integers
    KSR_GPU_NET_MATRIX, // matrices of 8-bit integers
    KSR_GPU_NET_TIERS
};

struct ksr_gpu_net_layer {
    struct ksr_net_layer shape; // without its weights
    bool matrix;                // multiplies by matrices
    int kernel;                 // of the network's; equal layers share one
    int part;                   // of the scratch memory
    uint64_t weights;           // their address
};

struct ksr_gpu_net {
    struct ksr_gpu_net_layer layer[KSR_MODEL_LAYERS];
    bool chroma; // as in the network
    int layers, parts, unit;
    int around[KSR_MODEL_HALVINGS + 1]; // columns that a layer makes around the picture, at most
    enum ksr_gpu_net_tier tier;
    struct ksr_gpu_shape shape; // of matrices
    struct ksr_gpu_kernel kernel[KSR_MODEL_LAYERS];
    struct ksr_gpu_buffer weights; // of all layers
};

const char *ksr_gpu_net_tier_name(enum ksr_gpu_net_tier tier);

// Returns whether a GPU can work by a tier; the others are always there, though not always fast.
bool ksr_gpu_net_has_tier(const struct ksr_gpu *gpu, enum ksr_gpu_net_tier tier);

// *out: the shape of matrices of a GPU that networks use. Returns whether it has one.
bool ksr_gpu_net_shape(const struct ksr_gpu *gpu, struct ksr_gpu_shape *out);

// Returns the fastest tier of a GPU.
enum ksr_gpu_net_tier ksr_gpu_net_best_tier(const struct ksr_gpu *gpu);

// *out: a network for a GPU, by a tier that it has; free with ksr_gpu_net_free(), which accepts all
// zero. Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_net_create(struct ksr_gpu *gpu, struct ksr_gpu_net *out,
                                           const ksr_net *net, enum ksr_gpu_net_tier tier);
void ksr_gpu_net_free(struct ksr_gpu *gpu, struct ksr_gpu_net *net);

// Compares a small picture with what the processor makes of it, unless the result is known
// (tested.h). Returns KSR_OK; KSR_E_PROCESS
// (gpu->trouble names a tier that computes wrong), KSR_E_NOMEM.
KSR_MUST_USE ksr_status ksr_gpu_net_check(struct ksr_gpu *gpu, const struct ksr_gpu_net *g,
                                          const ksr_net *net);

// *out: the network in the fastest tier that passes the check, as ksr_gpu_net_create() makes it.
// refused: why the last tier that does not was left out; empty if the fastest one passes.
KSR_MUST_USE ksr_status ksr_gpu_net_choose(struct ksr_gpu *gpu, struct ksr_gpu_net *out,
                                           const ksr_net *net, char refused[KSR_GPU_REASON]);

// Returns the bytes of memory in which `rows` rows of a picture are doubled at once: luma, or by a
// network of chroma U and V, which have one size. With all rows of a picture it is fastest; with
// fewer the picture is made in bands.
size_t ksr_gpu_net_scratch(const struct ksr_gpu_net *net, int width, int rows);

// Records rows y0 .. y1-1 of dst, of twice the size of src, by a network of luma. scratch: at least
// as large as for 1 row. Marks each kernel.
void ksr_gpu_net_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *net,
                      const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                      const struct ksr_gpu_buffer *scratch, int y0, int y1);

// What a network of chroma reads: struct ksr_net_chroma.
struct ksr_gpu_net_chroma {
    struct ksr_gpu_plane src[2], luma;
};

// The same by a network of chroma, which adds to rows y0 .. y1-1 of U and V. What a filter has made
// of them must be there.
void ksr_gpu_net_chroma_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *net,
                             const struct ksr_gpu_plane dst[2],
                             const struct ksr_gpu_net_chroma *src,
                             const struct ksr_gpu_buffer *scratch, int y0, int y1);

#endif
