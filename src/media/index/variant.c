// The frames that choose a variant; see variant.h.

#include "media/index/variant.h"

#include <stdlib.h>

#include "core/cpu.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "media/av/pixel_format.h"
#include "media/index/places.h"
#include "stages/dispatch.h"

#define PLACES 8   // in a video, at most
#define SIDE   256 // of a part of a frame, at most

// What a variant needs for each sample: SURE votes, and LEAD more than any other. 512 more make it
// e times as likely to come nearest to the original (train/ai/choose.py).
#define SURE 256
#define LEAD 256

// Differences of neighbours for each sample, in working samples, below which a part shows nothing.
#define PLAIN 64

struct look {
    ksr_context *ctx; // a quiet one
    const struct ksr_film *film;
    const ksr_net *net;
    ksr_reader *reader;
    struct ksr_layout layout;
    struct ksr_stage_table table;
    struct ksr_frame luma, large; // of a frame; of a part, as the network gives it
    void *scratch;
    struct ksr_votes votes;
    int looked;
};

// A part of a frame.
struct part {
    int x, y, width, height;
    int64_t detail;
};

// --- Parts ---

// How much neighbours in a row and in a column differ, over the whole part.
static int64_t detail_of(const struct ksr_plane *p, const struct part *part)
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
static struct part *divide(const struct ksr_plane *p, int *count)
{
    const int across = (p->width + SIDE - 1) / SIDE, down = (p->height + SIDE - 1) / SIDE;
    size_t bytes;
    *count = across * down;
    if (!ksr_size_multiply((size_t)*count, sizeof(struct part), &bytes))
        return NULL;
    struct part *parts = malloc(bytes);
    for (int i = 0; parts && i < *count; i++) {
        const int column = i % across, row = i / across;
        struct part *at = &parts[i];
        at->x = p->width * column / across;
        at->y = p->height * row / down;
        at->width = p->width * (column + 1) / across - at->x;
        at->height = p->height * (row + 1) / down - at->y;
        at->detail = detail_of(p, at);
    }
    return parts;
}

// Those with more detail first; of equals, the upper and the left one.
static int compare(const void *left, const void *right)
{
    const struct part *a = left, *b = right;
    if (a->detail != b->detail)
        return a->detail < b->detail ? 1 : -1;
    return a->y != b->y ? a->y - b->y : a->x - b->x;
}

// --- Votes ---

// Adds what the network says of a part. It sees what lies around, too.
static void vote(struct look *l, const struct part *part)
{
    const struct ksr_plane *luma = &l->luma.plane[0];
    const int reach = l->net->reach;
    const int x0 = ksr_max(part->x - reach, 0), y0 = ksr_max(part->y - reach, 0);
    const struct ksr_plane seen = {
        .data = luma->data + y0 * luma->stride + x0,
        .stride = luma->stride,
        .width = ksr_min(part->x + part->width + reach, luma->width) - x0,
        .height = ksr_min(part->y + part->height + reach, luma->height) - y0};
    struct ksr_plane large = l->large.plane[0];
    large.width = 2 * seen.width;
    large.height = 2 * seen.height;
    const int top = part->y - y0, left = part->x - x0;
    l->table.net_rows(&large, &seen, l->net, l->scratch, 2 * top, 2 * (top + part->height));
    for (int y = top; y < top + part->height; y++) {
        const uint16_t *in = ksr_row(&seen, y);
        for (int k = 0; k < 4; k++) {
            const uint16_t *out = ksr_row(&large, 2 * y + k / 2) + k % 2;
            for (int x = left; x < left + part->width; x++)
                l->votes.of[k] += out[2 * x] - in[x];
        }
    }
    l->votes.samples += (int64_t)part->width * part->height;
}

int ksr_votes_choose(const struct ksr_votes *votes, int variants)
{
    const int64_t sure = SURE * votes->samples, lead = LEAD * votes->samples;
    int best = 0;
    bool clear = true;
    for (int k = 1; k < variants - 1; k++)
        if (votes->of[k] > votes->of[best])
            best = k;
    for (int k = 0; k < variants - 1; k++)
        clear = clear && (k == best || votes->of[best] - votes->of[k] > lead);
    return clear && votes->of[best] > sure ? best + 1 : 0;
}

// --- Looking ---

// How many frames will be looked at, at most. Where these are few, more parts of each are.
static int place_count(const struct ksr_film *film)
{
    const size_t keys = film->linear || film->key_count == 0 ? film->frame_count : film->key_count;
    return keys < 1 ? 1 : keys < PLACES ? (int)keys : PLACES;
}

static ksr_status look_at_frame(void *opaque)
{
    struct look *l = opaque;
    const struct ksr_plane *luma = &l->luma.plane[0];
    struct ksr_row_source source;
    int count;
    const ksr_status status = ksr_reader_take(l->ctx, l->reader, &l->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    source.rows(source.opaque, 0, luma, 0, luma->height);
    struct part *parts = divide(luma, &count);
    if (!parts)
        return KSR_E_NOMEM;
    qsort(parts, (size_t)count, sizeof(parts[0]), compare);
    const int asked = ksr_min(count, ksr_max(2, PLACES / place_count(l->film)));
    for (int i = 0; i < asked; i++)
        if (parts[i].detail > (int64_t)PLAIN * parts[i].width * parts[i].height)
            vote(l, &parts[i]);
    free(parts);
    l->looked++;
    return KSR_OK;
}

static bool has_enough(const void *opaque)
{
    return ((const struct look *)opaque)->looked == PLACES;
}

static ksr_status look(struct look *l, const ksr_context *run, const char *path)
{
    const int side = 2 * (SIDE + 2 * l->net->reach);
    struct ksr_layout one = l->layout, part = {.width = side, .height = side, .planes = 1};
    one.planes = 1;
    l->scratch = ksr_aligned_calloc(ksr_net_scratch(l->net));
    if (!l->scratch || !ksr_frame_alloc(&l->luma, &one) || !ksr_frame_alloc(&l->large, &part))
        return KSR_E_NOMEM;
    ksr_stage_table_init(&l->table, ksr_cpu_level());
    const ksr_status status = ksr_reader_create(l->ctx, path, l->film, &l->reader);
    const struct ksr_places places = {.film = l->film,
                                      .reader = l->reader,
                                      .count = PLACES,
                                      .turn = 1,
                                      .look = look_at_frame,
                                      .has_enough = has_enough,
                                      .opaque = l};
    return status == KSR_OK ? ksr_places_visit(l->ctx, run, &places) : status;
}

ksr_status ksr_variant_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            const ksr_net *chooser, int *chosen)
{
    struct look l = {.film = film, .net = chooser};
    char reason[KSR_REASON_SIZE];
    int bits;
    ksr_status status = KSR_OK;
    *chosen = 0;
    if (ksr_context_create_quiet(&l.ctx, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    if (ksr_pixels_layout(&film->format, &l.layout, &bits)) // else planning fails soon
        status = look(&l, ctx, path);
    if (status == KSR_OK && l.votes.samples > 0) {
        *chosen = ksr_votes_choose(&l.votes, chooser->variants);
        ksr_log(ctx, KSR_LOG_DEBUG, "variant: %d frames; votes %lld %lld %lld %lld of %lld",
                l.looked, (long long)l.votes.of[0], (long long)l.votes.of[1],
                (long long)l.votes.of[2], (long long)l.votes.of[3], (long long)l.votes.samples);
    }
    ksr_reader_destroy(&l.reader);
    ksr_context_destroy(&l.ctx);
    ksr_frame_free(&l.luma);
    ksr_frame_free(&l.large);
    ksr_aligned_free(l.scratch);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : status;
}
