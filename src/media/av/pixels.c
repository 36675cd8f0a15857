// Pictures to working frames and back; see pixels.h.

#include "media/av/pixels.h"

#include <libavutil/imgutils.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/dispatch.h"
#include "frame/matrix.h"
#include "frame/pack.h"
#include "frame/resample.h"
#include "frame/rgb_reader.h"
#include "media/av/pixel_choice.h"

int ksr_pixels_planes(enum AVPixelFormat format, int width, int height,
                      size_t bytes[KSR_MAX_PLANES], int rows[KSR_MAX_PLANES])
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    const int planes = av_pix_fmt_count_planes(format);
    for (int i = 0; i < planes; i++) {
        bytes[i] = (size_t)av_image_get_linesize(format, width, i);
        rows[i] = i == 1 || i == 2 ? AV_CEIL_RSHIFT(height, d->log2_chroma_h) : height;
    }
    return planes;
}

// --- Reading ---

struct ksr_pixel_reader {
    const AVFrame *picture;
    const AVPixFmtDescriptor *desc;
    struct ksr_raw_frame raw; // its planes, where they can be described
    ksr_rgb_reader *rgb;      // RGB only
    struct ksr_layout layout; // of that
};

static void read_code_row(const struct ksr_pixel_reader *r, int component, int y, uint16_t *row,
                          int width)
{
    const AVFrame *p = r->picture;
    if (r->desc->flags & AV_PIX_FMT_FLAG_PAL) {
        static const int shift[4] = {16, 8, 0, 24}; // entries are 0xAARRGGBB
        const uint8_t *index = p->data[0] + (ptrdiff_t)y * p->linesize[0];
        const uint32_t *palette = (const uint32_t *)(const void *)p->data[1];
        for (int x = 0; x < width; x++)
            row[x] = (uint16_t)(palette[index[x]] >> shift[component] & 255);
        return;
    }
    av_read_image_line2(row, (const uint8_t **)(uintptr_t)p->data, p->linesize, r->desc, 0, y,
                        component, width, 0, sizeof(row[0]));
    const int bits = ksr_pixfmt_depth(r->desc, component), max = (1 << bits) - 1;
    if (bits < 8)
        for (int x = 0; x < width; x++)
            row[x] = (uint16_t)((row[x] * 255 + max / 2) / max);
}

// A component that is not plain goes through one row of 16-bit codes.
static void read_rows(void *opaque, int i, const struct ksr_plane *dst, int y0, int y1)
{
    const struct ksr_pixel_reader *r = opaque;
    const AVPixFmtDescriptor *d = r->desc;
    const int component = ksr_pixfmt_component_of(d, i), bits = ksr_pixfmt_depth(d, component);
    if (ksr_pixfmt_is_plain(d, component)) {
        const int n = d->comp[component].plane;
        const struct ksr_code_plane code = {r->picture->data[n], r->picture->linesize[n], bits};
        ksr_frame_table(ksr_cpu_level())->unpack_rows(dst, &code, y0, y1);
        return;
    }
    uint16_t codes[65536];
    uint8_t bytes[65536];
    for (int y = y0; y < y1; y++) {
        struct ksr_plane line = *dst;
        line.data += (ptrdiff_t)y * dst->stride;
        line.height = 1;
        read_code_row(r, component, y, codes, dst->width);
        struct ksr_code_plane code = {(uint8_t *)codes, 0, bits};
        if (bits <= 8) {
            for (int x = 0; x < dst->width; x++)
                bytes[x] = (uint8_t)codes[x];
            code = (struct ksr_code_plane){bytes, 0, 8};
        }
        ksr_frame_table(ksr_cpu_level())->unpack_rows(&line, &code, 0, 1);
    }
}

struct ksr_pixel_reader *ksr_pixel_reader_create(void)
{
    return calloc(1, sizeof(struct ksr_pixel_reader));
}

void ksr_pixel_reader_destroy(struct ksr_pixel_reader **reader)
{
    if (!reader || !*reader)
        return;
    ksr_rgb_reader_destroy(&(*reader)->rgb);
    free(*reader);
    *reader = NULL;
}

ksr_status ksr_pixels_read(ksr_context *ctx, struct ksr_pixel_reader *reader,
                           const AVFrame *picture, const struct ksr_layout *layout,
                           struct ksr_row_source *source)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(picture->format);
    const bool subsampled = d && !ksr_pixfmt_is_rgb(d) && ksr_pixfmt_components(d) >= 3;
    if (!ksr_pixfmt_supported(d) || ksr_pixfmt_components(d) != layout->planes ||
        picture->width != layout->width || picture->height != layout->height ||
        (subsampled ? d->log2_chroma_w : 0) != layout->chroma_shift_x ||
        (subsampled ? d->log2_chroma_h : 0) != layout->chroma_shift_y)
        return ksr_fail(ctx, KSR_E_PROCESS, "a frame of %dx%d %s came where one of %dx%d was due",
                        picture->width, picture->height, d ? d->name : "an unknown pixel format",
                        layout->width, layout->height);
    reader->picture = picture;
    reader->desc = d;
    const bool raw = ksr_pixfmt_raw(d, picture, &reader->raw);
    *source = (struct ksr_row_source){read_rows, reader, raw ? &reader->raw : NULL};
    if (!ksr_pixfmt_is_rgb(d))
        return KSR_OK;
    if (reader->rgb && !ksr_layout_equal(&reader->layout, layout))
        ksr_rgb_reader_destroy(&reader->rgb);
    if (!reader->rgb)
        reader->rgb = ksr_rgb_reader_create(layout);
    if (!reader->rgb)
        return ksr_fail_memory(ctx);
    reader->layout = *layout;
    *source = ksr_rgb_reader_start(reader->rgb, source);
    return KSR_OK;
}

// --- Writing ---

#define BAND 64 // rows of a picture that one thread converts at once

static int band_count(const AVFrame *picture)
{
    return (picture->height + BAND - 1) / BAND;
}

static int band_end(int band, int height)
{
    return (band + 1) * BAND < height ? (band + 1) * BAND : height;
}

// Working frames that are not of the target's kind go through `whole`, the frame as it is packed:
// chroma is resampled on the way in, range or matrix changed in place, band by band.
struct ksr_pixel_writer {
    const AVPixFmtDescriptor *target;
    struct ksr_layout layout; // as packed
    int source_bits;          // depth whose full-range peak the packed samples have
    bool rgb_back;            // the frames are RGB turned into YCbCr: turn them back
    bool rgb_alone;           // and that is all
    bool dither, to_rgb, new_range;
    struct ksr_matrix matrix;
    bool recode; // to another luma, with full chroma, before all else
    struct ksr_recode recoding;
    ksr_resampler *widener;    // to full chroma
    struct ksr_frame recoded;  // only for that
    ksr_resampler *resampler;  // only where chroma must change
    struct ksr_frame whole;    // only where something must change
    int place[KSR_MAX_PLANES]; // in `whole` of each plane that comes in; -1 = left out
    atomic_bool collected;     // rows came for `whole`
    AVFrame *picture;          // the one in hand
    struct ksr_raw_frame raw;  // its planes, where they can be described
};

void ksr_pixel_writer_destroy(struct ksr_pixel_writer **writer)
{
    if (!writer || !*writer)
        return;
    ksr_resampler_destroy(&(*writer)->widener);
    ksr_resampler_destroy(&(*writer)->resampler);
    ksr_frame_free(&(*writer)->recoded);
    ksr_frame_free(&(*writer)->whole);
    free(*writer);
    *writer = NULL;
}

// Where plane i of one layout stands in another: alpha is the last of two or four.
static int find_plane(const struct ksr_layout *from, int i, const struct ksr_layout *to)
{
    const bool alpha = i == from->planes - 1 && from->planes % 2 == 0;
    if (alpha)
        return to->planes % 2 == 0 ? to->planes - 1 : -1;
    return i < to->planes - (to->planes % 2 == 0) ? i : -1;
}

// Planes that nothing comes in for: no colour, no transparency.
static void fill_rest(struct ksr_pixel_writer *w)
{
    const int bits = w->source_bits;
    for (int i = 0; i < w->layout.planes; i++) {
        bool comes = false;
        for (int k = 0; k < KSR_MAX_PLANES; k++)
            comes = comes || w->place[k] == i;
        const bool alpha = i == w->layout.planes - 1 && i % 2 == 1;
        const int peak = bits >= 15 ? KSR_SAMPLE_MAX : ((1 << bits) - 1) << (15 - bits);
        const struct ksr_plane *p = &w->whole.plane[i];
        for (int y = 0; !comes && y < p->height; y++)
            for (int x = 0; x < p->width; x++)
                p->data[y * p->stride + x] = (uint16_t)(alpha ? peak : KSR_CHROMA_ZERO);
    }
}

// Decides what must change between the frames and the target.
static void plan_conversion(struct ksr_pixel_writer *w, const struct ksr_video_format *source,
                            const struct ksr_layout *frames, bool full_target)
{
    const AVPixFmtDescriptor *from = ksr_pixfmt_describe(source), *to = w->target;
    double kr, kb;
    w->to_rgb = ksr_pixfmt_is_rgb(to) && !ksr_pixfmt_is_rgb(from);
    w->rgb_back = ksr_pixfmt_is_rgb(to) && ksr_pixfmt_is_rgb(from);
    w->new_range = !ksr_pixfmt_is_rgb(to) && frames->full_range != full_target;
    w->layout.planes = ksr_pixfmt_components(to);
    w->layout.chroma_shift_x =
        ksr_pixfmt_is_rgb(to) || ksr_pixfmt_components(to) < 3 ? 0 : to->log2_chroma_w;
    w->layout.chroma_shift_y =
        ksr_pixfmt_is_rgb(to) || ksr_pixfmt_components(to) < 3 ? 0 : to->log2_chroma_h;
    w->layout.full_range = ksr_pixfmt_is_rgb(to) || full_target;
    if (w->to_rgb && ksr_pixfmt_luma_weights(source, &kr, &kb))
        w->matrix = ksr_matrix_rgb(kr, kb, frames->full_range, w->source_bits);
    else if (w->new_range)
        w->matrix = ksr_matrix_range(full_target, w->source_bits);
    if (w->to_rgb || (w->new_range && full_target))
        w->source_bits = 15; // the matrices' full range ends with the sample's
    for (int i = 0; i < KSR_MAX_PLANES; i++)
        w->place[i] = i < frames->planes ? find_plane(frames, i, &w->layout) : -1;
}

static bool allocate(struct ksr_pixel_writer *w, const struct ksr_layout *frames)
{
    struct ksr_layout resampled = *frames;
    resampled.chroma_shift_x = w->layout.chroma_shift_x;
    resampled.chroma_shift_y = w->layout.chroma_shift_y;
    resampled.siting_x = w->layout.siting_x;
    resampled.siting_y = w->layout.siting_y;
    const bool resample =
        frames->planes >= 3 && w->layout.planes >= 3 && !ksr_layout_equal(frames, &resampled);
    if (!resample && !w->to_rgb && !w->rgb_back && !w->new_range &&
        frames->planes == w->layout.planes)
        return true;
    if (!ksr_frame_alloc(&w->whole, &w->layout))
        return false;
    fill_rest(w);
    w->rgb_alone = w->rgb_back && !resample && frames->planes == w->layout.planes;
    if (resample)
        w->resampler = ksr_resampler_create(frames, &resampled, NULL);
    return !resample || w->resampler;
}

// Whether frames must be coded by another luma. *frames: their layout from then on.
static bool plan_recoding(struct ksr_pixel_writer *w, const struct ksr_video_format *source,
                          const struct ksr_video_format *color, struct ksr_layout *frames)
{
    double kr, kb, to_kr, to_kb;
    const struct ksr_layout narrow = *frames;
    if (frames->planes < 3 || ksr_pixfmt_is_rgb(w->target) ||
        ksr_pixfmt_components(w->target) < 3 || !ksr_pixfmt_frame_weights(source, &kr, &kb) ||
        !ksr_pixfmt_luma_weights(color, &to_kr, &to_kb) || (kr == to_kr && kb == to_kb))
        return true;
    if (!ksr_pixfmt_is_rgb(ksr_pixfmt_describe(source)) &&
        source->color_space == color->color_space)
        return true; // both unspecified, at sizes that would be guessed apart
    w->recode = true;
    const struct ksr_code_terms from = {kr, kb, frames->full_range, 15};
    const struct ksr_code_terms to = {to_kr, to_kb, frames->full_range, 15};
    w->recoding = ksr_recode_make(&from, &to);
    frames->chroma_shift_x = frames->chroma_shift_y = 0;
    if (!ksr_frame_alloc(&w->recoded, frames))
        return false;
    if (!ksr_layout_equal(&narrow, frames))
        w->widener = ksr_resampler_create(&narrow, frames, NULL);
    return ksr_layout_equal(&narrow, frames) || w->widener;
}

ksr_status ksr_pixel_writer_create(ksr_context *ctx, const struct ksr_video_format *source,
                                   const struct ksr_layout *layout, enum AVPixelFormat target,
                                   const struct ksr_video_format *color, bool dither,
                                   struct ksr_pixel_writer **out)
{
    struct ksr_pixel_writer *w = calloc(1, sizeof(*w));
    *out = NULL;
    if (!w)
        return ksr_fail_memory(ctx);
    struct ksr_layout frames = *layout;
    struct ksr_video_format own;
    ksr_pixels_layout(source, &(struct ksr_layout){0}, &w->source_bits);
    ksr_pixels_target_color(source, target, &own);
    color = color ? color : &own;
    w->dither = dither;
    w->target = av_pix_fmt_desc_get(target);
    const bool full = color->color_range == AVCOL_RANGE_JPEG ||
                      (color->color_range == AVCOL_RANGE_UNSPECIFIED && layout->full_range);
    const bool ready = plan_recoding(w, source, color, &frames);
    w->layout = frames;
    if (color->chroma_location != source->chroma_location)
        ksr_pixels_siting(color, &w->layout);
    plan_conversion(w, source, &frames, full);
    if (!ready || !allocate(w, &frames)) {
        ksr_pixel_writer_destroy(&w);
        return ksr_fail_memory(ctx);
    }
    *out = w;
    return KSR_OK;
}

static bool is_alpha(const struct ksr_pixel_writer *w, int i)
{
    return i % 2 == 1 && i == w->layout.planes - 1;
}

static struct ksr_pack_params pack_params(const struct ksr_pixel_writer *w, int i)
{
    const bool chroma = !ksr_pixfmt_is_rgb(w->target) && ksr_layout_is_chroma(&w->layout, i);
    return (struct ksr_pack_params){.source_bits = w->source_bits,
                                    .scale = w->layout.full_range || is_alpha(w, i),
                                    .chroma = chroma,
                                    .dither = w->dither};
}

static void write_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_pixel_writer *w = opaque;
    const AVPixFmtDescriptor *d = w->target;
    AVFrame *picture = w->picture;
    const int component = ksr_pixfmt_component_of(d, i), bits = ksr_pixfmt_depth(d, component);
    const struct ksr_pack_params params = pack_params(w, i);
    if (ksr_pixfmt_is_plain(d, component)) {
        const int n = d->comp[component].plane;
        const struct ksr_code_plane code = {picture->data[n], picture->linesize[n], bits};
        ksr_frame_table(ksr_cpu_level())->pack_rows(&code, src, &params, y0, y1);
        return;
    }
    // Through a row of 16-bit codes: rows must keep their numbers, which dithering depends on.
    uint16_t codes[65536];
    uint8_t *bytes = (uint8_t *)codes;
    for (int y = y0; y < y1; y++) {
        const struct ksr_code_plane code = {bytes, 0, bits};
        ksr_frame_table(ksr_cpu_level())->pack_rows(&code, src, &params, y, y + 1);
        if (bits == 8)
            for (int x = src->width - 1; x >= 0; x--) { // widen in place, from the end
                const uint8_t value = bytes[x];
                codes[x] = value;
            }
        av_write_image_line2(codes, picture->data, picture->linesize, d, 0, y, component,
                             src->width, sizeof(codes[0]));
    }
}

// av_write_image_line2() adds bits to what is there.
static void clear_picture(const AVPixFmtDescriptor *d, AVFrame *picture)
{
    for (int n = 0; n < av_pix_fmt_count_planes(picture->format); n++) {
        const int shift = n == 1 || n == 2 ? d->log2_chroma_h : 0;
        const int rows = AV_CEIL_RSHIFT(picture->height, shift);
        // Not whole lines: of one field they reach into the other.
        const int bytes = av_image_get_linesize(picture->format, picture->width, n);
        for (int y = 0; bytes > 0 && y < rows; y++)
            memset(picture->data[n] + (ptrdiff_t)y * picture->linesize[n], 0, (size_t)bytes);
    }
}

// Puts rows into the frame that is to be recoded.
static void gather_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_pixel_writer *w = opaque;
    ksr_plane_copy_rows(&w->recoded.plane[i], src, y0, y1);
}

// Puts rows where they belong in `whole`.
static void collect_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    struct ksr_pixel_writer *w = opaque;
    atomic_store_explicit(&w->collected, true, memory_order_relaxed);
    if (w->place[i] >= 0)
        ksr_plane_copy_rows(&w->whole.plane[w->place[i]], src, y0, y1);
}

// Describes the planes of the picture in hand. Returns NULL where they cannot be.
static const struct ksr_raw_frame *describe(struct ksr_pixel_writer *w)
{
    const bool raw = ksr_pixfmt_raw(w->target, w->picture, &w->raw);
    for (int i = 0; raw && i < w->layout.planes; i++)
        w->raw.plane[i].pack = pack_params(w, i);
    return raw ? &w->raw : NULL;
}

// Takes frames in the luma of the target.
static struct ksr_row_sink converter(struct ksr_pixel_writer *writer)
{
    if (writer->resampler)
        return ksr_resampler_sink(writer->resampler);
    if (writer->whole.buffer)
        return (struct ksr_row_sink){collect_rows, writer,
                                     writer->rgb_alone ? describe(writer) : NULL};
    return (struct ksr_row_sink){write_rows, writer, describe(writer)};
}

struct ksr_row_sink ksr_pixels_write(struct ksr_pixel_writer *writer, AVFrame *picture)
{
    const AVPixFmtDescriptor *d = writer->target;
    bool plain = true;
    writer->picture = picture;
    writer->collected = false;
    for (int c = 0; c < ksr_pixfmt_components(d); c++)
        plain = plain && ksr_pixfmt_is_plain(d, c);
    if (!plain)
        clear_picture(d, picture);
    if (writer->widener)
        return ksr_resampler_sink(writer->widener);
    return writer->recode ? (struct ksr_row_sink){gather_rows, writer, NULL} : converter(writer);
}

static void recode_band(void *arg, int band, int thread)
{
    struct ksr_pixel_writer *w = arg;
    (void)thread;
    ksr_recode_rows(&w->recoding, &w->recoded, band * BAND, band_end(band, w->layout.height));
}

// Gives the frame another luma, and hands it on.
static void recode(struct ksr_pixel_writer *w, ksr_pool *pool)
{
    const struct ksr_row_sink gather = {gather_rows, w, NULL}, next = converter(w);
    if (w->widener)
        ksr_resampler_run(w->widener, &gather);
    ksr_pool_run(pool, recode_band, w, band_count(w->picture));
    for (int i = 0; i < w->recoded.layout.planes; i++)
        next.rows(next.opaque, i, &w->recoded.plane[i], 0, w->recoded.plane[i].height);
}

static void convert_band(void *arg, int band, int thread)
{
    struct ksr_pixel_writer *w = arg;
    const int y0 = band * BAND, y1 = band_end(band, w->layout.height);
    (void)thread;
    if (w->rgb_back)
        ksr_frame_table(ksr_cpu_level())->rgb_from_ycc_rows(&w->whole, y0, y1);
    else if (w->to_rgb)
        ksr_matrix_rgb_rows(&w->matrix, &w->whole, y0, y1);
    for (int i = 0; i < w->layout.planes; i++) {
        const int shift = ksr_layout_is_chroma(&w->layout, i) ? w->layout.chroma_shift_y : 0;
        const int first = y0 >> shift, end = AV_CEIL_RSHIFT(y1, shift);
        if (w->new_range && !is_alpha(w, i))
            ksr_matrix_range_rows(&w->matrix, &w->whole, i, first, end);
        write_rows(w, i, &w->whole.plane[i], first, end);
    }
}

ksr_status ksr_pixels_finish(ksr_context *ctx, struct ksr_pixel_writer *writer, ksr_pool *pool)
{
    (void)ctx;
    const struct ksr_row_sink whole = {collect_rows, writer, NULL};
    if (writer->recode)
        recode(writer, pool);
    if (writer->resampler)
        ksr_resampler_run(writer->resampler, &whole);
    if (writer->collected)
        ksr_pool_run(pool, convert_band, writer, band_count(writer->picture));
    return KSR_OK;
}
