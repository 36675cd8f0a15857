// Which row of which layer is made when, as rows of samples come one by one.
//
// A layer makes one row at once, two where it doubles the resolution, and four where it is computed
// in tiles. Row numbers count from the top of the picture in the layer's resolution, and may be
// negative.

#ifndef KSR_NET_SCHEDULE_H
#define KSR_NET_SCHEDULE_H

#include "net/net.h"

struct ksr_net_schedule {
    const ksr_net *net;
    bool tiled;                 // layers that may be computed in tiles are
    int made[KSR_MODEL_LAYERS]; // the next row that each layer makes
};

// first: of the samples, where the picture begins: a multiple of net->unit.
static inline void ksr_net_begin(struct ksr_net_schedule *s, int first)
{
    for (int i = 0; i < s->net->layers; i++)
        s->made[i] = (first >> s->net->layer[i].halvings) - s->net->layer[i].before;
}

// Returns how many rows of a layer are made at once.
static inline int ksr_net_at_once(const struct ksr_net_schedule *s, int layer)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    return l->kind == KSR_LAYER_UP ? 2 : s->tiled && l->tiled16 ? KSR_NET_TILE : 1;
}

// Returns the first of the input's rows, or columns, that row or column `at` of a layer reads.
static inline int ksr_net_first_input(const struct ksr_net_layer *l, int at)
{
    switch (l->kind) {
    case KSR_LAYER_DOWN: return 2 * at - 1;
    case KSR_LAYER_UP: return at / 2; // `at` is even, and exact below 0
    default: return at - l->side / 2;
    }
}

// Returns how many rows of its input a layer reads for what it makes at once.
static inline int ksr_net_input_rows(const struct ksr_net_schedule *s, int layer)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    return l->side + (l->kind == KSR_LAYER_UP ? 0 : ksr_net_at_once(s, layer) - 1);
}

// Returns whether the input's rows for the next rows of a layer are there. y: the newest samples.
static inline bool ksr_net_is_ready(const struct ksr_net_schedule *s, int layer, int y)
{
    const int newest = layer > 0 ? s->made[layer - 1] - 1 : y;
    const int first = ksr_net_first_input(&s->net->layer[layer], s->made[layer]);
    return first + ksr_net_input_rows(s, layer) - 1 <= newest;
}

#endif
