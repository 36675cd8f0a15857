// Frames from all over a video; see places.h.

#include "media/index/places.h"

#include "media/av/ffmpeg.h"

#define LINEAR_FRAMES 240 // of a video that is decoded from its start
#define LINEAR_STEP   12  // between two of them that are looked at, at least

// The first good frame from a keyframe on.
static ksr_status look_at_place(ksr_context *ctx, const struct ksr_places *p,
                                const struct ksr_film_key *from)
{
    size_t index;
    bool damaged;
    ksr_status status = ksr_reader_seek(ctx, p->reader, from->frame, from);
    if (status == KSR_OK)
        status = ksr_reader_next(ctx, p->reader, &index, &damaged);
    return status == KSR_OK && index != SIZE_MAX && !damaged ? p->look(p->opaque) : status;
}

static ksr_status visit_keyframes(ksr_context *ctx, const ksr_context *run,
                                  const struct ksr_places *p)
{
    size_t before = SIZE_MAX;
    for (size_t i = 0; i < p->count && !p->has_enough(p->opaque); i++) {
        const size_t in_turn = p->count / p->turn;
        const size_t place = i % in_turn * p->turn + i / in_turn;
        const size_t frame = p->film->frame_count * (2 * place + 1) / (2 * p->count);
        const struct ksr_film_key from = ksr_reader_entry(p->film, frame);
        if (ksr_check_cancel(run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (from.frame == before)
            continue;
        before = from.frame;
        if (look_at_place(ctx, p, &from) == KSR_E_NOMEM)
            return KSR_E_NOMEM;
    }
    return KSR_OK;
}

static ksr_status visit_beginning(ksr_context *ctx, const ksr_context *run,
                                  const struct ksr_places *p)
{
    const struct ksr_film_key start = ksr_film_start(p->film);
    ksr_status status = ksr_reader_seek(ctx, p->reader, 0, &start);
    size_t index = 0, next = 0;
    while (status == KSR_OK && index < LINEAR_FRAMES && !p->has_enough(p->opaque)) {
        bool damaged;
        status = ksr_reader_next(ctx, p->reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        if (ksr_check_cancel(run) != KSR_OK)
            return KSR_E_CANCELLED;
        if (damaged || index < next ||
            (p->keyframes && !ksr_av_frame_key(ksr_reader_frame(p->reader))))
            continue;
        next = index + LINEAR_STEP;
        status = p->look(p->opaque);
    }
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

ksr_status ksr_places_visit(ksr_context *ctx, const ksr_context *run, const struct ksr_places *p)
{
    return p->film->linear ? visit_beginning(ctx, run, p) : visit_keyframes(ctx, run, p);
}
