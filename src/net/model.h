// A network as its file holds it: a chain of layers that doubles luma, or chroma.
//
// The first layer sees 15-bit samples, all others see the channels of 8 bits of the layer before,
// and the last gives differences of 15 bits. One of luma sees luma and gives four differences for
// each sample. One of chroma works at the size of chroma of 4:2:0: it sees six planes, luma at the
// top left, top right, bottom left and bottom right of each sample of chroma, U and V, and gives
// four differences for U, then four for V.
//
// A layer may halve the resolution, or double it again, and add the result of an earlier layer of
// its resolution and width. A file of luma may hold several networks of one shape, each for another
// kind of source: its variants. The first is for all of them, and one more network chooses: the
// four outputs that it gives for a sample, less that sample, added up over parts of frames, are
// votes for the second variant to the fifth. models/README.md has the arithmetic, train/ai/pack.py
// the file format.

#ifndef KSR_NET_MODEL_H
#define KSR_NET_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

#define KSR_MODEL_LAYERS   32                    // at most, and 3 at least
#define KSR_MODEL_WIDTH    128                   // at most; 16, 32, 48, 64, 96 or 128
#define KSR_MODEL_CHANNELS (4 * KSR_MODEL_WIDTH) // of a layer that doubles the resolution
#define KSR_MODEL_HALVINGS 3                     // of the resolution, at most
#define KSR_MODEL_REACH    64 // at most: rows and columns around a sample that its result depends on

#define KSR_MODEL_VARIANTS 5  // at most
#define KSR_VARIANT_NAME   16 // bytes of a variant's name with its end

#define KSR_VARIANT_GENERAL "general" // the first one, for all sources
#define KSR_VARIANT_AUTO    "auto"    // the network that chooses

#define KSR_MODEL_LUMA_INPUTS    1
#define KSR_MODEL_LUMA_OUTPUTS   4
#define KSR_MODEL_CHROMA_INPUTS  6
#define KSR_MODEL_CHROMA_OUTPUTS 8

#define KSR_MODEL_KEPT 16384 // at most: activations to a column of samples that are kept at once

enum ksr_layer_kind {
    KSR_LAYER_CONV, // kernel of 1x1, 3x3, or 5x5 in the first layer
    KSR_LAYER_DOWN, // 3x3 at every second row and column: sample i is made of 2i-1 .. 2i+1
    KSR_LAYER_UP,   // 1x1 to four channels for each output c: 4c + 2p + q becomes row 2i+p,
                    // column 2j+q of it
    KSR_LAYER_KINDS
};

struct ksr_model_layer {
    enum ksr_layer_kind kind;
    int skip;                  // 0, or 1 + index of an earlier layer that is added to the result
    int inputs, outputs, side; // side of the kernel
    int32_t *bias;             // [channels]
    uint8_t *shift;            // [channels], 0 .. 30
    int16_t *weight;           // [channels][inputs][side][side]
    // What follows from all layers: ksr_model_trace().
    int halvings;      // of the resolution, at its output
    int before, after; // rows it must give before and after those of a picture; columns alike
    int kept;          // rows of it that are needed at once, when rows are made from above
};

struct ksr_model {
    struct ksr_model_layer layer[KSR_MODEL_LAYERS];
    int layers;
    // ksr_model_trace():
    bool chroma;              // it doubles chroma
    int width;                // of the widest layer
    int unit;                 // samples to one of the coarsest resolution
    int before, after;        // samples needed before and after a picture; columns alike
    int kept;                 // rows of samples that are needed at once
    int reach;                // rows around a sample that its result depends on
    int variants;             // of the file; 1: no choice
    int variant;              // which one this is; `variants` for the network that chooses
    char variant_name[KSR_MODEL_VARIANTS][KSR_VARIANT_NAME]; // "" where there is no choice
    bool plain;               // one resolution, one width of 16, 32 or 64, no skips: version 1
    char hash[KSR_HASH_TEXT]; // of the whole file
};

#define KSR_MODEL_NO_VARIANT "it has no such variant"

// Returns the channels that a layer's convolution gives.
int ksr_model_channels(const struct ksr_model_layer *layer);

// Fills in what follows from kinds, skips, inputs, outputs and sides of the layers.
// Returns NULL on success, else what is wrong with them, a constant text.
const char *ksr_model_trace(struct ksr_model *model);

// Reads a model from the bytes of a file, which are not trusted: every size is checked, and that no
// sum can leave 31 bits whatever the picture.
// variant: which one is kept; NULL: the first; KSR_VARIANT_AUTO: the network that chooses.
// Returns NULL on success, else what is wrong, a constant text, KSR_MODEL_NO_VARIANT for one that
// the file does not have; *out is then all zero. Free with ksr_model_free().
const char *ksr_model_parse(const uint8_t *data, size_t size, const char *variant,
                            struct ksr_model *out);

// Frees everything; leaves *model all zero. Accepts an all-zero model.
void ksr_model_free(struct ksr_model *model);

#endif
