// Frames from all over a video; see places.h.

#include "media/index/places.h"

#include "media/av/ffmpeg.h"

#define LINEAR_FRAMES 240 // of a video that is decoded from its start
#define LINEAR_STEP   12  // between two of them that are looked at, at least

struct visit {
    ksr_context *run; // whose cancelling counts
    ksr_context *quiet;
    const struct ksr_film *film;
    const struct ksr_places *places;
    ksr_reader *reader;
};

static ksr_status look(const struct visit *v)
{
    return v->places->look(v->places->opaque, v->quiet, v->reader);
}

static bool has_enough(const struct visit *v)
{
    return v->places->has_enough(v->places->opaque);
}

// The first good frame from a keyframe on.
static ksr_status look_at_place(const struct visit *v, const struct ksr_film_key *from)
{
    size_t index;
    bool damaged;
    ksr_status status = ksr_reader_seek(v->quiet, v->reader, from->frame, from);
    if (status == KSR_OK)
        status = ksr_reader_next(v->quiet, v->reader, &index, &damaged);
    return status == KSR_OK && index != SIZE_MAX && !damaged ? look(v) : status;
}

static ksr_status visit_keyframes(const struct visit *v)
{
    const size_t count = v->places->count, in_turn = count / v->places->turn;
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < count && !has_enough(v); i++) {
        const size_t place = i % in_turn * v->places->turn + i / in_turn;
        const size_t frame = v->film->frame_count * (2 * place + 1) / (2 * count);
        const struct ksr_film_key from = ksr_reader_entry(v->film, frame);
        if (ksr_check_cancel(v->run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (from.frame == before)
            continue;
        before = from.frame;
        if (look_at_place(v, &from) == KSR_E_NOMEM)
            return KSR_E_NOMEM;
    }
    return KSR_OK;
}

static ksr_status visit_beginning(const struct visit *v)
{
    const struct ksr_film_key start = ksr_film_start(v->film);
    ksr_status status = ksr_reader_seek(v->quiet, v->reader, 0, &start);
    size_t index = 0, next = 0;
    while (status == KSR_OK && index < LINEAR_FRAMES && !has_enough(v)) {
        bool damaged;
        status = ksr_reader_next(v->quiet, v->reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        if (ksr_check_cancel(v->run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (damaged || index < next ||
            (v->places->keyframes && !ksr_av_frame_key(ksr_reader_frame(v->reader))))
            continue;
        next = index + LINEAR_STEP;
        status = look(v);
    }
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

ksr_status ksr_places_visit(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            const struct ksr_places *places)
{
    struct visit v = {.run = ctx, .film = film, .places = places};
    char reason[KSR_REASON_SIZE];
    if (ksr_context_create_quiet(&v.quiet, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_reader_create(v.quiet, path, film, &v.reader);
    if (status == KSR_OK && places->opened)
        places->opened(places->opaque, v.reader);
    if (status == KSR_OK)
        status = film->linear ? visit_beginning(&v) : visit_keyframes(&v);
    if (status == KSR_OK && places->closing)
        places->closing(places->opaque, v.reader);
    ksr_reader_destroy(&v.reader);
    ksr_context_destroy(&v.quiet);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : status;
}
