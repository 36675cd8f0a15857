// Parts of frames for networks to look at; see parts.h.

#include "media/index/parts.h"

#include <stdlib.h>

#include "core/cpu.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "media/av/pixel_format.h"
#include "media/index/places.h"

#define PLACES 8   // in a video, at most
#define SIDE   256 // of a part of a frame, at most

// Differences of neighbours for each sample, in working samples, below which a part shows nothing.
#define PLAIN 64

struct visit {
    const struct ksr_film *film;
    const struct ksr_parts *parts;
    struct ksr_layout layout;
    struct ksr_frame luma;
    int looked;
};

// A part of a frame.
struct place {
    int x, y, width, height;
    int64_t detail;
};

// How much neighbours in a row and in a column differ, over the whole part.
static int64_t detail_of(const struct ksr_plane *p, const struct place *part)
{
    int64_t sum = 0;
    for (int y = part->y + 1; y < part->y + part->height; y++) {
        const uint16_t *row = ksr_row(p, y), *above = ksr_row(p, y - 1);
        for (int x = part->x + 1; x < part->x + part->width; x++)
            sum += abs(row[x] - row[x - 1]) + abs(row[x] - above[x]);
    }
    return sum;
}

// Divides a frame into parts of nearly the same size. Returns NULL when out of memory.
static struct place *divide(const struct ksr_plane *p, int *count)
{
    const int across = (p->width + SIDE - 1) / SIDE, down = (p->height + SIDE - 1) / SIDE;
    size_t bytes;
    *count = across * down;
    if (!ksr_size_multiply((size_t)*count, sizeof(struct place), &bytes))
        return NULL;
    struct place *places = malloc(bytes);
    for (int i = 0; places && i < *count; i++) {
        const int column = i % across, row = i / across;
        struct place *at = &places[i];
        at->x = p->width * column / across;
        at->y = p->height * row / down;
        at->width = p->width * (column + 1) / across - at->x;
        at->height = p->height * (row + 1) / down - at->y;
        at->detail = detail_of(p, at);
    }
    return places;
}

// Those with more detail first; of equals, the upper and the left one.
static int compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->detail != b->detail)
        return a->detail < b->detail ? 1 : -1;
    return a->y != b->y ? a->y - b->y : a->x - b->x;
}

static void look_at_part(const struct visit *v, const struct place *at)
{
    const struct ksr_plane *luma = &v->luma.plane[0];
    const int reach = v->parts->reach;
    const int x0 = ksr_max(at->x - reach, 0), y0 = ksr_max(at->y - reach, 0);
    const struct ksr_part part = {
        .seen = {.data = luma->data + y0 * luma->stride + x0,
                 .stride = luma->stride,
                 .width = ksr_min(at->x + at->width + reach, luma->width) - x0,
                 .height = ksr_min(at->y + at->height + reach, luma->height) - y0},
        .top = at->y - y0,
        .left = at->x - x0,
        .width = at->width,
        .height = at->height};
    v->parts->look(v->parts->opaque, &part);
}

// How many frames will be looked at, at most. Where these are few, more parts of each are.
static int place_count(const struct ksr_film *film)
{
    const size_t keys = film->linear || film->key_count == 0 ? film->frame_count : film->key_count;
    return keys < 1 ? 1 : keys < PLACES ? (int)keys : PLACES;
}

static ksr_status look_at_frame(void *opaque, ksr_context *quiet, ksr_reader *reader)
{
    struct visit *v = opaque;
    const struct ksr_plane *luma = &v->luma.plane[0];
    struct ksr_row_source source;
    int count;
    const ksr_status status = ksr_reader_take(quiet, reader, &v->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    source.rows(source.opaque, 0, luma, 0, luma->height);
    struct place *places = divide(luma, &count);
    if (!places)
        return KSR_E_NOMEM;
    qsort(places, (size_t)count, sizeof(places[0]), compare);
    const int asked = ksr_min(count, ksr_max(2, PLACES / place_count(v->film)));
    for (int i = 0; i < asked; i++)
        if (places[i].detail > (int64_t)PLAIN * places[i].width * places[i].height)
            look_at_part(v, &places[i]);
    free(places);
    v->looked++;
    return KSR_OK;
}

static bool has_enough(const void *opaque)
{
    return ((const struct visit *)opaque)->looked == PLACES;
}

ksr_status ksr_parts_visit(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           const struct ksr_parts *parts, int *frames)
{
    struct visit v = {.film = film, .parts = parts};
    const struct ksr_places places = {
        .count = PLACES, .turn = 1, .look = look_at_frame, .has_enough = has_enough, .opaque = &v};
    int bits;
    *frames = 0;
    if (!ksr_pixels_layout(&film->format, &v.layout, &bits))
        return KSR_OK; // planning fails soon
    struct ksr_layout one = v.layout;
    one.planes = 1;
    const ksr_status status = ksr_frame_alloc(&v.luma, &one)
                                  ? ksr_places_visit(ctx, path, film, &places)
                                  : ksr_fail_memory(ctx);
    *frames = v.looked;
    ksr_frame_free(&v.luma);
    return status;
}

// --- What networks make of them ---

bool ksr_part_output_alloc(struct ksr_part_output *out, const ksr_net *net, int reach)
{
    const int side = 2 * (SIDE + 2 * reach);
    const struct ksr_layout layout = {.width = side, .height = side, .planes = 1};
    *out = (struct ksr_part_output){.net = net};
    ksr_stage_table_init(&out->table, ksr_cpu_level());
    out->scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    return out->scratch && ksr_frame_alloc(&out->large, &layout);
}

void ksr_part_output_free(struct ksr_part_output *out)
{
    ksr_frame_free(&out->large);
    ksr_aligned_free(out->scratch);
}

struct ksr_plane ksr_part_enlarge(struct ksr_part_output *out, const struct ksr_part *part)
{
    struct ksr_plane large = out->large.plane[0];
    large.width = 2 * part->seen.width;
    large.height = 2 * part->seen.height;
    out->table.net_rows(&large, &part->seen, out->net, out->scratch, 2 * part->top,
                        2 * (part->top + part->height));
    return large;
}
