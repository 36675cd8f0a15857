// Finding telecine; see scan.h.
//
// Telecine shows film of 24 frames a second as 60 fields, two and three in turn. In every five
// frames, one repeats the top field of the frame before and one the bottom field, while the other
// field moves on. Nothing else does that: interlaced video moves in both fields, film in none or
// both.

#include "media/scan.h"

#include <stdlib.h>

#include "media/ffmpeg.h"
#include "media/reader.h"

#define LOOK_FRAMES  120
#define FIELD_RATIO  4 // a field that changes less than the other by this factor is repeated
#define STILL        2 // mean change of a field, in quarters of a code, that is none
#define MOVING_LEAST 20

struct tally {
    int moving;      // frames in which something moves
    int top, bottom; // of those, frames that repeat this field
};

// Mean change of every second row between two frames, in quarters of a code.
static int64_t field_change(const AVFrame *a, const AVFrame *b, int field)
{
    int64_t sum = 0;
    const int rows = (a->height - field + 1) / 2;
    for (int y = field; y < a->height; y += 2) {
        const uint8_t *p = a->data[0] + (ptrdiff_t)y * a->linesize[0];
        const uint8_t *q = b->data[0] + (ptrdiff_t)y * b->linesize[0];
        int row = 0; // at most 65535 * 255
        for (int x = 0; x < a->width; x++)
            row += abs(p[x] - q[x]);
        sum += row;
    }
    return rows > 0 ? sum * 4 / ((int64_t)rows * a->width) : 0;
}

static bool is_comparable(const AVFrame *a, const AVFrame *b)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(a->format);
    return a->format == b->format && a->width == b->width && a->height == b->height && d &&
           !(d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM)) &&
           d->comp[0].depth == 8 && d->comp[0].step == 1;
}

static void compare(struct tally *tally, const AVFrame *before, const AVFrame *frame)
{
    if (!is_comparable(before, frame))
        return;
    const int64_t top = field_change(before, frame, 0), bottom = field_change(before, frame, 1);
    if (top <= STILL && bottom <= STILL)
        return;
    tally->moving++;
    tally->top += top * FIELD_RATIO < bottom;
    tally->bottom += bottom * FIELD_RATIO < top;
}

// Two of five, and both fields; much less will do, since titles and noise spoil some.
static bool is_telecine(const struct tally *t)
{
    return t->moving >= MOVING_LEAST && (t->top + t->bottom) * 5 >= t->moving &&
           t->top * 4 >= t->bottom && t->bottom * 4 >= t->top;
}

static bool is_candidate(const struct ksr_film *film)
{
    const struct ksr_rational rate = film->format.frame_rate;
    const double fps = rate.den > 0 ? (double)rate.num / rate.den : 0;
    return film->frame_count > MOVING_LEAST &&
           (film->format.interlaced || (fps > 29.9 && fps < 30.1));
}

// A keyframe a third into the film, past black and titles.
static struct ksr_film_key choose_start(const struct ksr_film *film)
{
    struct ksr_film_key start = ksr_film_start(film);
    for (size_t i = 0; i < film->key_count && !film->linear; i++)
        if (i == 0 || film->keys[i].frame <= film->frame_count / 3)
            start = film->keys[i];
    return start;
}

ksr_status ksr_scan_film(ksr_context *ctx, const char *path, struct ksr_film *film)
{
    struct tally tally = {0};
    ksr_reader *reader = NULL;
    if (!is_candidate(film))
        return KSR_OK;
    const struct ksr_film_key start = choose_start(film);
    AVFrame *before = av_frame_alloc();
    ksr_status status = before ? ksr_reader_create(ctx, path, film, &reader) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_reader_seek(ctx, reader, start.frame, &start);
    for (int i = 0; status == KSR_OK && i < LOOK_FRAMES; i++) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        const AVFrame *frame = ksr_reader_frame(reader);
        if (before->buf[0])
            compare(&tally, before, frame);
        av_frame_unref(before);
        if (av_frame_ref(before, frame) < 0)
            status = ksr_fail_memory(ctx);
    }
    film->telecined = is_telecine(&tally);
    ksr_log(ctx, KSR_LOG_DEBUG,
            "fields: of %d moving frames %d repeat the top, %d the bottom field", tally.moving,
            tally.top, tally.bottom);
    ksr_reader_destroy(&reader);
    av_frame_free(&before);
    return status;
}
