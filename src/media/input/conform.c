// Converting frames of one kind to another; see conform.h.
//
//     frame -> rows of 15 bits -> planes of the target -> size, chroma -> matrix, range -> frame
//
// Where the matrix changes, chroma is brought to the size of luma for it, and to that of the target
// after.

#include "media/input/conform.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/matrix.h"
#include "frame/resample.h"
#include "media/av/pixels.h"

struct ksr_conform {
    struct ksr_video_format from, to; // what all below is made for
    struct ksr_layout in;             // as read
    struct ksr_layout middle, out;    // for the matrix; as written
    struct ksr_recode recode;
    struct ksr_frame read, mixed, whole;
    ksr_resampler *resize, *subsample; // NULL: not wanted
    struct ksr_pixel_reader *reader;
    struct ksr_pixel_writer *writer;
};

ksr_conform *ksr_conform_create(void)
{
    ksr_conform *c = calloc(1, sizeof(*c));
    if (c)
        c->reader = ksr_pixel_reader_create();
    if (c && !c->reader)
        ksr_conform_destroy(&c);
    return c;
}

// Frees what is made for one pair of formats.
static void forget(ksr_conform *c)
{
    ksr_frame_free(&c->read);
    ksr_frame_free(&c->mixed);
    ksr_frame_free(&c->whole);
    ksr_resampler_destroy(&c->resize);
    ksr_resampler_destroy(&c->subsample);
    ksr_pixel_writer_destroy(&c->writer);
    ksr_pixel_reader_destroy(&c->reader);
    *c = (struct ksr_conform){0};
}

void ksr_conform_destroy(ksr_conform **conform)
{
    if (!conform || !*conform)
        return;
    forget(*conform);
    free(*conform);
    *conform = NULL;
}

// --- What must be done ---

static bool layout_of(const struct ksr_video_format *f, struct ksr_layout *layout, int *bits)
{
    if (!ksr_pixels_layout(f, layout, bits) || !ksr_layout_valid(layout))
        return false;
    // Siting of chroma that is not subsampled means nothing.
    if (layout->chroma_shift_x == 0)
        layout->siting_x = KSR_SITING_COSITED;
    if (layout->chroma_shift_y == 0)
        layout->siting_y = KSR_SITING_COSITED;
    return true;
}

static struct ksr_code_terms terms_of(const struct ksr_video_format *f,
                                      const struct ksr_layout *layout, int bits)
{
    struct ksr_code_terms t = {.full = layout->full_range, .bits = bits};
    int unused;
    if (ksr_pixels_is_rgb(f)) // stands in working frames as BT.709
        t.kr = 0.2126, t.kb = 0.0722;
    else if (layout->planes >= 3)
        ksr_pixels_weights(f, &t.kr, &t.kb, &unused);
    return t;
}

bool ksr_conform_supported(const struct ksr_video_format *format)
{
    struct ksr_layout layout;
    int bits;
    return layout_of(format, &layout, &bits);
}

bool ksr_conform_needed(const struct ksr_video_format *from, const struct ksr_video_format *to)
{
    struct ksr_layout a, b;
    int a_bits, b_bits;
    if (!layout_of(from, &a, &a_bits) || !layout_of(to, &b, &b_bits))
        return true;
    const struct ksr_code_terms x = terms_of(from, &a, a_bits), y = terms_of(to, &b, b_bits);
    const struct ksr_recode recode = ksr_recode_make(&x, &y);
    return !ksr_layout_equal(&a, &b) || !recode.nothing ||
           !ksr_kinds_same_name(from->pixel_format, to->pixel_format);
}

void ksr_conform_carrier(struct ksr_video_format *format)
{
    const enum AVPixelFormat own = av_get_pix_fmt(format->pixel_format);
    const enum AVPixelFormat carrier = ksr_pixels_carrier(own);
    const char *name = av_get_pix_fmt_name(carrier);
    if (carrier != own && name)
        snprintf(format->pixel_format, sizeof(format->pixel_format), "%s", name);
}

// --- Preparing ---

// The planes of `out` at the size and subsampling of `in`; colour that is only added needs none.
static struct ksr_layout planes_of(const struct ksr_layout *in, const struct ksr_layout *out)
{
    struct ksr_layout layout = *in;
    layout.planes = out->planes;
    if (in->planes < 3) {
        layout.chroma_shift_x = out->chroma_shift_x;
        layout.chroma_shift_y = out->chroma_shift_y;
        layout.siting_x = out->siting_x;
        layout.siting_y = out->siting_y;
    }
    return layout;
}

static bool make_steps(ksr_conform *c)
{
    struct ksr_layout read = planes_of(&c->in, &c->out);
    c->middle = c->out;
    if (c->recode.mixes) {
        c->middle.chroma_shift_x = c->middle.chroma_shift_y = 0;
        c->middle.siting_x = c->middle.siting_y = KSR_SITING_COSITED;
    }
    c->middle.full_range = read.full_range = c->out.full_range; // no matter for sizes
    if (!ksr_frame_alloc(&c->read, &read))
        return false;
    if (!ksr_layout_equal(&read, &c->middle)) {
        c->resize = ksr_resampler_create(&read, &c->middle, NULL);
        if (!c->resize || !ksr_frame_alloc(&c->mixed, &c->middle))
            return false;
    }
    if (!ksr_layout_equal(&c->middle, &c->out)) {
        c->subsample = ksr_resampler_create(&c->middle, &c->out, NULL);
        return c->subsample && ksr_frame_alloc(&c->whole, &c->out);
    }
    return true;
}

static bool same_pair(const ksr_conform *c, const struct ksr_video_format *from,
                      const struct ksr_video_format *to)
{
    return c->writer && !ksr_kinds_differ(&c->from, from) && !ksr_kinds_differ(&c->to, to);
}

// *ok: the formats can be read and written.
static ksr_status prepare(ksr_context *ctx, ksr_conform *c, const struct ksr_video_format *from,
                          const struct ksr_video_format *to, bool *ok)
{
    int in_bits, out_bits;
    *ok = true;
    if (same_pair(c, from, to))
        return KSR_OK;
    forget(c);
    const enum AVPixelFormat target = av_get_pix_fmt(to->pixel_format);
    *ok = layout_of(from, &c->in, &in_bits) && layout_of(to, &c->out, &out_bits) &&
          ksr_pixels_carrier(target) == target;
    if (!*ok)
        return KSR_OK;
    c->from = *from;
    c->to = *to;
    const struct ksr_code_terms a = terms_of(from, &c->in, in_bits);
    const struct ksr_code_terms b = terms_of(to, &c->out, out_bits);
    c->recode = ksr_recode_make(&a, &b);
    c->reader = ksr_pixel_reader_create();
    if (!c->reader || !make_steps(c)) {
        forget(c);
        return ksr_fail_memory(ctx);
    }
    const ksr_status status =
        ksr_pixel_writer_create(ctx, to, &c->out, target, NULL, false, &c->writer);
    if (status != KSR_OK)
        forget(c);
    return status;
}

// --- Converting ---

// Which plane of `from` becomes plane i of `to`; -1 = none.
static int find_plane(const struct ksr_layout *from, const struct ksr_layout *to, int i)
{
    const bool alpha = i == to->planes - 1 && to->planes % 2 == 0;
    if (alpha)
        return from->planes % 2 == 0 ? from->planes - 1 : -1;
    return i < from->planes - (from->planes % 2 == 0) ? i : -1;
}

static void fill_plane(const struct ksr_plane *p, uint16_t value)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            p->data[y * p->stride + x] = value;
}

static void read_planes(ksr_conform *c, const struct ksr_row_source *source)
{
    for (int i = 0; i < c->out.planes; i++) {
        const int from = find_plane(&c->in, &c->out, i);
        const struct ksr_plane *p = &c->read.plane[i];
        if (from >= 0)
            source->rows(source->opaque, from, p, 0, p->height);
        else if (ksr_layout_is_chroma(&c->out, i))
            fill_plane(p, KSR_CHROMA_ZERO);
        else
            fill_plane(p, (uint16_t)c->recode.opaque);
    }
}

static struct ksr_frame *resample(ksr_resampler *resampler, struct ksr_frame *from,
                                  struct ksr_frame *to)
{
    if (!resampler)
        return from;
    const struct ksr_row_sink sink = ksr_resampler_sink(resampler), out = ksr_frame_sink(to);
    for (int i = 0; i < from->layout.planes; i++)
        sink.rows(sink.opaque, i, &from->plane[i], 0, from->plane[i].height);
    ksr_resampler_run(resampler, &out);
    return to;
}

// One frame, or one field of one.
static ksr_status convert(ksr_context *ctx, ksr_conform *c, const AVFrame *from, AVFrame *to)
{
    struct ksr_row_source source;
    ksr_status status = ksr_pixels_read(ctx, c->reader, from, &c->in, &source);
    if (status != KSR_OK)
        return status;
    read_planes(c, &source);
    struct ksr_frame *frame = resample(c->resize, &c->read, &c->mixed);
    ksr_recode_rows(&c->recode, frame, 0, frame->layout.height);
    frame = resample(c->subsample, frame, &c->whole);
    const struct ksr_row_sink sink = ksr_pixels_write(c->writer, to);
    for (int i = 0; i < frame->layout.planes; i++)
        sink.rows(sink.opaque, i, &frame->plane[i], 0, frame->plane[i].height);
    return ksr_pixels_finish(ctx, c->writer, NULL);
}

// Fields are frames of half the height whose rows are twice as far apart.
static void set_field(AVFrame *view, const AVFrame *frame, int field)
{
    const int planes = av_pix_fmt_count_planes(frame->format);
    view->height = frame->height / 2;
    for (int p = 0; p < planes; p++) {
        view->data[p] = frame->data[p] + (ptrdiff_t)field * frame->linesize[p];
        view->linesize[p] = frame->linesize[p] * 2;
    }
}

// Whether rows of the two fields must be kept apart, and can be.
static bool by_fields(const struct ksr_video_format *from, const struct ksr_video_format *to,
                      const AVFrame *frame)
{
    const AVPixFmtDescriptor *a = av_pix_fmt_desc_get(av_get_pix_fmt(from->pixel_format));
    const AVPixFmtDescriptor *b = av_pix_fmt_desc_get(av_get_pix_fmt(to->pixel_format));
    return ksr_av_frame_interlaced(frame) &&
           (from->height != to->height || a->log2_chroma_h != b->log2_chroma_h) &&
           !(a->flags & AV_PIX_FMT_FLAG_PAL) && from->height % (2 << a->log2_chroma_h) == 0 &&
           to->height % (2 << b->log2_chroma_h) == 0;
}

static ksr_status convert_fields(ksr_context *ctx, ksr_conform *c, const AVFrame *from, AVFrame *to)
{
    AVFrame *in = av_frame_clone(from), *out = av_frame_clone(to);
    ksr_status status = in && out ? KSR_OK : ksr_fail_memory(ctx);
    for (int field = 0; status == KSR_OK && field < 2; field++) {
        set_field(in, from, field);
        set_field(out, to, field);
        status = convert(ctx, c, in, out);
    }
    av_frame_free(&in);
    av_frame_free(&out);
    return status;
}

static ksr_status make_target(ksr_context *ctx, const struct ksr_video_format *to,
                              const AVFrame *from, AVFrame **out)
{
    AVFrame *frame = av_frame_alloc();
    int result = frame ? 0 : AVERROR(ENOMEM);
    if (frame) {
        frame->format = av_get_pix_fmt(to->pixel_format);
        frame->width = to->width;
        frame->height = to->height;
        result = av_frame_get_buffer(frame, 64);
    }
    if (result >= 0)
        result = av_frame_copy_props(frame, from);
    if (result < 0)
        av_frame_free(&frame);
    *out = frame;
    return result < 0 ? ksr_fail_memory(ctx) : KSR_OK;
}

ksr_status ksr_conform_frame(ksr_context *ctx, ksr_conform *c, const struct ksr_video_format *from,
                             const struct ksr_video_format *to, AVFrame *frame, bool *ok)
{
    struct ksr_video_format a = *from, b = *to;
    *ok = ksr_conform_supported(from) && ksr_conform_supported(to);
    if (!*ok)
        return KSR_OK;
    const bool fields = by_fields(from, to, frame);
    a.height >>= fields;
    b.height >>= fields;
    ksr_status status = prepare(ctx, c, &a, &b, ok);
    if (status != KSR_OK || !*ok)
        return status;
    AVFrame *made;
    status = make_target(ctx, to, frame, &made);
    if (status == KSR_OK)
        status = fields ? convert_fields(ctx, c, frame, made) : convert(ctx, c, frame, made);
    if (status == KSR_OK) {
        made->color_range = (enum AVColorRange)to->color_range;
        made->colorspace = (enum AVColorSpace)to->color_space;
        made->chroma_location = (enum AVChromaLocation)to->chroma_location;
        av_frame_unref(frame);
        av_frame_move_ref(frame, made);
    }
    av_frame_free(&made);
    return status;
}

ksr_status ksr_conform_blank(ksr_context *ctx, const struct ksr_video_format *to, AVFrame *frame)
{
    AVFrame *made;
    const ksr_status status = make_target(ctx, to, frame, &made);
    if (status != KSR_OK)
        return status;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && made->buf[i]; i++)
        memset(made->buf[i]->data, 0, made->buf[i]->size);
    made->flags |= AV_FRAME_FLAG_CORRUPT;
    av_frame_unref(frame);
    av_frame_move_ref(frame, made);
    av_frame_free(&made);
    return KSR_OK;
}
