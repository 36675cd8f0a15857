// The frames that tell of grain; see grain.h.

#include "media/index/grain.h"

#include <stdlib.h>
#include <string.h>

#include "media/av/pixel_format.h"
#include "media/index/places.h"

#define PLACES 16 // in a video, at most
#define LATER  8  // frames between the two of a pair: coders carry grain along for less

struct look {
    struct ksr_layout layout;
    int bits;
    struct ksr_frame frame, later;
    struct ksr_grain_tally one, all; // of a pair, of those that show grain
    int looked, shown;
};

static ksr_status take(const struct look *l, ksr_context *quiet, ksr_reader *reader,
                       const struct ksr_frame *frame)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(quiet, reader, &l->layout, NULL, &source);
    for (int i = 0; status == KSR_OK && i < l->layout.planes; i++)
        source.rows(source.opaque, i, &frame->plane[i], 0, frame->plane[i].height);
    return status;
}

// Takes the second frame of a pair. *there: whether the video has one.
static ksr_status take_later(struct look *l, ksr_context *quiet, ksr_reader *reader, bool *there)
{
    size_t index = 0;
    bool damaged = false;
    *there = false;
    for (int i = 0; i < LATER; i++) {
        const ksr_status status = ksr_reader_next(quiet, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            return status;
    }
    *there = !damaged;
    return damaged ? KSR_OK : take(l, quiet, reader, &l->later);
}

static ksr_status look_at_frame(void *opaque, ksr_context *quiet, ksr_reader *reader)
{
    struct look *l = opaque;
    bool there = false;
    ksr_status status = take(l, quiet, reader, &l->frame);
    if (status != KSR_OK)
        return status;
    status = take_later(l, quiet, reader, &there);
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

static ksr_status look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                       struct look *l)
{
    const struct ksr_places places = {
        .count = PLACES, .turn = 1, .look = look_at_frame, .has_enough = has_enough, .opaque = l};
    if (!ksr_pixels_layout(&film->format, &l->layout, &l->bits))
        return KSR_OK; // planning fails soon
    return ksr_frame_alloc(&l->frame, &l->layout) && ksr_frame_alloc(&l->later, &l->layout)
               ? ksr_places_visit(ctx, path, film, &places)
               : ksr_fail_memory(ctx);
}

ksr_status ksr_grain_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                          struct ksr_grain *out)
{
    struct look *l = calloc(1, sizeof(*l));
    *out = (struct ksr_grain){0};
    if (!l)
        return ksr_fail_memory(ctx);
    const ksr_status status = look(ctx, path, film, l);
    if (status == KSR_OK && 2 * l->shown > l->looked)
        ksr_grain_find(&l->all, l->bits, out);
    ksr_log(ctx, KSR_LOG_DEBUG, "grain: %d of %d pairs of frames show it", l->shown, l->looked);
    ksr_frame_free(&l->frame);
    ksr_frame_free(&l->later);
    free(l);
    return status;
}
