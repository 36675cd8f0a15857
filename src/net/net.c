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

// Returns where the engine has channel o of a model's layer.
static int place_of(const struct ksr_net_layer *l, int o)
{
    return l->kind == KSR_LAYER_UP ? o % 4 * l->outputs + o / 4 : o;
}

static bool pack_body(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    const int taps = m->side * m->side;
    const size_t count = (size_t)(l->channels * m->inputs * taps);
    l->weight16 = room(count, sizeof(l->weight16[0]));
    l->weight8 = room(count, 1);
    if (!l->weight16 || !l->weight8)
        return false;
    for (int o = 0; o < l->channels; o++)
        for (int i = 0; i < m->inputs; i++)
            for (int t = 0; t < taps; t++) {
                const int16_t w = m->weight[(o * m->inputs + i) * taps + t];
                const int at = place_of(l, o);
                l->weight16[((t * m->inputs / 2 + i / 2) * l->channels + at) * 2 + i % 2] = w;
                l->weight8[((t * m->inputs / 4 + i / 4) * l->channels + at) * 4 + i % 4] =
                    (int8_t)w;
            }
    return true;
}

static bool pack_tail(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    const int taps = m->side * m->side, row = KSR_NET_TAIL(m->inputs);
    const int again = row % m->inputs == 0 ? m->inputs : row;
    l->tail16 = room((size_t)(taps * m->outputs * m->inputs), sizeof(l->tail16[0]));
    l->tail8 = room((size_t)(taps * m->outputs * row), 1);
    if (!l->tail16 || !l->tail8)
        return false;
    for (int o = 0; o < m->outputs; o++)
        for (int i = 0; i < m->inputs; i++)
            for (int t = 0; t < taps; t++) {
                const int16_t w = m->weight[(o * m->inputs + i) * taps + t];
                l->tail16[(t * m->outputs + o) * m->inputs + i] = w;
                for (int k = i; k < row; k += again)
                    l->tail8[(t * m->outputs + o) * row + k] = (int8_t)w;
            }
    return true;
}

static bool pack_layer(struct ksr_net_layer *l, const struct ksr_model_layer *m, bool head,
                       bool tail)
{
    l->kind = m->kind;
    l->skip = m->skip;
    l->inputs = m->inputs;
    l->outputs = m->outputs;
    l->side = m->side;
    l->halvings = m->halvings;
    l->before = m->before;
    l->after = m->after;
    l->kept = m->kept;
    l->channels = ksr_model_channels(m);
    l->bias = room((size_t)l->channels, sizeof(l->bias[0]));
    l->shift = room((size_t)l->channels, sizeof(l->shift[0]));
    if (!l->bias || !l->shift)
        return false;
    for (int o = 0; o < l->channels; o++) {
        l->bias[place_of(l, o)] = m->bias[o];
        l->shift[place_of(l, o)] = m->shift[o];
    }
    return head ? pack_head(l, m) : pack_body(l, m) && (!tail || pack_tail(l, m));
}

ksr_net *ksr_net_create(const struct ksr_model *model)
{
    ksr_net *net = calloc(1, sizeof(*net));
    if (!net)
        return NULL;
    net->layers = model->layers;
    net->width = model->width;
    net->unit = model->unit;
    net->before = model->before;
    net->after = model->after;
    net->kept = model->kept;
    net->reach = model->reach;
    memcpy(net->hash, model->hash, sizeof(net->hash));
    for (int i = 0; net && i < model->layers; i++)
        if (!pack_layer(&net->layer[i], &model->layer[i], i == 0, i == model->layers - 1))
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

double ksr_net_layer_multiplications(const struct ksr_net_layer *l)
{
    // The convolution works before the resolution doubles.
    const int halvings = l->halvings + (l->kind == KSR_LAYER_UP);
    return (double)l->inputs * l->channels * l->side * l->side / (1 << 2 * halvings);
}

double ksr_net_multiplications(const ksr_net *net)
{
    double sum = 0;
    for (int i = 0; i < net->layers; i++)
        sum += ksr_net_layer_multiplications(&net->layer[i]);
    return sum;
}
