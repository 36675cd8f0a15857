// Finding interlaced video and telecine; see scan.h.
//
// Interlaced video is taken field by field. So a field fits the other one of its own frame no
// better than the one of the frame before that was taken next to it, and much better than the one
// that was taken three fields away. In film a field fits the other one of its own frame alone.
//
// Telecine shows film of 24 frames a second as 60 fields, two and three in turn. In every five
// frames, one repeats the top field of the frame before and one the bottom field, while the other
// field moves on. Nothing else does that: interlaced video moves in both fields, film in none or
// both.

#include "media/index/scan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/background.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/av/ffmpeg.h"
#include "media/index/cadence.h"
#include "media/input/reader.h"

#define PLACES       4  // in a long film
#define PLACE_FRAMES 48 // at each of them; as many of all places in a film that is short
#define MOVING_MOST  96 // moving frames that tell enough
#define FIELD_RATIO  4  // a field that changes less than the other by this factor is repeated
#define FIT_RATIO    3  // a field that fits worse by this factor was taken further away
#define STILL        2  // mean change of a field, in quarters of a code, that is none
#define MOVING_LEAST 20 // moving frames needed to say telecine
#define FIELDS_LEAST 12 // frames of two fields needed to say interlaced
#define FEW          3  // frames of two fields that say that frames are no single fields
#define BORDER_LEAST 8  // frames that are not black needed to say that there are borders
#define BLACK        8  // code above that of black, in the mean of a line that is black

// The luma of a picture in 8 bits, rows without a gap.
struct picture {
    uint8_t *samples;
    int width, height;
};

static uint8_t *row_of(const struct picture *p, int y)
{
    return p->samples + (ptrdiff_t)y * p->width;
}

static ksr_status make_pictures(ksr_context *ctx, const struct ksr_video_format *f,
                                struct picture pictures[2])
{
    size_t size;
    if (!ksr_size_multiply((size_t)f->width, (size_t)f->height, &size))
        return ksr_fail_memory(ctx);
    for (int i = 0; i < 2; i++)
        pictures[i] = (struct picture){malloc(size), f->width, f->height};
    return pictures[0].samples && pictures[1].samples ? KSR_OK : ksr_fail_memory(ctx);
}

// --- Comparing ---

// Mean change of a field between two pictures, in quarters of a code. field: 0 = the upper rows.
static int64_t field_change(const struct picture *a, const struct picture *b, int field)
{
    int64_t sum = 0;
    const int rows = (a->height - field + 1) / 2;
    for (int y = field; y < a->height; y += 2) {
        const uint8_t *p = row_of(a, y), *q = row_of(b, y);
        int row = 0; // at most 65535 * 255
        for (int x = 0; x < a->width; x++)
            row += abs(p[x] - q[x]);
        sum += row;
    }
    return rows > 0 ? sum * 4 / ((int64_t)rows * a->width) : 0;
}

// How much worse a field of `now` fits the other field of `before` than that of its own picture:
// mean, in quarters of a code, of what rows differ by from the mean of the rows around them.
static int64_t misfit(const struct picture *before, const struct picture *now, int field)
{
    int64_t sum = 0, rows = 0;
    for (int y = field ? 1 : 2; y + 1 < now->height; y += 2, rows++) {
        const uint8_t *p = row_of(now, y);
        const uint8_t *above = row_of(now, y - 1), *below = row_of(now, y + 1);
        const uint8_t *above0 = row_of(before, y - 1), *below0 = row_of(before, y + 1);
        int row = 0; // at most 65535 * 510
        for (int x = 0; x < now->width; x++)
            row += abs(2 * p[x] - above0[x] - below0[x]) - abs(2 * p[x] - above[x] - below[x]);
        sum += row;
    }
    return rows > 0 ? sum * 2 / (rows * now->width) : 0;
}

static void compare(struct ksr_scan *tally, const struct picture *before, const struct picture *now)
{
    const int64_t top = field_change(before, now, 0), bottom = field_change(before, now, 1);
    if (top <= STILL && bottom <= STILL)
        return;
    tally->moving++;
    tally->top += top * FIELD_RATIO < bottom;
    tally->bottom += bottom * FIELD_RATIO < top;
    // The later field of a frame is three away from the earlier one of the frame before.
    const int64_t upper = misfit(before, now, 0), lower = misfit(before, now, 1);
    tally->top_first += lower > STILL && upper * FIT_RATIO < lower;
    tally->bottom_first += upper > STILL && lower * FIT_RATIO < upper;
    tally->whole += upper > STILL && lower > STILL && upper < lower * 2 && lower < upper * 2;
}

// --- Borders ---

static bool is_black(const struct picture *p, bool column, int line, int black)
{
    const int count = column ? p->height : p->width;
    const uint8_t *sample = column ? p->samples + line : row_of(p, line);
    int64_t sum = 0;
    for (int i = 0; i < count; i++, sample += column ? p->width : 1)
        sum += *sample;
    return sum <= (int64_t)black * count;
}

// How many lines from a side on are black.
static int border_of(const struct picture *p, int side, int black)
{
    const bool column = side < 2, from_end = side % 2 == 1;
    const int lines = column ? p->width : p->height;
    int n = 0;
    while (n < lines && is_black(p, column, from_end ? lines - 1 - n : n, black))
        n++;
    return n;
}

static void note_borders(struct ksr_scan *t, const struct picture *p, int black)
{
    const int top = border_of(p, 2, black);
    if (top == p->height)
        return;
    for (int side = 0; side < 4; side++) {
        const int border = side == 2 ? top : border_of(p, side, black);
        if (t->lit == 0 || border < t->border[side])
            t->border[side] = border;
    }
    t->lit++;
}

// Even numbers, so that chroma stays whole, and no line that shows something is lost.
static void judge_borders(const struct ksr_scan *t, struct ksr_film *film)
{
    const int width = film->format.width, height = film->format.height;
    const int x = t->border[0] & ~1, y = t->border[2] & ~1;
    const int right = t->border[1] & ~1, bottom = t->border[3] & ~1;
    if (t->lit >= BORDER_LEAST && x + y + right + bottom > 0 && x + right < width &&
        y + bottom < height)
        snprintf(film->content, sizeof(film->content), "%d:%d:%d:%d", width - x - right,
                 height - y - bottom, x, y);
}

// --- Verdicts ---

// Two of five, and both fields; much less will do, since titles and noise spoil some.
static bool is_telecine(const struct ksr_scan *t)
{
    return t->moving >= MOVING_LEAST && (t->top + t->bottom) * 5 >= t->moving &&
           t->top * 4 >= t->bottom && t->bottom * 4 >= t->top;
}

// Nearly all in one order. Telecine leaves two of five whole.
static bool is_interlaced(const struct ksr_scan *t)
{
    const bool top = t->top_first > t->bottom_first;
    const int most = top ? t->top_first : t->bottom_first;
    const int less = top ? t->bottom_first : t->top_first;
    return most >= FIELDS_LEAST && most >= 8 * less && most * 2 >= 3 * t->whole;
}

// Edges and noise make fields fit worse too, but not in one order.
static bool is_whole(const struct ksr_scan *t)
{
    return t->whole >= MOVING_LEAST && abs(t->top_first - t->bottom_first) * 4 <= t->whole;
}

// Which field the pictures show to be first: 1 = the top one, -1 = the bottom one, 0 = neither.
static int order_shown(const struct ksr_scan *t)
{
    if (t->top_first >= FIELDS_LEAST && t->top_first > 8 * t->bottom_first)
        return 1;
    return t->bottom_first >= FIELDS_LEAST && t->bottom_first > 8 * t->top_first ? -1 : 0;
}

// Of film only that at the rate which telecine makes, or marked as interlaced, may be telecine.
static bool may_be_telecine(const struct ksr_film *film)
{
    const struct ksr_rational rate = film->format.frame_rate;
    const double fps = rate.den > 0 ? (double)rate.num / rate.den : 0;
    return film->format.interlaced || (fps > 29.9 && fps < 30.1);
}

// Frames that are marked as single fields may be whole frames of two, wrongly marked: a few that
// look so tell, since single fields never do.
static void judge_marks(const struct ksr_scan *t, struct ksr_film *film)
{
    const bool two = t->top_first + t->bottom_first >= FEW;
    film->single_fields = film->format.single_field && !two;
    if (film->format.single_field && two)
        film->first_field = t->top_first > t->bottom_first ? 1 : -1;
}

static void judge(ksr_context *ctx, const struct ksr_scan *t, struct ksr_film *film)
{
    film->soft_telecine = t->repeating * 4 >= t->seen && t->repeating > 0; // every other one
    film->telecined = may_be_telecine(film) && is_telecine(t);
    film->unmarked_fields = !film->format.interlaced && !film->telecined && is_interlaced(t);
    film->first_field = order_shown(t);
    judge_marks(t, film);
    film->marked_wrongly =
        film->format.interlaced && !film->telecined && !film->single_fields && is_whole(t);
    // What the container says stands.
    if (!film->format.interlaced && film->first_field < 0)
        film->format.bottom_first = true;
    ksr_log(ctx, KSR_LOG_DEBUG,
            "fields: of %d moving frames %d repeat the top, %d the bottom field; %d are of two "
            "fields with the top first, %d with the bottom first, %d whole",
            t->moving, t->top, t->bottom, t->top_first, t->bottom_first, t->whole);
}

// --- Looking ---

// The code of 8 bits up to which the mean of a line is black.
static int black_of(const struct ksr_video_format *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(f->pixel_format));
    const bool full = f->color_range == AVCOL_RANGE_JPEG || (d && d->flags & AV_PIX_FMT_FLAG_RGB) ||
                      strncmp(f->pixel_format, "yuvj", 4) == 0;
    return BLACK + (full ? 0 : 16);
}

static ksr_status look_at(ksr_context *ctx, ksr_reader *reader, int count, int most,
                          struct picture pictures[2], int black, struct ksr_scan *tally)
{
    bool had = false;
    for (int i = 0; i < count && tally->moving < most; i++) {
        size_t index;
        bool damaged;
        const ksr_status status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            return status;
        tally->seen++;
        tally->repeating += ksr_av_frame_repeats_field(ksr_reader_frame(reader));
        struct picture *now = &pictures[i % 2];
        const bool has =
            ksr_cadence_luma(ksr_reader_frame(reader), now->width, now->height, now->samples);
        if (has)
            note_borders(tally, now, black);
        if (has && had)
            compare(tally, &pictures[(i + 1) % 2], now);
        had = has;
    }
    return KSR_OK;
}

// The last keyframe that is not after a part of the film.
static struct ksr_film_key key_at(const struct ksr_film *film, size_t part, size_t parts)
{
    struct ksr_film_key found = ksr_film_start(film);
    for (size_t i = 0; i < film->key_count; i++)
        if (i == 0 || film->keys[i].frame <= film->frame_count * part / parts)
            found = film->keys[i];
    return found;
}

// A place where frames are looked at, and what is found there.
struct visit {
    ksr_context *ctx;
    const char *path;
    const struct ksr_film *film;
    struct ksr_film_key start;
    int count; // frames,
    int most;  // but no more than so many that move
    struct ksr_scan scan;
};

static ksr_status make_visit(void *arg)
{
    struct visit *v = arg;
    struct picture pictures[2] = {{0}};
    ksr_reader *reader = NULL;
    ksr_status status = make_pictures(v->ctx, &v->film->format, pictures);
    if (status == KSR_OK)
        status = ksr_reader_create(v->ctx, v->path, v->film, &reader);
    if (status == KSR_OK)
        status = ksr_reader_seek(v->ctx, reader, v->start.frame, &v->start);
    if (status == KSR_OK)
        status = look_at(v->ctx, reader, v->count, v->most, pictures, black_of(&v->film->format),
                         &v->scan);
    ksr_reader_destroy(&reader);
    free(pictures[0].samples);
    free(pictures[1].samples);
    return status;
}

static void add_scan(struct ksr_scan *to, const struct ksr_scan *more)
{
    for (int side = 0; side < 4 && more->lit > 0; side++)
        if (to->lit == 0 || more->border[side] < to->border[side])
            to->border[side] = more->border[side];
    to->seen += more->seen;
    to->repeating += more->repeating;
    to->moving += more->moving;
    to->top += more->top;
    to->bottom += more->bottom;
    to->top_first += more->top_first;
    to->bottom_first += more->bottom_first;
    to->whole += more->whole;
    to->lit += more->lit;
}

// The first two places, which have fewer moving frames than are enough, are looked at at once.
static ksr_status visit_places(struct visit visits[PLACES], struct ksr_scan *out)
{
    static_assert(2 * (PLACE_FRAMES - 1) < MOVING_MOST, "what is found depends on the order");
    ksr_status status = ksr_run_both(visits[0].ctx, make_visit, &visits[0], make_visit, &visits[1]);
    *out = visits[0].scan;
    add_scan(out, &visits[1].scan);
    for (int i = 2; status == KSR_OK && i < PLACES && out->moving < MOVING_MOST; i++) {
        visits[i].scan = *out;
        status = make_visit(&visits[i]);
        *out = visits[i].scan;
    }
    return status;
}

// A film that is short: all of it, or in two halves at once if it can be entered near its middle.
static ksr_status visit_halves(struct visit visits[2], struct ksr_scan *out)
{
    const size_t middle = visits[1].start.frame, frames = visits[0].film->frame_count;
    ksr_status status;
    *out = (struct ksr_scan){0};
    if (visits[0].film->linear || middle < frames / 4) {
        status = make_visit(&visits[0]);
    } else {
        for (int i = 0; i < 2; i++) {
            visits[i].count /= 2;
            visits[i].most /= 2;
        }
        if ((size_t)visits[0].count >
            middle) { // and what the first half lacks, the second has more
            visits[1].count += visits[0].count - (int)middle;
            visits[0].count = (int)middle;
        }
        status = ksr_run_both(visits[0].ctx, make_visit, &visits[0], make_visit, &visits[1]);
        add_scan(out, &visits[1].scan);
    }
    add_scan(out, &visits[0].scan);
    return status;
}

ksr_status ksr_scan_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                         struct ksr_scan *out)
{
    struct visit visits[PLACES];
    *out = (struct ksr_scan){0};
    if (film->frame_count <= FIELDS_LEAST || ksr_sequence_is(path))
        return KSR_OK;
    const bool whole = film->linear || film->frame_count < 2 * PLACES * PLACE_FRAMES;
    for (int i = 0; i < PLACES; i++) { // past black and titles, if the film is long
        const size_t part = (size_t)i + !whole, parts = whole ? 2 : PLACES + 1;
        visits[i] = (struct visit){.ctx = ctx,
                                   .path = path,
                                   .film = film,
                                   .start = key_at(film, part, parts),
                                   .count = whole ? PLACES * PLACE_FRAMES : PLACE_FRAMES,
                                   .most = MOVING_MOST};
    }
    return whole ? visit_halves(visits, out) : visit_places(visits, out);
}

void ksr_scan_judge(ksr_context *ctx, const struct ksr_scan *scan, struct ksr_film *film)
{
    film->single_fields = film->format.single_field;
    if (scan->seen == 0)
        return;
    judge(ctx, scan, film);
    judge_borders(scan, film);
}

ksr_status ksr_scan_film(ksr_context *ctx, const char *path, struct ksr_film *film)
{
    struct ksr_scan scan;
    const ksr_status status = ksr_scan_look(ctx, path, film, &scan);
    if (status == KSR_OK)
        ksr_scan_judge(ctx, &scan, film);
    return status;
}
