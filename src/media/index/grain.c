// The frames that tell of grain; see grain.h.

#include "media/index/grain.h"

#include <stdlib.h>
#include <string.h>

#include "media/av/pixel_format.h"
#include "media/index/places.h"

#define PLACES 16 // in a video, at most
#define LATER  8  // frames between the two of a pair: coders carry grain along for less

struct look {
    ksr_context *ctx; // a quiet one
    const struct ksr_film *film;
    ksr_reader *reader;
    struct ksr_layout layout;
    int bits;
    struct ksr_frame frame, later;
    struct ksr_grain_tally one, all; // of a pair, of those that show grain
    int looked, shown;
};

static ksr_status take(struct look *l, const struct ksr_frame *frame)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(l->ctx, l->reader, &l->layout, NULL, &source);
    for (int i = 0; status == KSR_OK && i < l->layout.planes; i++)
        source.rows(source.opaque, i, &frame->plane[i], 0, frame->plane[i].height);
    return status;
}

// Takes the second frame of a pair. *there: whether the video has one.
static ksr_status take_later(struct look *l, bool *there)
{
    size_t index = 0;
    bool damaged = false;
    *there = false;
    for (int i = 0; i < LATER; i++) {
        const ksr_status status = ksr_reader_next(l->ctx, l->reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            return status;
    }
    *there = !damaged;
    return damaged ? KSR_OK : take(l, &l->later);
}

static ksr_status look_at_frame(void *opaque)
{
    struct look *l = opaque;
    bool there = false;
    ksr_status status = take(l, &l->frame);
    if (status != KSR_OK)
        return status;
    status = take_later(l, &there);
    if (status == KSR_E_NOMEM)
        return status;
    memset(&l->one, 0, sizeof(l->one));
    ksr_grain_add(&l->one, &l->frame, there && status == KSR_OK ? &l->later : NULL);
    l->looked++;
    if (ksr_grain_shows(&l->one, l->bits)) {
        l->shown++;
        ksr_grain_merge(&l->all, &l->one);
    }
    return KSR_OK;
}

static bool has_enough(const void *opaque)
{
    return ((const struct look *)opaque)->looked == PLACES;
}

static ksr_status look(struct look *l, const ksr_context *run, const char *path)
{
    if (!ksr_frame_alloc(&l->frame, &l->layout) || !ksr_frame_alloc(&l->later, &l->layout))
        return KSR_E_NOMEM;
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

ksr_status ksr_grain_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                          struct ksr_grain *out)
{
    char reason[KSR_REASON_SIZE];
    struct look *l = calloc(1, sizeof(*l));
    ksr_status status = KSR_OK;
    *out = (struct ksr_grain){0};
    if (!l || ksr_context_create_quiet(&l->ctx, ctx, reason) != KSR_OK) {
        free(l);
        return ksr_fail_memory(ctx);
    }
    l->film = film;
    if (ksr_pixels_layout(&film->format, &l->layout, &l->bits)) // else planning fails soon
        status = look(l, ctx, path);
    if (status == KSR_OK && 2 * l->shown > l->looked)
        ksr_grain_find(&l->all, l->bits, out);
    ksr_log(ctx, KSR_LOG_DEBUG, "grain: %d of %d pairs of frames show it", l->shown, l->looked);
    ksr_reader_destroy(&l->reader);
    ksr_context_destroy(&l->ctx);
    ksr_frame_free(&l->frame);
    ksr_frame_free(&l->later);
    free(l);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : status;
}
