// All layers of a network, fused row by row; see net.h.
//
// Works down strips of columns. Every layer keeps its last few rows in a ring, as many as the
// layers that read it need at once (model.h; net.c for tiles). Each new row of samples completes
// whatever rows it can in the layers below (schedule.h): one in each layer if all have the
// resolution of the picture, or four after every fourth one where tiles make four at once. The rows
// of all layers of a strip stay in the second-level cache; whole feature maps, which would go
// through main memory once per layer, never exist. That is where the speed comes from.
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
    const struct ksr_plane *luma;        // by a network of luma: what it reads
    const struct ksr_net_chroma *chroma; // by one of chroma
    int x0, columns; // of the input, a multiple of net->unit, without what lies around
    int first;       // row of the input where the band begins; a multiple of net->unit
    int end;         // ... and ends
    int16_t *samples; // [row][input][column]
    ksr_act *ring[KSR_MODEL_LAYERS];
    int32_t *difference; // [column][outputs]
    void *work;
    struct ksr_net_schedule schedule;
};

static int strip_columns(const ksr_net *net)
{
    return net->unit == 1 ? STRIP_PLAIN : STRIP_MOST;
}

// Of one input.
static size_t sample_columns(const ksr_net *net)
{
    return (size_t)(strip_columns(net) + net->before + net->after + KSR_NET_SPARE);
}

static int inputs_of(const ksr_net *net)
{
    return net->layer[0].inputs;
}

// Differences to a column.
static int outputs_of(const ksr_net *net)
{
    return net->layer[net->layers - 1].outputs;
}

// Activations in a row of a layer's ring.
static size_t ring_columns(const ksr_net *net, const struct ksr_net_layer *l)
{
    const int columns = strip_columns(net) >> l->halvings;
    return (size_t)(columns + l->before + l->after + KSR_NET_SPARE) * (size_t)l->outputs;
}

// Rows of samples, and of a layer, that are kept.
static int samples_kept(const ksr_net *net)
{
    return KSR_NET_TILED ? net->tiled_kept : net->kept;
}

static int rows_kept(const struct ksr_net_layer *l)
{
    return KSR_NET_TILED ? l->tiled_kept : l->kept;
}

// Scratch memory that is handed out in parts; without memory, only `used` counts. The parts are as
// large as any level wants them: plain C, whose activations are the largest, or one with tiles.
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
    const int rows = inputs_of(net) * ksr_max(net->kept, net->tiled_kept);
    s->samples = part_of(m, sample_columns(net) * (size_t)rows, sizeof(int16_t));
    s->difference = part_of(m, (size_t)(outputs_of(net) * (strip_columns(net) + KSR_NET_SPARE)),
                            sizeof(int32_t));
    s->work = part_of(m, KSR_NET_WORK, 1);
    for (int i = 0; i < net->layers - 1; i++) {
        const struct ksr_net_layer *l = &net->layer[i];
        const int bytes = ksr_max(l->kept * (int)sizeof(int16_t), l->tiled_kept);
        s->ring[i] = part_of(m, ring_columns(net, l) * (size_t)bytes, 1);
    }
}

size_t ksr_net_scratch(const ksr_net *net)
{
    struct strip s;
    struct memory m = {NULL, 0};
    place(&s, net, &m);
    return m.used;
}

static int16_t *sample_row(const struct strip *s, int input, int y)
{
    const int row = (y - s->first + s->net->before) % samples_kept(s->net);
    return s->samples + (size_t)(row * inputs_of(s->net) + input) * sample_columns(s->net);
}

// Row y of a layer, at column x of the strip: 0 is the first one without those before it.
static ksr_act *ring_at(const struct strip *s, int layer, int y, int x)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int row = (y - (s->first >> l->halvings) + l->before) % rows_kept(l);
    return s->ring[layer] + (size_t)row * ring_columns(s->net, l) +
           (size_t)((l->before + x) * l->outputs);
}

// Row y of an input: every `step`-th sample of a row that has one at its end for column `last`.
static void load_row(const struct strip *s, int input, int y, const uint16_t *row, int step,
                     int last, uint16_t end)
{
    int16_t *out = sample_row(s, input, y);
    const int first = s->x0 - s->net->before;
    const int count = s->columns + s->net->before + s->net->after;
    const int from = ksr_min(count, ksr_max(0, -first)), to = ksr_min(count, last - first);
    for (int i = 0; i < from; i++)
        out[i] = (int16_t)((last > 0 ? row[0] : end) - 16384);
    for (int i = from; i < to; i++)
        out[i] = (int16_t)(row[step * (first + i)] - 16384);
    for (int i = ksr_max(from, to); i < count; i++)
        out[i] = (int16_t)(end - 16384);
}

static void load_luma(const struct strip *s, int y)
{
    const uint16_t *row = ksr_row(s->luma, y);
    const int last = s->luma->width - 1;
    load_row(s, 0, y, row, 1, last, row[last]);
}

// Luma at the four places of each sample of chroma, U and V. All six planes go on beyond the edges
// of chroma by repeating what they have there.
static void load_chroma(const struct strip *s, int y)
{
    const struct ksr_plane *luma = &s->chroma->luma, *src = s->chroma->src;
    const int last = src->width - 1, at = ksr_clamp(y, 0, src->height - 1);
    for (int i = 0; i < 4; i++) {
        const uint16_t *row = ksr_row(luma, 2 * at + i / 2);
        load_row(s, i, y, row + i % 2, 2, last, row[ksr_min(2 * last + i % 2, luma->width - 1)]);
    }
    for (int i = 0; i < 2; i++) {
        const uint16_t *row = ksr_row(&src[i], at);
        load_row(s, 4 + i, y, row, 1, last, row[last]);
    }
}

// Returns how many columns of a layer a strip has.
static int columns_of(const struct strip *s, const struct ksr_net_layer *l)
{
    return (s->columns >> l->halvings) + l->before + l->after;
}

// Row y of the first layer.
static void make_head(const struct strip *s, int y)
{
    const struct ksr_net_layer *l = &s->net->layer[0];
    const int first = ksr_net_first_input(l, y), x = ksr_net_first_input(l, -l->before);
    const int16_t *in[KSR_MODEL_CHROMA_INPUTS * 5];
    for (int i = 0; i < l->inputs; i++)
        for (int r = 0; r < l->side; r++)
            in[i * l->side + r] = sample_row(s, i, first + r) + s->net->before + x;
    ksr_net_head(l, in, ring_at(s, 0, y, -l->before), columns_of(s, l));
}

// The rows of the input for row y of a layer, and more.
static void find_inputs(const struct strip *s, int layer, int y, const ksr_act *in[])
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int first = ksr_net_first_input(l, y), x = ksr_net_first_input(l, -l->before);
    for (int r = 0; r < ksr_net_input_rows(&s->schedule, layer); r++)
        in[r] = ring_at(s, layer - 1, first + r, x);
}

// Rows of a layer between, from y on: as many as it makes at once.
static void make_body(const struct strip *s, int layer, int y)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int columns = columns_of(s, l) / (l->kind == KSR_LAYER_UP ? 2 : 1);
    const ksr_act *in[KSR_NET_TILE + 2], *skip[KSR_NET_TILE] = {NULL};
    ksr_act *out[KSR_NET_TILE] = {NULL};
    find_inputs(s, layer, y, in);
    for (int r = 0; r < ksr_net_at_once(&s->schedule, layer); r++) {
        out[r] = ring_at(s, layer, y + r, -l->before);
        if (l->skip > 0)
            skip[r] = ring_at(s, l->skip - 1, y + r, -l->before);
    }
    ksr_net_body(l, in, l->skip > 0 ? skip : NULL, out, columns, s->work);
}

// The differences of row y.
static void make_tail(const struct strip *s, int y)
{
    const int last = s->net->layers - 1;
    const ksr_act *in[3];
    find_inputs(s, last, y, in);
    ksr_net_tail(&s->net->layer[last], in, s->difference, s->columns);
}

// Writes output row y, made of input row y / 2: the interpolation and the differences.
static void store_row(const struct strip *s, const struct ksr_plane *dst, int y)
{
    const int below = y & 1, around = s->net->before;
    const int16_t *row[4];
    for (int k = 0; k < 4; k++)
        row[k] = sample_row(s, 0, y / 2 + (below ? 2 - k : k - 2)) + around - 2;
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

// The limits of what becomes of each sample of row y of U or V: the range of the 3x3 samples
// around, and half as much more on both sides.
static void find_limits(const struct strip *s, int plane, int y, int16_t *low, int16_t *high)
{
    int16_t least[STRIP_MOST + 2], most[STRIP_MOST + 2]; // of each column
    const int16_t *row[3];
    for (int k = 0; k < 3; k++)
        row[k] = sample_row(s, 4 + plane, y - 1 + k) + s->net->before - 1;
    for (int i = 0; i < s->columns + 2; i++) {
        least[i] = (int16_t)ksr_min(ksr_min(row[0][i], row[1][i]), row[2][i]);
        most[i] = (int16_t)ksr_max(ksr_max(row[0][i], row[1][i]), row[2][i]);
    }
    for (int i = 0; i < s->columns; i++) {
        const int a = ksr_min(ksr_min(least[i], least[i + 1]), least[i + 2]) + 16384;
        const int b = ksr_max(ksr_max(most[i], most[i + 1]), most[i + 2]) + 16384;
        const int more = (b - a) >> 1;
        low[i] = (int16_t)ksr_max(a - more, 0);
        high[i] = (int16_t)ksr_min(b + more, KSR_SAMPLE_MAX);
    }
}

// Adds its differences to what row y of U or V becomes, as far as that is of output rows y0 ..
// y1-1.
static void add_rows(const struct strip *s, const struct ksr_plane *dst, int plane, int y, int y0,
                     int y1)
{
    int16_t low[STRIP_MOST], high[STRIP_MOST];
    const int count = ksr_min(2 * s->columns, dst->width - 2 * s->x0), step = outputs_of(s->net);
    find_limits(s, plane, y, low, high);
    for (int at = ksr_max(y0, 2 * y); at < ksr_min(y1, 2 * y + 2); at++) {
        uint16_t *out = dst->data + at * dst->stride + 2 * s->x0;
        const int32_t *d = s->difference + 4 * plane + 2 * (at & 1);
        for (int i = 0; i < count; i++)
            out[i] = (uint16_t)ksr_clamp(out[i] + d[i / 2 * step + i % 2], low[i / 2], high[i / 2]);
    }
}

// Makes the next rows of a layer. Where several are made at once, rows below the last one that is
// needed come with it, of whatever its input has there; what is needed does not depend on them.
static void make_rows(struct strip *s, const struct ksr_plane *dst, int layer, int y0, int y1)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int y = s->schedule.made[layer];
    s->schedule.made[layer] += ksr_net_at_once(&s->schedule, layer);
    if (y >= (s->end >> l->halvings) + l->after)
        return;
    if (layer == 0) {
        make_head(s, y);
    } else if (layer < s->net->layers - 1) {
        make_body(s, layer, y);
    } else {
        make_tail(s, y);
        for (int plane = 0; s->chroma && plane < 2; plane++)
            add_rows(s, &dst[plane], plane, y, y0, y1);
        for (int out = ksr_max(y0, 2 * y); !s->chroma && out < ksr_min(y1, 2 * y + 2); out++)
            store_row(s, dst, out);
    }
}

// Makes a strip of output rows y0 .. y1-1 of all planes.
static void run_strip(struct strip *s, const struct ksr_plane *dst, int y0, int y1)
{
    const ksr_net *net = s->net;
    s->schedule = (struct ksr_net_schedule){.net = net, .tiled = KSR_NET_TILED};
    ksr_net_begin(&s->schedule, s->first);
    for (int y = s->first - net->before; s->schedule.made[net->layers - 1] < s->end; y++) {
        if (y < s->end + net->after && s->chroma)
            load_chroma(s, y);
        else if (y < s->end + net->after)
            load_luma(s, y);
        for (int i = 0; i < net->layers; i++)
            while (ksr_net_is_ready(&s->schedule, i, y))
                make_rows(s, dst, i, y0, y1);
    }
}

static void run_strips(struct strip *s, const struct ksr_plane *dst, void *scratch, int y0, int y1)
{
    const int unit = s->net->unit, strip = strip_columns(s->net);
    s->first = y0 / 2 / unit * unit;
    s->end = ((y1 + 1) / 2 + unit - 1) / unit * unit;
    place(s, s->net, &(struct memory){scratch, 0});
    for (s->x0 = 0; 2 * s->x0 < dst->width; s->x0 += strip) {
        const int columns = ksr_min(strip, (dst->width - 2 * s->x0 + 1) / 2);
        s->columns = (columns + unit - 1) / unit * unit;
        run_strip(s, dst, y0, y1);
    }
}

void ksr_net_rows(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                  void *scratch, int y0, int y1)
{
    struct strip s = {.net = net, .luma = src};
    run_strips(&s, dst, scratch, y0, y1);
}

void ksr_net_chroma_rows(const struct ksr_plane dst[2], const struct ksr_net_chroma *src,
                         const ksr_net *net, void *scratch, int y0, int y1)
{
    struct strip s = {.net = net, .chroma = src};
    run_strips(&s, dst, scratch, y0, y1);
}
