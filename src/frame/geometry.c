// Cropping and turning pictures; see geometry.h.

#include "frame/geometry.h"

#include <stdlib.h>

#include "frame/resample.h"

#define BAND 64 // rows that one thread moves at once

struct ksr_turner {
    struct ksr_geometry geometry;
    ksr_pool *pool;
    struct ksr_frame whole, turned;
    struct ksr_frame placed;  // only where chroma must be resampled
    ksr_resampler *resampler; // the same
    const struct ksr_row_source *source;
    struct ksr_raw_frame part; // of described planes
};

bool ksr_geometry_turns(const struct ksr_geometry *g)
{
    return g->transposed || g->mirrored_x || g->mirrored_y;
}

void ksr_geometry_whole(const struct ksr_geometry *g, const struct ksr_layout *made,
                        struct ksr_layout *whole)
{
    *whole = *made;
    whole->width = g->width;
    whole->height = g->height;
    if (!g->transposed)
        return;
    whole->chroma_shift_x = made->chroma_shift_y;
    whole->chroma_shift_y = made->chroma_shift_x;
    whole->siting_x = made->siting_y;
    whole->siting_y = made->siting_x;
}

// Mirroring puts the chroma of a group where its last luma samples were. Returns by how many luma
// samples it then sits further than its siting says.
static double misplaced(bool mirrored, int luma, int shift, enum ksr_siting siting)
{
    const int group = 1 << shift, last = (luma + group - 1) / group - 1;
    const double offset = siting == KSR_SITING_CENTRED ? (group - 1) / 2.0 : 0;
    return mirrored && shift > 0 ? luma - 1 - group * last - 2 * offset : 0;
}

static bool make_resampler(ksr_turner *t, const struct ksr_layout *made)
{
    const struct ksr_geometry *g = &t->geometry;
    const bool colour = made->planes >= 3;
    const double x = misplaced(g->mirrored_x, made->width, made->chroma_shift_x, made->siting_x);
    const double y = misplaced(g->mirrored_y, made->height, made->chroma_shift_y, made->siting_y);
    if (!colour || (x == 0 && y == 0))
        return true;
    t->resampler = ksr_resampler_create_shift(made, x, y, t->pool);
    return t->resampler && ksr_frame_alloc(&t->placed, made);
}

ksr_turner *ksr_turner_create(const struct ksr_geometry *geometry, const struct ksr_layout *made,
                              ksr_pool *pool)
{
    ksr_turner *t = calloc(1, sizeof(*t));
    if (!t)
        return NULL;
    t->geometry = *geometry;
    t->pool = pool;
    struct ksr_layout whole;
    ksr_geometry_whole(geometry, made, &whole);
    if (!ksr_frame_alloc(&t->whole, &whole) || !ksr_frame_alloc(&t->turned, made) ||
        !make_resampler(t, made))
        ksr_turner_destroy(&t);
    return t;
}

void ksr_turner_destroy(ksr_turner **turner)
{
    if (!turner || !*turner)
        return;
    ksr_frame_free(&(*turner)->whole);
    ksr_frame_free(&(*turner)->turned);
    ksr_frame_free(&(*turner)->placed);
    ksr_resampler_destroy(&(*turner)->resampler);
    free(*turner);
    *turner = NULL;
}

static int chroma_shift(const struct ksr_layout *layout, int plane, bool vertical)
{
    if (!ksr_layout_is_chroma(layout, plane))
        return 0;
    return vertical ? layout->chroma_shift_y : layout->chroma_shift_x;
}

static void read_band(void *arg, int band, int thread)
{
    ksr_turner *t = arg;
    const int height = t->whole.layout.height, y0 = band * BAND;
    const int y1 = y0 + BAND < height ? y0 + BAND : height;
    (void)thread;
    for (int p = 0; p < t->whole.layout.planes; p++) {
        const int shift = chroma_shift(&t->whole.layout, p, true), round = (1 << shift) - 1;
        t->source->rows(t->source->opaque, p, &t->whole.plane[p], y0 >> shift,
                        (y1 + round) >> shift);
    }
}

static void turn_row(const ksr_turner *t, int p, int y)
{
    const struct ksr_geometry *g = &t->geometry;
    const struct ksr_plane *from = &t->whole.plane[p], *to = &t->turned.plane[p];
    const int x0 = g->x >> chroma_shift(&t->whole.layout, p, false);
    const int y0 = g->y >> chroma_shift(&t->whole.layout, p, true);
    const int row = g->mirrored_y ? to->height - 1 - y : y;
    const ptrdiff_t step = g->transposed ? from->stride : 1;
    const uint16_t *in = g->transposed ? from->data + y0 * from->stride + x0 + row
                                       : from->data + (y0 + row) * from->stride + x0;
    uint16_t *out = to->data + y * to->stride;
    for (int x = 0; x < to->width; x++)
        out[x] = in[step * (g->mirrored_x ? to->width - 1 - x : x)];
}

static void turn_band(void *arg, int band, int thread)
{
    ksr_turner *t = arg;
    const int height = t->turned.layout.height, y0 = band * BAND;
    const int y1 = y0 + BAND < height ? y0 + BAND : height;
    (void)thread;
    for (int p = 0; p < t->turned.layout.planes; p++) {
        const int shift = chroma_shift(&t->turned.layout, p, true), round = (1 << shift) - 1;
        for (int y = y0 >> shift; y < (y1 + round) >> shift; y++)
            turn_row(t, p, y);
    }
}

static void place_chroma(ksr_turner *t)
{
    const struct ksr_row_sink in = ksr_resampler_sink(t->resampler);
    const struct ksr_row_sink out = ksr_frame_sink(&t->placed);
    for (int p = 0; p < t->turned.layout.planes; p++)
        in.rows(in.opaque, p, &t->turned.plane[p], 0, t->turned.plane[p].height);
    ksr_resampler_run(t->resampler, &out);
}

// Returns the part of planes that are described: it begins at another code.
static struct ksr_row_source crop(ksr_turner *t, const struct ksr_raw_frame *whole)
{
    const struct ksr_layout *layout = &t->whole.layout;
    t->part = *whole;
    for (int p = 0; p < layout->planes; p++) {
        const int x = t->geometry.x >> chroma_shift(layout, p, false);
        const int y = t->geometry.y >> chroma_shift(layout, p, true);
        t->part.plane[p].data += y * t->part.plane[p].stride + x * t->part.plane[p].step;
    }
    return ksr_raw_source(&t->part);
}

struct ksr_row_source ksr_turner_run(ksr_turner *t, const struct ksr_row_source *whole)
{
    if (whole->raw && !whole->raw->rgb && !ksr_geometry_turns(&t->geometry))
        return crop(t, whole->raw);
    t->source = whole;
    ksr_pool_run(t->pool, read_band, t, (t->whole.layout.height + BAND - 1) / BAND);
    ksr_pool_run(t->pool, turn_band, t, (t->turned.layout.height + BAND - 1) / BAND);
    t->source = NULL;
    if (t->resampler)
        place_chroma(t);
    return ksr_frame_source(t->resampler ? &t->placed : &t->turned);
}
