// All layers of a network, fused row by row; see net.h.
//
// Works down strips of columns. Every layer keeps its last few rows in a ring, as many as the
// layers that read it need at once (model.h). Each new row of samples completes whatever rows it
// can in the layers below, run_strip(): one in each layer if all have the resolution of the
// picture. The rows of all layers of a strip stay in the second-level cache; whole feature maps,
// which would go through main memory once per layer, never exist. That is where the speed comes
// from.
//
// Beyond the edges of the frame only samples are replicated; layers are computed there like
// anywhere else. Padding every layer with zeros, as frameworks do, would make values depend on the
// distance to an edge, and every strip and band has edges: the result would change with their size.
//
// Strips and bands begin and end at multiples of the coarsest resolution's samples (net->unit), so
// that each layer makes a fixed number of rows and columns more than they have: `before` and
// `after`. Row numbers count from the top of the picture in the layer's resolution, and may be
// negative.

#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "net/conv.h"

// Columns of input in a strip, multiples of any unit. With several resolutions each strip makes
// three times as many columns around it, and most of its rows are read once, soon after they were
// made.
#define STRIP_PLAIN 480
#define STRIP_MOST  960

_Static_assert(STRIP_PLAIN % (1 << KSR_MODEL_HALVINGS) == 0 &&
                   STRIP_MOST % (1 << KSR_MODEL_HALVINGS) == 0,
               "strips begin where all resolutions do");

// Catmull-Rom at -1/4 of a pixel over offsets -2 .. 1, in 128ths; at +1/4 its mirror image.
static const int32_t taps[4] = {-3, 29, 111, -9};

struct strip {
    const ksr_net *net;
    const struct ksr_plane *src;
    int x0, columns; // of the input, a multiple of net->unit, without what lies around
    int first;       // row of the input where the band begins; a multiple of net->unit
    int16_t *samples;
    ksr_act *ring[KSR_MODEL_LAYERS];
    int made[KSR_MODEL_LAYERS]; // the next row that each layer makes
    int32_t *difference;        // [columns][4]
};

static int strip_columns(const ksr_net *net)
{
    return net->unit == 1 ? STRIP_PLAIN : STRIP_MOST;
}

static size_t sample_columns(const ksr_net *net)
{
    return (size_t)(strip_columns(net) + net->before + net->after + KSR_NET_SPARE);
}

// Activations in a row of a layer's ring.
static size_t ring_columns(const ksr_net *net, const struct ksr_net_layer *l)
{
    const int columns = strip_columns(net) >> l->halvings;
    return (size_t)(columns + l->before + l->after + KSR_NET_SPARE) * (size_t)l->outputs;
}

// Scratch memory that is handed out in parts; without memory, only `used` counts. The parts are as
// large as plain C wants them, whose activations are the largest.
struct memory {
    uint8_t *at;
    size_t used;
};

static void *part_of(struct memory *m, size_t values, size_t size)
{
    void *part = m->at ? m->at + m->used : NULL;
    m->used += (values * size + KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN;
    return part;
}

static void place(struct strip *s, const ksr_net *net, struct memory *m)
{
    s->samples = part_of(m, sample_columns(net) * (size_t)net->kept, sizeof(int16_t));
    s->difference = part_of(m, 4 * (size_t)(strip_columns(net) + KSR_NET_SPARE), sizeof(int32_t));
    for (int i = 0; i < net->layers - 1; i++)
        s->ring[i] = part_of(m, ring_columns(net, &net->layer[i]) * (size_t)net->layer[i].kept,
                             sizeof(int16_t));
}

size_t ksr_net_scratch(const ksr_net *net)
{
    struct strip s;
    struct memory m = {NULL, 0};
    place(&s, net, &m);
    return m.used;
}

static int16_t *sample_row(const struct strip *s, int y)
{
    const int row = (y - s->first + s->net->before) % s->net->kept;
    return s->samples + (size_t)row * sample_columns(s->net);
}

// Row y of a layer, at column x of the strip: 0 is the first one without those before it.
static ksr_act *ring_at(const struct strip *s, int layer, int y, int x)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int row = (y - (s->first >> l->halvings) + l->before) % l->kept;
    return s->ring[layer] + (size_t)row * ring_columns(s->net, l) +
           (size_t)((l->before + x) * l->outputs);
}

static void load_samples(const struct strip *s, int y)
{
    const uint16_t *row = ksr_row(s->src, y);
    int16_t *out = sample_row(s, y);
    const int first = s->x0 - s->net->before;
    const int count = s->columns + s->net->before + s->net->after;
    const int last = s->src->width - 1;
    const int from = ksr_min(count, ksr_max(0, -first)), to = ksr_min(count, last + 1 - first);
    for (int i = 0; i < from; i++)
        out[i] = (int16_t)(row[0] - 16384);
    for (int i = from; i < to; i++)
        out[i] = (int16_t)(row[first + i] - 16384);
    for (int i = to; i < count; i++)
        out[i] = (int16_t)(row[last] - 16384);
}

// Returns the first of the input's rows, or columns, that row or column `at` of a layer reads.
static int first_input(const struct ksr_net_layer *l, int at)
{
    switch (l->kind) {
    case KSR_LAYER_DOWN: return 2 * at - 1;
    case KSR_LAYER_UP: return at / 2; // `at` is even, and exact below 0
    default: return at - l->side / 2;
    }
}

// Returns whether the input's rows for the next row of a layer are there. y: the newest samples.
static bool is_ready(const struct strip *s, int layer, int y)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int newest = layer > 0 ? s->made[layer - 1] - 1 : y;
    return first_input(l, s->made[layer]) + l->side - 1 <= newest;
}

// Returns how many columns of a layer a strip has.
static int columns_of(const struct strip *s, const struct ksr_net_layer *l)
{
    return (s->columns >> l->halvings) + l->before + l->after;
}

// Computes the next row of the first layer.
static void make_head(struct strip *s)
{
    const struct ksr_net_layer *l = &s->net->layer[0];
    const int y = s->made[0]++;
    const int16_t *in[5];
    for (int r = 0; r < l->side; r++)
        in[r] = sample_row(s, first_input(l, y) + r) + s->net->before + first_input(l, -l->before);
    ksr_net_head(l, in, ring_at(s, 0, y, -l->before), columns_of(s, l));
}

static void find_inputs(const struct strip *s, int layer, const ksr_act *in[3])
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int y = first_input(l, s->made[layer]), x = first_input(l, -l->before);
    for (int r = 0; r < l->side; r++)
        in[r] = ring_at(s, layer - 1, y + r, x);
}

// The next row of a layer between, or the next two where it doubles the resolution.
static void make_body(struct strip *s, int layer)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int rows = l->kind == KSR_LAYER_UP ? 2 : 1;
    const ksr_act *in[3], *skip[2] = {NULL, NULL};
    ksr_act *out[2] = {NULL, NULL};
    find_inputs(s, layer, in);
    for (int r = 0; r < rows; r++) {
        out[r] = ring_at(s, layer, s->made[layer] + r, -l->before);
        if (l->skip > 0)
            skip[r] = ring_at(s, l->skip - 1, s->made[layer] + r, -l->before);
    }
    ksr_net_body(l, in, l->skip > 0 ? skip : NULL, out, columns_of(s, l) / rows);
    s->made[layer] += rows;
}

// The differences of the next row of the last layer.
static void make_tail(struct strip *s)
{
    const int last = s->net->layers - 1;
    const ksr_act *in[3];
    find_inputs(s, last, in);
    ksr_net_tail(&s->net->layer[last], in, s->difference, s->columns);
    s->made[last]++;
}

// Writes output row y, made of input row y / 2: the interpolation and the differences.
static void store_row(const struct strip *s, const struct ksr_plane *dst, int y)
{
    const int below = y & 1, around = s->net->before;
    const int16_t *row[4];
    for (int k = 0; k < 4; k++)
        row[k] = sample_row(s, y / 2 + (below ? 2 - k : k - 2)) + around - 2;
    int32_t column[STRIP_MOST + 4];
    for (int i = 0; i < s->columns + 4; i++)
        column[i] =
            taps[0] * row[0][i] + taps[1] * row[1][i] + taps[2] * row[2][i] + taps[3] * row[3][i];
    uint16_t half[2][STRIP_MOST];
    for (int i = 0; i < s->columns; i++) {
        const int32_t *c = column + i, *d = s->difference + 4 * i + 2 * below;
        const int32_t left = taps[0] * c[0] + taps[1] * c[1] + taps[2] * c[2] + taps[3] * c[3];
        const int32_t right = taps[0] * c[4] + taps[1] * c[3] + taps[2] * c[2] + taps[3] * c[1];
        half[0][i] = (uint16_t)ksr_clamp(((left + 8192) >> 14) + 16384 + d[0], 0, KSR_SAMPLE_MAX);
        half[1][i] = (uint16_t)ksr_clamp(((right + 8192) >> 14) + 16384 + d[1], 0, KSR_SAMPLE_MAX);
    }
    uint16_t *out = dst->data + y * dst->stride + 2 * s->x0;
    const int count = ksr_min(2 * s->columns, dst->width - 2 * s->x0);
    for (int i = 0; i < count / 2; i++) {
        out[2 * i] = half[0][i];
        out[2 * i + 1] = half[1][i];
    }
    if (count & 1)
        out[count - 1] = half[0][count / 2];
}

// Makes a strip of output rows y0 .. y1-1. end: row of the input where the band ends.
static void run_strip(struct strip *s, const struct ksr_plane *dst, int end, int y0, int y1)
{
    const ksr_net *net = s->net;
    const int last = net->layers - 1;
    for (int i = 0; i < net->layers; i++)
        s->made[i] = (s->first >> net->layer[i].halvings) - net->layer[i].before;
    for (int y = s->first - net->before; y < end + net->after; y++) {
        load_samples(s, y);
        while (is_ready(s, 0, y))
            make_head(s);
        for (int i = 1; i < last; i++)
            while (is_ready(s, i, y))
                make_body(s, i);
        while (s->made[last] < end && is_ready(s, last, y)) {
            const int made = s->made[last];
            make_tail(s);
            for (int out = ksr_max(y0, 2 * made); out < ksr_min(y1, 2 * made + 2); out++)
                store_row(s, dst, out);
        }
    }
}

void ksr_net_rows(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                  void *scratch, int y0, int y1)
{
    const int unit = net->unit, strip = strip_columns(net);
    struct strip s = {.net = net, .src = src, .first = y0 / 2 / unit * unit};
    place(&s, net, &(struct memory){scratch, 0});
    for (s.x0 = 0; 2 * s.x0 < dst->width; s.x0 += strip) {
        const int columns = ksr_min(strip, (dst->width - 2 * s.x0 + 1) / 2);
        s.columns = (columns + unit - 1) / unit * unit;
        run_strip(&s, dst, ((y1 + 1) / 2 + unit - 1) / unit * unit, y0, y1);
    }
}
