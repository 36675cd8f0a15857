// The frames that tell at which size a video was drawn; see drawing.h.

#include "media/index/drawing.h"

#include "core/cpu.h"
#include "media/av/pixel_format.h"
#include "media/input/reader.h"

#define PLACES        24  // in a video that are looked at, at most
#define LINEAR_FRAMES 240 // of one that is decoded from its start
#define LINEAR_STEP   12  // between two of them that are looked at
#define MOST_THREADS  16

struct look {
    ksr_context *ctx; // a quiet one
    const struct ksr_film *film;
    ksr_reader *reader;
    struct ksr_layout layout;
    struct ksr_frame luma;
    ksr_drawing_search *search;
    int used;
};

static ksr_status look_at_frame(struct look *l)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(l->ctx, l->reader, &l->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    source.rows(source.opaque, 0, &l->luma.plane[0], 0, l->layout.height);
    l->used += ksr_drawing_add(l->search, &l->luma.plane[0]);
    return KSR_OK;
}

// The first good frame from a keyframe on.
static ksr_status look_at_place(struct look *l, const struct ksr_film_key *from)
{
    size_t index;
    bool damaged;
    ksr_status status = ksr_reader_seek(l->ctx, l->reader, from->frame, from);
    if (status == KSR_OK)
        status = ksr_reader_next(l->ctx, l->reader, &index, &damaged);
    return status == KSR_OK && index != SIZE_MAX && !damaged ? look_at_frame(l) : status;
}

// The places by turns: every third one, then those between, so that the frames that are used come
// from all of the video.
static ksr_status look_at_places(struct look *l, const ksr_context *run)
{
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < PLACES && l->used < KSR_DRAWING_FRAMES; i++) {
        const size_t place = i % (PLACES / 3) * 3 + i / (PLACES / 3);
        const size_t frame = l->film->frame_count * (2 * place + 1) / (2 * PLACES);
        const struct ksr_film_key from = ksr_reader_entry(l->film, frame);
        if (ksr_check_cancel(run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (from.frame == before)
            continue;
        before = from.frame;
        if (look_at_place(l, &from) == KSR_E_NOMEM)
            return KSR_E_NOMEM;
    }
    return KSR_OK;
}

// Of a video that cannot be entered, frames near its beginning.
static ksr_status look_at_beginning(struct look *l, const ksr_context *run)
{
    const struct ksr_film_key start = ksr_film_start(l->film);
    ksr_status status = ksr_reader_seek(l->ctx, l->reader, 0, &start);
    size_t index = 0, next = 0;
    while (status == KSR_OK && index < LINEAR_FRAMES && l->used < KSR_DRAWING_FRAMES) {
        bool damaged;
        status = ksr_reader_next(l->ctx, l->reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        if (ksr_check_cancel(run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (damaged || index < next)
            continue;
        next = index + LINEAR_STEP;
        status = look_at_frame(l);
    }
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

static ksr_status look(struct look *l, const ksr_context *run, const char *path,
                       struct ksr_drawing *out)
{
    struct ksr_layout one = l->layout;
    one.planes = 1;
    l->search = ksr_drawing_search_create(one.width, one.height);
    if (!l->search || !ksr_frame_alloc(&l->luma, &one))
        return KSR_E_NOMEM;
    ksr_status status = ksr_reader_create(l->ctx, path, l->film, &l->reader);
    if (status == KSR_OK)
        status = l->film->linear ? look_at_beginning(l, run) : look_at_places(l, run);
    if (status != KSR_OK)
        return status;
    const int threads = ksr_cpu_count();
    ksr_pool *pool = ksr_pool_create(threads < MOST_THREADS ? threads : MOST_THREADS);
    const bool found = ksr_drawing_find(l->search, pool, out);
    ksr_pool_destroy(&pool);
    return found ? KSR_OK : KSR_E_NOMEM;
}

ksr_status ksr_drawing_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            struct ksr_drawing *out)
{
    struct look l = {.film = film};
    char reason[KSR_REASON_SIZE];
    int bits;
    ksr_status status = KSR_OK;
    *out = (struct ksr_drawing){.depth = 1000};
    if (ksr_context_create_quiet(&l.ctx, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    if (ksr_pixels_layout(&film->format, &l.layout, &bits)) // else planning fails soon
        status = look(&l, ctx, path, out);
    ksr_reader_destroy(&l.reader);
    ksr_context_destroy(&l.ctx);
    ksr_frame_free(&l.luma);
    ksr_drawing_search_destroy(&l.search);
    ksr_log(ctx, KSR_LOG_DEBUG, "drawing: %d frames; %dx%d, depth %d", out->frames, out->width,
            out->height, out->depth);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : status;
}
