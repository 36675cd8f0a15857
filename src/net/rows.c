// All layers of a network, fused row by row; see net.h.
//
// Works down strips of columns. Every layer keeps its last few rows in a ring. Row y of a layer
// needs rows y - side/2 .. y + side/2 of the layer before, so each new row of samples completes
// exactly one row in every layer, at a distance above it that is the sum of the half sides so far.
// The rows of all layers of a strip stay in the second-level cache; whole feature maps, which would
// go through main memory once per layer, never exist. That is where the speed comes from.
//
// Beyond the edges of the frame only samples are replicated; layers are computed there like
// anywhere else. Padding every layer with zeros, as frameworks do, would make values depend on the
// distance to an edge, and every strip and band has edges: the result would change with their size.
//
// Row numbers may be negative. Rings are therefore indexed by the row number as an unsigned
// integer, which wraps correctly only if SAMPLES and KEPT are powers of two.

#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "net/conv.h"

#define STRIP   480 // columns of input
#define SAMPLES 64  // rows of samples kept: more than twice the reach; a power of two
#define KEPT    4   // rows of a layer kept: at least the side of a kernel; a power of two
#define COLUMNS (STRIP + 2 * KSR_MODEL_REACH + 2 * KSR_NET_SPARE)

// Catmull-Rom at -1/4 of a pixel over offsets -2 .. 1, in 128ths; at +1/4 its mirror image.
static const int32_t taps[4] = {-3, 29, 111, -9};

struct strip {
    const ksr_net *net;
    const struct ksr_plane *src;
    int x0, columns; // columns of the input, without what lies around
    int16_t (*samples)[COLUMNS];
    ksr_act *ring[KSR_MODEL_LAYERS];
    int32_t *difference; // [columns][4]
};

static size_t ring_values(const ksr_net *net)
{
    return (size_t)KEPT * COLUMNS * (size_t)net->width;
}

size_t ksr_net_scratch(const ksr_net *net)
{
    return SAMPLES * COLUMNS * sizeof(int16_t) + 4 * COLUMNS * sizeof(int32_t) +
           (size_t)(net->layers - 1) * ring_values(net) * sizeof(int16_t);
}

static struct strip make_strip(const ksr_net *net, const struct ksr_plane *src, void *scratch)
{
    struct strip s = {.net = net, .src = src, .samples = scratch};
    uint8_t *at = (uint8_t *)scratch + SAMPLES * COLUMNS * sizeof(int16_t);
    s.difference = (int32_t *)at;
    at += 4 * COLUMNS * sizeof(int32_t);
    for (int i = 0; i < net->layers - 1; i++, at += ring_values(net) * sizeof(int16_t))
        s.ring[i] = (ksr_act *)at;
    return s;
}

static int16_t *sample_row(const struct strip *s, int y)
{
    return s->samples[(unsigned)y % SAMPLES];
}

static ksr_act *ring_row(const struct strip *s, int layer, int y)
{
    return s->ring[layer] + (unsigned)y % KEPT * COLUMNS * (unsigned)s->net->width;
}

static void load_samples(const struct strip *s, int y)
{
    const uint16_t *row = ksr_row(s->src, y);
    int16_t *out = sample_row(s, y);
    const int first = s->x0 - s->net->reach, count = s->columns + 2 * s->net->reach;
    const int last = s->src->width - 1;
    const int from = ksr_min(count, ksr_max(0, -first)), to = ksr_min(count, last + 1 - first);
    for (int i = 0; i < from; i++)
        out[i] = (int16_t)(row[0] - 16384);
    for (int i = from; i < to; i++)
        out[i] = (int16_t)(row[first + i] - 16384);
    for (int i = to; i < count; i++)
        out[i] = (int16_t)(row[last] - 16384);
}

// Computes row y of a layer, with `around` more columns on either side of the strip.
static void make_row(const struct strip *s, int layer, int y, int around)
{
    const struct ksr_net_layer *l = &s->net->layer[layer];
    const int count = s->columns + 2 * around, half = l->side / 2;
    if (layer == 0) {
        const int16_t *in[5];
        for (int r = 0; r < l->side; r++)
            in[r] = sample_row(s, y - half + r);
        ksr_net_head(l, in, ring_row(s, 0, y), count);
        return;
    }
    const ksr_act *in[3];
    for (int r = 0; r < l->side; r++)
        in[r] = ring_row(s, layer - 1, y - half + r);
    if (layer < s->net->layers - 1)
        ksr_net_body(l, in, ring_row(s, layer, y), count);
    else
        ksr_net_tail(l, in, s->difference, count);
}

// Writes output row y, made of input row y / 2: the interpolation and the differences.
static void store_row(const struct strip *s, const struct ksr_plane *dst, int y)
{
    const int below = y & 1, around = s->net->reach;
    const int16_t *row[4];
    for (int k = 0; k < 4; k++)
        row[k] = sample_row(s, y / 2 + (below ? 2 - k : k - 2)) + around - 2;
    int32_t column[STRIP + 4];
    for (int i = 0; i < s->columns + 4; i++)
        column[i] =
            taps[0] * row[0][i] + taps[1] * row[1][i] + taps[2] * row[2][i] + taps[3] * row[3][i];
    uint16_t half[2][STRIP];
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

static void run_strip(const struct strip *s, const struct ksr_plane *dst, int y0, int y1)
{
    const int first = y0 / 2 - s->net->reach, end = (y1 + 1) / 2 + s->net->reach;
    for (int y = first; y < end; y++) {
        load_samples(s, y);
        // A layer's newest row lies above the newest samples by the reach so far, and its first one
        // that far below the first samples.
        int so_far = 0;
        for (int i = 0; i < s->net->layers; i++) {
            so_far += s->net->layer[i].side / 2;
            if (y - 2 * so_far >= first)
                make_row(s, i, y - so_far, s->net->reach - so_far);
        }
        const int made = y - s->net->reach;
        for (int out = ksr_max(y0, 2 * made); out < ksr_min(y1, 2 * made + 2); out++)
            store_row(s, dst, out);
    }
}

void ksr_net_rows(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                  void *scratch, int y0, int y1)
{
    struct strip s = make_strip(net, src, scratch);
    for (s.x0 = 0; 2 * s.x0 < dst->width; s.x0 += STRIP) {
        s.columns = ksr_min(STRIP, (dst->width - 2 * s.x0 + 1) / 2);
        run_strip(&s, dst, y0, y1);
    }
}
