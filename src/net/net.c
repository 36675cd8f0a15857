// A model's weights in the orders that the inner loops read; see net.h.

#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "net/schedule.h"

static void *room(size_t count, size_t size)
{
    size_t bytes;
    return ksr_size_multiply(count, size, &bytes) ? ksr_aligned_calloc(bytes) : NULL;
}

static bool pack_head(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    const int pairs = (m->side + 1) / 2, rows = m->inputs * m->side; // of all inputs
    l->weight16 = room((size_t)(rows * pairs * m->outputs * 2), sizeof(l->weight16[0]));
    for (int o = 0; l->weight16 && o < m->outputs; o++)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < m->side; c++)
                l->weight16[((r * pairs + c / 2) * m->outputs + o) * 2 + c % 2] =
                    m->weight[(o * rows + r) * m->side + c];
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
    l->bias8 = room((size_t)l->channels, sizeof(l->bias8[0]));
    if (!l->weight16 || !l->weight8 || !l->bias8)
        return false;
    memcpy(l->bias8, l->bias, (size_t)l->channels * sizeof(l->bias8[0]));
    for (int o = 0; o < l->channels; o++)
        for (int i = 0; i < m->inputs; i++)
            for (int t = 0; t < taps; t++) {
                const int16_t w = m->weight[(o * m->inputs + i) * taps + t];
                const int at = place_of(l, o);
                l->weight16[((t * m->inputs / 2 + i / 2) * l->channels + at) * 2 + i % 2] = w;
                l->weight8[((t * m->inputs / 4 + i / 4) * l->channels + at) * 4 + i % 4] =
                    (int8_t)w;
                l->bias8[at] += 128 * w;
            }
    return true;
}

// Returns whether every sum with its bias fits: see x86/winograd.c and arm/winograd.c, which take it
// modulo 2^26.
static bool sums_fit(const struct ksr_model_layer *m)
{
    const int64_t most = 1 << KSR_NET_TILED_BITS;
    const int count = m->inputs * m->side * m->side;
    for (int o = 0; o < ksr_model_channels(m); o++) {
        int64_t high = m->bias[o], low = high;
        for (int i = 0; i < count; i++) {
            const int w = m->weight[o * count + i];
            *(w < 0 ? &low : &high) += 255 * w;
        }
        if (high >= most || low < -most)
            return false;
    }
    return true;
}

// The matrix G of x86/winograd.c.
static const int spread[6][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4},
                                 {1, 2, 4}, {1, -2, 4},   {0, 0, 12}};

// What place (r, c) of a tile multiplies an input with: at most 18432 for weights down to -128.
static int tiled_weight(const int16_t weight[9], int r, int c)
{
    int sum = 0;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            sum += spread[r][i] * spread[c][k] * weight[3 * i + k];
    return sum;
}

static bool pack_tiled(struct ksr_net_layer *l, const struct ksr_model_layer *m)
{
    if (m->kind != KSR_LAYER_CONV || m->side != 3 || !sums_fit(m))
        return true;
    l->tiled16 = room((size_t)(36 * m->outputs * m->inputs), sizeof(l->tiled16[0]));
    for (int o = 0; l->tiled16 && o < m->outputs; o++)
        for (int i = 0; i < m->inputs; i++)
            for (int p = 0; p < 36; p++)
                l->tiled16[(p * m->outputs + o / 16 * 16) * m->inputs + i / 2 * 32 + o % 16 * 2 +
                           i % 2] =
                    (int16_t)tiled_weight(m->weight + (o * m->inputs + i) * 9, p / 6, p % 6);
    return l->tiled16;
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
    return head ? pack_head(l, m) : pack_body(l, m) && (tail ? pack_tail(l, m) : pack_tiled(l, m));
}

// Returns the first row of a layer, or of the samples with layer -1, that is still read.
static int oldest_used(const struct ksr_net_schedule *s, int layer)
{
    int oldest = ksr_net_first_input(&s->net->layer[layer + 1], s->made[layer + 1]);
    if (layer < 0) // the interpolation
        oldest = ksr_min(oldest, s->made[s->net->layers - 1] - 2);
    for (int i = layer + 1; layer >= 0 && i < s->net->layers; i++)
        if (s->net->layer[i].skip == layer + 1)
            oldest = ksr_min(oldest, s->made[i]);
    return oldest;
}

#define TRACED 256 // rows of samples: the schedule has repeated itself

// How many rows are needed at once with tiles, from making them without computing anything.
static void trace_tiled(ksr_net *net)
{
    struct ksr_net_schedule s = {.net = net, .tiled = true};
    const int last = net->layers - 1;
    ksr_net_begin(&s, 0);
    for (int y = -net->before; s.made[last] < TRACED; y++) {
        net->tiled_kept = ksr_max(net->tiled_kept, y + 1 - oldest_used(&s, -1));
        for (int i = 0; i <= last; i++)
            while (ksr_net_is_ready(&s, i, y)) {
                struct ksr_net_layer *l = &net->layer[i];
                const int end = s.made[i] + ksr_net_at_once(&s, i);
                l->tiled_kept = ksr_max(l->tiled_kept, i < last ? end - oldest_used(&s, i) : 1);
                s.made[i] = end;
            }
    }
}

ksr_net *ksr_net_create(const struct ksr_model *model)
{
    ksr_net *net = calloc(1, sizeof(*net));
    if (!net)
        return NULL;
    net->chroma = model->chroma;
    net->layers = model->layers;
    net->width = model->width;
    net->unit = model->unit;
    net->before = model->before;
    net->after = model->after;
    net->kept = model->kept;
    net->reach = model->reach;
    net->variants = model->variants;
    net->variant = model->variant;
    memcpy(net->variant_name, model->variant_name, sizeof(net->variant_name));
    memcpy(net->hash, model->hash, sizeof(net->hash));
    for (int i = 0; net && i < model->layers; i++)
        if (!pack_layer(&net->layer[i], &model->layer[i], i == 0, i == model->layers - 1))
            ksr_net_destroy(&net);
    if (net)
        trace_tiled(net);
    return net;
}

void ksr_net_destroy(ksr_net **net)
{
    if (!net || !*net)
        return;
    for (int i = 0; i < KSR_MODEL_LAYERS; i++) {
        struct ksr_net_layer *l = &(*net)->layer[i];
        ksr_aligned_free(l->bias);
        ksr_aligned_free(l->bias8);
        ksr_aligned_free(l->shift);
        ksr_aligned_free(l->weight16);
        ksr_aligned_free(l->weight8);
        ksr_aligned_free(l->tail16);
        ksr_aligned_free(l->tail8);
        ksr_aligned_free(l->tiled16);
    }
    free(*net);
    *net = NULL;
}

bool ksr_net_chroma_possible(const struct ksr_layout *layout)
{
    return layout->planes >= 3 && layout->chroma_shift_x == 1 && layout->chroma_shift_y == 1 &&
           layout->siting_x == KSR_SITING_COSITED && layout->siting_y == KSR_SITING_CENTRED;
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

double ksr_net_pixel_multiplications(const ksr_net *net)
{
    return ksr_net_multiplications(net) / (net->chroma ? 4 : 1);
}
