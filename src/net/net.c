// A model's weights in the orders that the inner loops read; see net.h.

#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static void *room(size_t count, size_t size)
{
    size_t bytes;
    return ksr_size_multiply(count, size, &bytes) ? ksr_aligned_calloc(bytes) : NULL;
}

static bool pack_head(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    const int pairs = (m->side + 1) / 2;
    l->weight16 = room((size_t)(m->side * pairs * m->outputs * 2), sizeof(l->weight16[0]));
    for (int o = 0; l->weight16 && o < m->outputs; o++)
        for (int r = 0; r < m->side; r++)
            for (int c = 0; c < m->side; c++)
                l->weight16[((r * pairs + c / 2) * m->outputs + o) * 2 + c % 2] =
                    m->weight[(o * m->side + r) * m->side + c];
    return l->weight16;
}

static bool pack_body(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    const int taps = m->side * m->side;
    const size_t count = (size_t)(m->outputs * m->inputs * taps);
    l->weight16 = room(count, sizeof(l->weight16[0]));
    l->weight8 = room(count, 1);
    l->tail16 = room(count, sizeof(l->tail16[0]));
    l->tail8 = room((size_t)(taps * m->outputs * 64), 1);
    if (!l->weight16 || !l->weight8 || !l->tail16 || !l->tail8)
        return false;
    for (int o = 0; o < m->outputs; o++)
        for (int i = 0; i < m->inputs; i++)
            for (int t = 0; t < taps; t++) {
                const int16_t w = m->weight[(o * m->inputs + i) * taps + t];
                l->weight16[((t * m->inputs / 2 + i / 2) * m->outputs + o) * 2 + i % 2] = w;
                l->weight8[((t * m->inputs / 4 + i / 4) * m->outputs + o) * 4 + i % 4] = (int8_t)w;
                l->tail16[(t * m->outputs + o) * m->inputs + i] = w;
                for (int k = i; k < 64; k += m->inputs)
                    l->tail8[(t * m->outputs + o) * 64 + k] = (int8_t)w;
            }
    return true;
}

static bool pack_layer(struct ksr_net_layer *l, const struct ksr_model_layer *m, bool head)
{
    l->inputs = m->inputs;
    l->outputs = m->outputs;
    l->side = m->side;
    l->bias = room((size_t)m->outputs, sizeof(l->bias[0]));
    l->shift = room((size_t)m->outputs, sizeof(l->shift[0]));
    if (!l->bias || !l->shift)
        return false;
    for (int o = 0; o < m->outputs; o++) {
        l->bias[o] = m->bias[o];
        l->shift[o] = m->shift[o];
    }
    return head ? pack_head(l, m) : pack_body(l, m);
}

ksr_net *ksr_net_create(const struct ksr_model *model)
{
    ksr_net *net = calloc(1, sizeof(*net));
    if (!net)
        return NULL;
    net->layers = model->layers;
    net->width = model->width;
    net->reach = model->reach;
    memcpy(net->hash, model->hash, sizeof(net->hash));
    for (int i = 0; net && i < model->layers; i++)
        if (!pack_layer(&net->layer[i], &model->layer[i], i == 0))
            ksr_net_destroy(&net);
    return net;
}

void ksr_net_destroy(ksr_net **net)
{
    if (!net || !*net)
        return;
    for (int i = 0; i < KSR_MODEL_LAYERS; i++) {
        struct ksr_net_layer *l = &(*net)->layer[i];
        ksr_aligned_free(l->bias);
        ksr_aligned_free(l->shift);
        ksr_aligned_free(l->weight16);
        ksr_aligned_free(l->weight8);
        ksr_aligned_free(l->tail16);
        ksr_aligned_free(l->tail8);
    }
    free(*net);
    *net = NULL;
}
