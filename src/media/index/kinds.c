// Kinds of frames; see kinds.h.

#include "media/index/kinds.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/av/headers.h"
#include "media/input/conform.h"
#include "media/input/reader.h"

// --- Finding ---

bool ksr_kinds_note(struct ksr_kind_hints *hints, const AVCodecParameters *video,
                    const AVPacket *packet)
{
    const uint64_t headers = ksr_packet_headers(video, packet);
    if (headers == 0 || headers == hints->last)
        return true;
    if (!ksr_array_reserve((void **)&hints->list, &hints->capacity, hints->count + 1,
                           sizeof(hints->list[0])))
        return false;
    hints->list[hints->count++] = (struct ksr_kind_hint){packet->pts, headers};
    hints->last = headers;
    return true;
}

#define MOST_LOOKS 1000 // headers that all differ are no film; the reader converts what comes

// Headers that were looked at, and what they lead to.
struct known {
    uint64_t headers;
    struct ksr_video_format format;
};

static const struct known *find_known(const struct known *list, size_t count, uint64_t headers)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].headers == headers)
            return &list[i];
    return NULL;
}

// Decodes the frame of that time. *seen: it came, and *format describes it.
static ksr_status look_at(ksr_context *ctx, ksr_reader *reader, const struct ksr_film *film,
                          int64_t time, struct ksr_video_format *format, bool *seen)
{
    const size_t wanted = ksr_film_find(film, time, false);
    size_t index = SIZE_MAX;
    bool damaged;
    *seen = false;
    if (wanted == SIZE_MAX)
        return KSR_OK;
    size_t key = 0;
    while (key + 1 < film->key_count && film->keys[key + 1].frame <= wanted)
        key++;
    ksr_status status = ksr_reader_seek(ctx, reader, wanted, &film->keys[key]);
    if (status == KSR_OK)
        status = ksr_reader_next(ctx, reader, &index, &damaged);
    *seen = status == KSR_OK && index == wanted;
    if (*seen)
        *format = *ksr_reader_format(reader);
    return status;
}

static void note_fields(struct ksr_film *film, int64_t source, const struct ksr_video_format *f)
{
    if (!f->interlaced || film->format.interlaced || film->turns_interlaced)
        return;
    film->turns_interlaced = true;
    film->interlaced_from = source;
}

static ksr_status look_at_hints(ksr_context *ctx, ksr_reader *reader, struct ksr_film *film,
                                const struct ksr_kind_hints *hints)
{
    struct known *known = calloc(MOST_LOOKS, sizeof(known[0]));
    ksr_status status = known ? KSR_OK : ksr_fail_memory(ctx);
    size_t count = 0;
    // Headers in the first packet lead to what is known of the first frame.
    if (known && hints->list[0].time == film->frames[0].source)
        known[count++] = (struct known){hints->list[0].headers, film->kinds[0].format};
    for (size_t i = count; status == KSR_OK && i < hints->count; i++) {
        const struct ksr_kind_hint *hint = &hints->list[i];
        const struct known *k = find_known(known, count, hint->headers);
        bool seen = k != NULL;
        if (!k && count < MOST_LOOKS) {
            status = look_at(ctx, reader, film, hint->time, &known[count].format, &seen);
            known[count].headers = hint->headers;
            k = &known[count];
            count += seen;
        }
        if (status != KSR_OK || !seen)
            continue;
        note_fields(film, hint->time, &k->format);
        if (!ksr_kinds_add(film, hint->time, &k->format))
            status = ksr_fail_memory(ctx);
    }
    free(known);
    return status;
}

static ksr_status look_at_all(ksr_context *ctx, ksr_reader *reader, struct ksr_film *film)
{
    ksr_status status = ksr_reader_seek(ctx, reader, 0, &film->keys[0]);
    while (status == KSR_OK) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            return status;
        if (!ksr_kinds_add(film, film->frames[index].source, ksr_reader_format(reader)))
            status = ksr_fail_memory(ctx);
    }
    return status;
}

ksr_status ksr_kinds_find(ksr_context *ctx, const char *path, struct ksr_film *film,
                          const struct ksr_kind_hints *hints)
{
    ksr_reader *reader = NULL;
    const bool all = ksr_sequence_is(path) && hints->count == 0;
    const bool first = hints->count == 1 && hints->list[0].time == film->frames[0].source;
    if (film->key_count == 0 || first || (hints->count == 0 && !all))
        return KSR_OK;
    ksr_status status = ksr_reader_create(ctx, path, film, &reader);
    if (status != KSR_OK)
        return status;
    ksr_reader_keep_kinds(reader);
    status = all ? look_at_all(ctx, reader, film) : look_at_hints(ctx, reader, film, hints);
    ksr_reader_destroy(&reader);
    return status;
}

// --- Choosing ---

static const AVPixFmtDescriptor *describe(const struct ksr_video_format *f)
{
    return av_pix_fmt_desc_get(av_get_pix_fmt(f->pixel_format));
}

static bool has_color(const AVPixFmtDescriptor *d)
{
    return d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL) || d->nb_components >= 3;
}

static bool has_alpha(const AVPixFmtDescriptor *d)
{
    return d->flags & AV_PIX_FMT_FLAG_ALPHA;
}

// Whether nothing of `other` is lost that cannot be guessed: colour, transparency.
static bool covers(const struct ksr_video_format *format, const struct ksr_video_format *other)
{
    const AVPixFmtDescriptor *a = describe(format), *b = describe(other);
    return a && b && has_color(a) >= has_color(b) && has_alpha(a) >= has_alpha(b);
}

// Takes over how samples are coded, not the size.
static void take_samples(struct ksr_video_format *to, const struct ksr_video_format *from)
{
    memcpy(to->pixel_format, from->pixel_format, sizeof(to->pixel_format));
    to->color_range = from->color_range;
    to->color_space = from->color_space;
    to->chroma_location = from->chroma_location;
}

void ksr_kinds_choose(struct ksr_film *film, size_t first, size_t end)
{
    if (film->kind_count == 0 || first >= end)
        return;
    const size_t from = ksr_kinds_until(film, film->frames[first].source);
    const size_t until = ksr_kinds_until(film, film->frames[end - 1].source);
    const struct ksr_film_kind *kinds = film->kinds;
    const size_t start = from > 0 ? from - 1 : 0;
    struct ksr_video_format chosen = kinds[start].format;
    for (size_t i = start + 1; i < until; i++)
        if (ksr_conform_supported(&kinds[i].format) &&
            (!covers(&chosen, &kinds[i].format) || !ksr_conform_supported(&chosen)))
            take_samples(&chosen, &kinds[i].format);
    // Frames are written once more on the way: not as a palette, and not in fewer than 8 bits.
    if (until > start + 1)
        ksr_conform_carrier(&chosen);
    chosen.frame_rate = film->format.frame_rate;
    film->decoded = film->format = chosen;
}

// --- Saying ---

struct text {
    char *out;
    size_t size, used;
};

static void add(struct text *t, const char *format, ...) KSR_PRINTF(2, 3);

static void add(struct text *t, const char *format, ...)
{
    va_list args;
    if (t->used > 0)
        t->used += (size_t)snprintf(t->out + t->used, t->size - t->used, ", ");
    if (t->used >= t->size)
        return;
    va_start(args, format);
    t->used += (size_t)vsnprintf(t->out + t->used, t->size - t->used, format, args);
    va_end(args);
    if (t->used >= t->size)
        t->used = t->size - 1;
}

static const char *or_unknown(const char *name)
{
    return name ? name : "unknown";
}

static struct ksr_rational pixel_of(const struct ksr_video_format *f)
{
    const bool known = f->sample_aspect.num > 0 && f->sample_aspect.den > 0;
    return known ? f->sample_aspect : (struct ksr_rational){1, 1};
}

// Width by height as shown.
static AVRational shape_of(const struct ksr_video_format *f)
{
    const struct ksr_rational pixel = pixel_of(f);
    AVRational shape;
    av_reduce(&shape.num, &shape.den, (int64_t)f->width * pixel.num, (int64_t)f->height * pixel.den,
              1 << 20);
    return shape;
}

static bool same_shape(const struct ksr_video_format *a, const struct ksr_video_format *b)
{
    // Broadcasts round: 704 and 720 samples both stand for 4:3.
    const double x = av_q2d(shape_of(a)), y = av_q2d(shape_of(b));
    return x < y * 1.03 && y < x * 1.03;
}

void ksr_kinds_text(const struct ksr_video_format *a, const struct ksr_video_format *b, char *out,
                    size_t size)
{
    struct text t = {out, size, 0};
    out[0] = 0;
    if (a->width != b->width || a->height != b->height)
        add(&t, "size %dx%d to %dx%d", a->width, a->height, b->width, b->height);
    if (strcmp(a->pixel_format, b->pixel_format) != 0)
        add(&t, "pixel format %s to %s", a->pixel_format, b->pixel_format);
    if (!ksr_same_ratio(a->sample_aspect, b->sample_aspect))
        add(&t, "pixel aspect ratio %d:%d to %d:%d", pixel_of(a).num, pixel_of(a).den,
            pixel_of(b).num, pixel_of(b).den);
    if (!same_shape(a, b))
        add(&t, "display aspect ratio %d:%d to %d:%d", shape_of(a).num, shape_of(a).den,
            shape_of(b).num, shape_of(b).den);
    const struct {
        int from, to;
        const char *what, *before, *after;
    } tags[] = {{a->color_range, b->color_range, "range",
                 av_color_range_name((enum AVColorRange)a->color_range),
                 av_color_range_name((enum AVColorRange)b->color_range)},
                {a->color_space, b->color_space, "matrix",
                 av_color_space_name((enum AVColorSpace)a->color_space),
                 av_color_space_name((enum AVColorSpace)b->color_space)},
                {a->color_primaries, b->color_primaries, "primaries",
                 av_color_primaries_name((enum AVColorPrimaries)a->color_primaries),
                 av_color_primaries_name((enum AVColorPrimaries)b->color_primaries)},
                {a->color_transfer, b->color_transfer, "transfer",
                 av_color_transfer_name((enum AVColorTransferCharacteristic)a->color_transfer),
                 av_color_transfer_name((enum AVColorTransferCharacteristic)b->color_transfer)},
                {a->chroma_location, b->chroma_location, "chroma location",
                 av_chroma_location_name((enum AVChromaLocation)a->chroma_location),
                 av_chroma_location_name((enum AVChromaLocation)b->chroma_location)}};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (tags[i].from != tags[i].to)
            add(&t, "%s %s to %s", tags[i].what, or_unknown(tags[i].before),
                or_unknown(tags[i].after));
}

// What the output does not follow.
static void describe_kept(const struct ksr_film *film, const struct ksr_video_format *other,
                          char *out, size_t size)
{
    struct text t = {out, size, 0};
    const struct ksr_video_format *f = &film->decoded; // before it is turned
    out[0] = 0;
    if (!ksr_conform_supported(other))
        add(&t, "frames of %s cannot be processed and are treated as damaged", other->pixel_format);
    else if (ksr_conform_needed(other, &film->decoded))
        add(&t, "frames that differ are converted to %dx%d %s", film->decoded.width,
            film->decoded.height, film->decoded.pixel_format);
    if (!same_shape(f, other))
        add(&t, "the output shows all at %d:%d", shape_of(f).num, shape_of(f).den);
    if (f->color_primaries != other->color_primaries || f->color_transfer != other->color_transfer)
        add(&t, "the output keeps the tags of primaries and transfer of its first frame");
}

// The first change within the film's frames, and how many there are. kind_count: none.
static size_t first_change(const struct ksr_film *film, size_t *count)
{
    size_t found = film->kind_count;
    *count = 0;
    for (size_t i = film->kind_count; i-- > 1;) {
        const size_t frame = ksr_kinds_frame(film, film->kinds[i].source);
        if (frame > 0 && frame < film->frame_count) {
            found = i;
            ++*count;
        }
    }
    return found;
}

void ksr_kinds_warn(ksr_context *ctx, const struct ksr_film *film)
{
    char what[400], then[300], more[64] = "";
    size_t count;
    const size_t i = first_change(film, &count);
    if (i == film->kind_count)
        return;
    const size_t frame = ksr_kinds_frame(film, film->kinds[i].source);
    const struct ksr_video_format *before = &film->kinds[i - 1].format;
    const struct ksr_video_format *after = &film->kinds[i].format;
    ksr_kinds_text(before, after, what, sizeof(what));
    describe_kept(film, ksr_kinds_differ(after, &film->decoded) ? after : before, then,
                  sizeof(then));
    if (count > 1)
        snprintf(more, sizeof(more), "; %zu more change%s (probe lists them)", count - 1,
                 count > 2 ? "s follow" : " follows");
    ksr_log(ctx, KSR_LOG_WARNING, "the video changes at frame %zu (%.3f s): %s%s%s%s", frame,
            ksr_film_seconds(film, film->frames[frame].time), what, then[0] ? "; " : "", then,
            more);
}
