// The frames that tell at which size a video was drawn; see drawing.h.

#include "media/index/drawing.h"

#include "core/cpu.h"
#include "media/av/pixel_format.h"
#include "media/index/places.h"

#define PLACES       24 // in a video that are looked at, at most
#define MOST_THREADS 16

struct look {
    struct ksr_layout layout;
    struct ksr_frame luma;
    ksr_drawing_search *search;
    int used;
};

static ksr_status look_at_frame(void *opaque, ksr_context *quiet, ksr_reader *reader)
{
    struct look *l = opaque;
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(quiet, reader, &l->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    source.rows(source.opaque, 0, &l->luma.plane[0], 0, l->layout.height);
    l->used += ksr_drawing_add(l->search, &l->luma.plane[0]);
    return KSR_OK;
}

static bool has_enough(const void *opaque)
{
    return ((const struct look *)opaque)->used == KSR_DRAWING_FRAMES;
}

static ksr_status look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                       struct look *l, struct ksr_drawing *out)
{
    // Every third place first, so that the frames that are used come from all of the video.
    const struct ksr_places places = {
        .count = PLACES, .turn = 3, .look = look_at_frame, .has_enough = has_enough, .opaque = l};
    struct ksr_layout one = l->layout;
    one.planes = 1;
    l->search = ksr_drawing_search_create(one.width, one.height);
    if (!l->search || !ksr_frame_alloc(&l->luma, &one))
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_places_visit(ctx, path, film, &places);
    if (status != KSR_OK)
        return status;
    const int threads = ksr_cpu_count();
    ksr_pool *pool = ksr_pool_create(threads < MOST_THREADS ? threads : MOST_THREADS);
    const bool found = ksr_drawing_find(l->search, pool, out);
    ksr_pool_destroy(&pool);
    return found ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_drawing_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            struct ksr_drawing *out)
{
    struct look l = {0};
    int bits;
    ksr_status status = KSR_OK;
    *out = (struct ksr_drawing){.depth = 1000};
    if (ksr_pixels_layout(&film->format, &l.layout, &bits)) // else planning fails soon
        status = look(ctx, path, film, &l, out);
    ksr_frame_free(&l.luma);
    ksr_drawing_search_destroy(&l.search);
    ksr_log(ctx, KSR_LOG_DEBUG, "drawing: %d frames; %dx%d, depth %d", out->frames, out->width,
            out->height, out->depth);
    return status;
}

json_t *ksr_drawing_curve(const struct ksr_drawing *drawing)
{
    json_t *errors = json_array();
    for (int i = 0; errors && i < drawing->count; i++)
        if (json_array_append_new(errors, json_real(drawing->curve[i] / 1000.0)) != 0) {
            json_decref(errors);
            return NULL;
        }
    return json_pack("{s:i,s:o}", "first", drawing->first, "errors", errors);
}

bool ksr_drawing_is_curve(const json_t *curve)
{
    const json_t *errors = json_object_get(curve, "errors");
    bool all = json_is_integer(json_object_get(curve, "first")) && json_is_array(errors);
    for (size_t i = 0; all && i < json_array_size(errors); i++)
        all = json_is_real(json_array_get(errors, i));
    return all && json_object_size(curve) == 2;
}
