// The first look at a film that is to have a given bit rate; see bitrate_allocation.h.
//
// The luma of every frame is made small. Of each of its blocks of 8x8 samples the cheaper counts:
// how far it is from its mean, or from the best match near its place in the frame before. That is
// what an encoder's own look-ahead does, made simple: only the proportions between segments matter
// here, each worker then meets its segment's target exactly. All in integers and square roots, so
// that the targets are the same on every machine.

#include "job/bitrate_allocation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/pixel_format.h"
#include "media/input/reader.h"

#define SMALL_WIDTH 480 // the small picture is no wider
#define BLOCK       8
#define REACH       2      // samples of the small picture that a match may have moved
#define NOISE       64     // a block that differs by one level per sample is noise
#define LEAST_COST  64     // of a frame: its headers
#define LEAST_RATE  1000.0 // bits per second that encoders take

struct look {
    ksr_context *ctx;
    const struct ksr_manifest *manifest;
    ksr_reader *reader;
    struct ksr_layout layout;
    struct ksr_frame frame; // luma is read into plane 0
    int shift;              // log2 of how many samples become one
    int width, height;      // of the small picture
    uint8_t *now, *before;  // small pictures
    bool has_before;
    uint64_t *costs; // per segment
};

static ksr_status open_look(struct look *l)
{
    int bits;
    const struct ksr_manifest *m = l->manifest;
    if (!ksr_pixels_layout(&m->film.format, &l->layout, &bits))
        return ksr_fail(l->ctx, KSR_E_INPUT, "pixel format %s cannot be processed",
                        m->film.format.pixel_format);
    while (l->layout.width >> l->shift > SMALL_WIDTH)
        l->shift++;
    l->width = l->layout.width >> l->shift;
    l->height = l->layout.height >> l->shift;
    const size_t size = (size_t)l->width * (size_t)l->height + 1;
    l->now = malloc(size);
    l->before = malloc(size);
    l->costs = calloc((size_t)m->segment_count, sizeof(l->costs[0]));
    if (!l->now || !l->before || !l->costs || !ksr_frame_alloc(&l->frame, &l->layout))
        return ksr_fail_memory(l->ctx);
    return ksr_reader_open(l->ctx, m->input_path, &m->film, &l->reader);
}

static void close_look(struct look *l)
{
    ksr_reader_destroy(&l->reader);
    ksr_frame_free(&l->frame);
    free(l->now);
    free(l->before);
    free(l->costs);
}

// Means of squares of samples, in 8 bits.
static void make_small(struct look *l)
{
    const int side = 1 << l->shift, down = 2 * l->shift + 7;
    const struct ksr_plane *p = &l->frame.plane[0];
    for (int y = 0; y < l->height; y++)
        for (int x = 0; x < l->width; x++) {
            const uint16_t *from = p->data + (ptrdiff_t)y * side * p->stride + x * side;
            uint64_t sum = 0;
            for (int v = 0; v < side; v++)
                for (int u = 0; u < side; u++)
                    sum += from[v * p->stride + u];
            l->now[(size_t)y * (size_t)l->width + (size_t)x] = (uint8_t)(sum >> down);
        }
}

static int difference(const uint8_t *a, const uint8_t *b, int stride)
{
    int sum = 0;
    for (int y = 0; y < BLOCK; y++)
        for (int x = 0; x < BLOCK; x++)
            sum += abs(a[y * stride + x] - b[y * stride + x]);
    return sum;
}

static int from_mean(const uint8_t *block, int stride)
{
    int mean = BLOCK * BLOCK / 2, sum = 0;
    for (int y = 0; y < BLOCK; y++)
        for (int x = 0; x < BLOCK; x++)
            mean += block[y * stride + x];
    mean /= BLOCK * BLOCK;
    for (int y = 0; y < BLOCK; y++)
        for (int x = 0; x < BLOCK; x++)
            sum += abs(block[y * stride + x] - mean);
    return sum;
}

static int block_cost(const struct look *l, int x, int y)
{
    const ptrdiff_t at = (ptrdiff_t)y * l->width + x;
    int best = from_mean(l->now + at, l->width);
    for (int v = -REACH; l->has_before && v <= REACH; v++)
        for (int u = -REACH; u <= REACH; u++) {
            if (x + u < 0 || y + v < 0 || x + u + BLOCK > l->width || y + v + BLOCK > l->height)
                continue;
            const int sum =
                difference(l->now + at, l->before + at + (ptrdiff_t)v * l->width + u, l->width);
            if (sum < best)
                best = sum;
        }
    return best > NOISE ? best - NOISE * 3 / 4 : best / 4;
}

static uint64_t frame_cost(const struct look *l)
{
    uint64_t cost = LEAST_COST;
    for (int y = 0; y + BLOCK <= l->height; y += BLOCK)
        for (int x = 0; x + BLOCK <= l->width; x += BLOCK)
            cost += (uint64_t)block_cost(l, x, y);
    return cost;
}

static ksr_status look_at_frame(struct look *l, int segment, bool first)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(l->ctx, l->reader, &l->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    source.rows(source.opaque, 0, &l->frame.plane[0], 0, l->layout.height);
    make_small(l);
    l->has_before = l->has_before && !first; // a segment begins with a keyframe
    l->costs[segment] += frame_cost(l);
    uint8_t *swap = l->before;
    l->before = l->now;
    l->now = swap;
    l->has_before = true;
    return KSR_OK;
}

static ksr_status look_at_film(struct look *l)
{
    const struct ksr_manifest *m = l->manifest;
    int segment = 0;
    for (;;) {
        size_t i;
        bool damaged;
        ksr_status status = ksr_reader_next(l->ctx, l->reader, &i, &damaged);
        if (status != KSR_OK || i == SIZE_MAX)
            return status;
        while (i >= m->segments[segment].first + m->segments[segment].count)
            segment++;
        if (!damaged)
            status = look_at_frame(l, segment, i == m->segments[segment].first);
        if (status == KSR_OK)
            status = ksr_check_cancel(l->ctx);
        if (status != KSR_OK)
            return status;
        ksr_report_progress(
            l->ctx, &(struct ksr_progress){.phase = KSR_PHASE_PLAN,
                                           .done = (int64_t)((double)m->input.size * (double)i /
                                                             (double)m->film.frame_count),
                                           .total = m->input.size});
    }
}

// An encoder spends on a frame the 3/4th power of its cost, about: hard pictures hide more.
static double weigh(uint64_t cost, size_t frames)
{
    const double each = (double)(cost > 0 ? cost : 1) / (double)frames;
    return (double)frames * sqrt(each) * sqrt(sqrt(each));
}

// Returns the highest rate of a segment.
static int64_t share(const struct look *l, struct ksr_manifest *m)
{
    double weights = 0, seconds = 0;
    int64_t highest = 0;
    for (int i = 0; i < m->segment_count; i++) {
        weights += weigh(l->costs[i], m->segments[i].count);
        seconds += ksr_film_length(&m->film, m->segments[i].first, m->segments[i].count);
    }
    for (int i = 0; i < m->segment_count; i++) {
        struct ksr_segment_plan *s = &m->segments[i];
        const double bits =
            (double)m->encoder.bit_rate * seconds * weigh(l->costs[i], s->count) / weights;
        s->bit_rate =
            (int64_t)fmax(bits / ksr_film_length(&m->film, s->first, s->count), LEAST_RATE);
        highest = s->bit_rate > highest ? s->bit_rate : highest;
    }
    return highest;
}

ksr_status ksr_effort_share(ksr_context *ctx, struct ksr_manifest *manifest)
{
    struct look look = {.ctx = ctx, .manifest = manifest};
    if (manifest->encoder.bit_rate == 0 || !manifest->encoder.promised)
        return KSR_OK;
    if (manifest->segment_count == 1) {
        manifest->segments[0].bit_rate = manifest->encoder.bit_rate;
        return ksr_encoder_pin_level(ctx, &manifest->encoder, manifest->encoder.bit_rate);
    }
    ksr_status status = open_look(&look);
    if (status == KSR_OK)
        status = look_at_film(&look);
    if (status == KSR_OK)
        status = ksr_encoder_pin_level(ctx, &manifest->encoder, share(&look, manifest));
    close_look(&look);
    return status;
}
