// A network as its file holds it: a chain of convolutions that doubles luma.
//
// The first layer sees one channel of 15-bit samples, all others up to the last see `width`
// channels of 8 bits, the last gives four differences of 15 bits. models/README.md has the
// arithmetic, train/ai/pack.py the file format.

#ifndef KSR_NET_MODEL_H
#define KSR_NET_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

#define KSR_MODEL_LAYERS 16 // at most, and 3 at least
#define KSR_MODEL_WIDTH  64 // at most; 16, 32 or 64
#define KSR_MODEL_REACH  16 // at most: rows and columns around a sample that its result depends on

struct ksr_model_layer {
    int inputs, outputs, side; // side of the kernel: 1, 3 or 5; outside the first layer 1 or 3
    int32_t *bias;             // [outputs]
    uint8_t *shift;            // [outputs], 0 .. 30
    int16_t *weight;           // [outputs][inputs][side][side]
};

struct ksr_model {
    struct ksr_model_layer layer[KSR_MODEL_LAYERS];
    int layers, width, reach;
    char hash[KSR_HASH_TEXT]; // of the whole file
};

// Reads a model from the bytes of a file, which are not trusted: every size is checked, and that no
// sum can leave 31 bits whatever the picture.
// Returns NULL on success, else what is wrong, a constant text; *out is then all zero. Free with
// ksr_model_free().
const char *ksr_model_parse(const uint8_t *data, size_t size, struct ksr_model *out);

// Frees everything; leaves *model all zero. Accepts an all-zero model.
void ksr_model_free(struct ksr_model *model);

#endif
