// Pictures to working frames and back; see pixels.h.

#include "media/av/pixels.h"

#include <libavutil/imgutils.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/dispatch.h"
#include "frame/matrix.h"
#include "frame/pack.h"
#include "frame/resample.h"
#include "frame/rgb.h"
#include "media/av/suggest.h"

// --- What a pixel format is ---

static bool is_rgb(const AVPixFmtDescriptor *d)
{
    return (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

static bool has_alpha(const AVPixFmtDescriptor *d)
{
    return (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

static bool has_color(const AVPixFmtDescriptor *d)
{
    return is_rgb(d) || d->nb_components >= 3;
}

// Number of components; a palette stands for red, green, blue and alpha.
static int components(const AVPixFmtDescriptor *d)
{
    return d->flags & AV_PIX_FMT_FLAG_PAL ? 4 : d->nb_components;
}

static int depth(const AVPixFmtDescriptor *d, int component)
{
    return d->flags & AV_PIX_FMT_FLAG_PAL ? 8 : d->comp[component].depth;
}

static bool supported(const AVPixFmtDescriptor *d)
{
    const uint64_t refused =
        AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
    if (!d || (d->flags & refused) || d->nb_components < 1 || d->log2_chroma_w > 2 ||
        d->log2_chroma_h > 2 || strncmp(d->name, "xyz", 3) == 0)
        return false;
    for (int c = 0; c < components(d); c++)
        if (depth(d, c) > 16)
            return false;
    return true;
}

// Whether the component lies in a plane of its own as bytes or native 16-bit words.
static bool is_plain(const AVPixFmtDescriptor *d, int component)
{
    const AVComponentDescriptor *c = &d->comp[component];
    const bool wide = c->depth > 8;
    if (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM))
        return false;
    if (wide && ((d->flags & AV_PIX_FMT_FLAG_BE) != 0) != (AV_HAVE_BIGENDIAN != 0))
        return false;
    return c->depth >= 8 && c->step == (wide ? 2 : 1) && c->shift == 0 && c->offset == 0;
}

// Which component a working plane holds: green, blue, red for RGB, as ksr_rgb_to_ycc_rows() wants.
static int component_of(const AVPixFmtDescriptor *d, int plane)
{
    static const int rgb[4] = {1, 2, 0, 3};
    return is_rgb(d) ? rgb[plane] : plane;
}

// Whether pictures of the format can be written: not a palette, and no component below `least`
// bits.
static bool writable_from(const AVPixFmtDescriptor *d, int least)
{
    bool ok = supported(d) && !(d->flags & AV_PIX_FMT_FLAG_PAL);
    for (int c = 0; ok && c < d->nb_components; c++)
        ok = d->comp[c].depth >= least;
    return ok;
}

static bool writable(const AVPixFmtDescriptor *d)
{
    return writable_from(d, is_rgb(d) && !(d->flags & AV_PIX_FMT_FLAG_BITSTREAM) ? 2 : 8);
}

enum AVPixelFormat ksr_pixels_carrier(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!supported(d) || writable_from(d, 8))
        return supported(d) ? format : AV_PIX_FMT_NONE;
    if (!is_rgb(d))
        return has_alpha(d)           ? AV_PIX_FMT_YA8
               : d->nb_components < 3 ? AV_PIX_FMT_GRAY8
                                      : AV_PIX_FMT_NONE;
    return components(d) == 4 ? AV_PIX_FMT_GBRAP : AV_PIX_FMT_GBRP;
}

static const AVPixFmtDescriptor *describe(const struct ksr_video_format *format)
{
    return av_pix_fmt_desc_get(av_get_pix_fmt(format->pixel_format));
}

static bool is_full_range(const struct ksr_video_format *format)
{
    const AVPixFmtDescriptor *d = describe(format);
    if (is_rgb(d) || strncmp(d->name, "yuvj", 4) == 0)
        return true;
    if (format->color_range == AVCOL_RANGE_UNSPECIFIED)
        return d->nb_components < 3; // grey pictures are full range by custom
    return format->color_range == AVCOL_RANGE_JPEG;
}

// Unspecified chroma is left of centre, as the MPEG standards since MPEG-2 have it.
static void set_siting(const struct ksr_video_format *format, struct ksr_layout *layout)
{
    const int location = format->chroma_location;
    layout->siting_x = location == AVCHROMA_LOC_CENTER || location == AVCHROMA_LOC_TOP ||
                               location == AVCHROMA_LOC_BOTTOM
                           ? KSR_SITING_CENTRED
                           : KSR_SITING_COSITED;
    layout->siting_y = location == AVCHROMA_LOC_TOPLEFT || location == AVCHROMA_LOC_TOP
                           ? KSR_SITING_COSITED
                           : KSR_SITING_CENTRED;
}

bool ksr_pixels_is_rgb(const struct ksr_video_format *format)
{
    const AVPixFmtDescriptor *d = describe(format);
    return d && is_rgb(d);
}

bool ksr_pixels_layout(const struct ksr_video_format *format, struct ksr_layout *layout, int *bits)
{
    const AVPixFmtDescriptor *d = describe(format);
    if (!supported(d))
        return false;
    *layout = (struct ksr_layout){.width = format->width,
                                  .height = format->height,
                                  .planes = components(d),
                                  .full_range = is_full_range(format)};
    if (!is_rgb(d) && components(d) >= 3) {
        layout->chroma_shift_x = d->log2_chroma_w;
        layout->chroma_shift_y = d->log2_chroma_h;
    }
    if (format->transposed) {
        const int shift = layout->chroma_shift_x;
        layout->chroma_shift_x = layout->chroma_shift_y;
        layout->chroma_shift_y = shift;
    }
    set_siting(format, layout);
    *bits = 8;
    for (int c = 0; c < components(d); c++)
        if (depth(d, c) > *bits)
            *bits = depth(d, c);
    return true;
}

// --- Reading ---

struct ksr_pixel_reader {
    const AVFrame *picture;
    const AVPixFmtDescriptor *desc;
    struct ksr_frame ycc; // RGB only: all of the picture, converted
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
    const int bits = depth(r->desc, component), max = (1 << bits) - 1;
    if (bits < 8)
        for (int x = 0; x < width; x++)
            row[x] = (uint16_t)((row[x] * 255 + max / 2) / max);
}

// A component that is not plain goes through one row of 16-bit codes.
static void read_rows(void *opaque, int i, const struct ksr_plane *dst, int y0, int y1)
{
    const struct ksr_pixel_reader *r = opaque;
    const AVPixFmtDescriptor *d = r->desc;
    const int component = component_of(d, i), bits = depth(d, component);
    if (is_plain(d, component)) {
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

#define BAND 64 // rows of a picture that one thread converts at once

static int band_count(const AVFrame *picture)
{
    return (picture->height + BAND - 1) / BAND;
}

static int band_end(int band, int height)
{
    return (band + 1) * BAND < height ? (band + 1) * BAND : height;
}

static void read_rgb_band(void *arg, int band, int thread)
{
    struct ksr_pixel_reader *r = arg;
    const int y0 = band * BAND, y1 = band_end(band, r->picture->height);
    (void)thread;
    for (int i = 0; i < r->ycc.layout.planes; i++)
        read_rows(r, i, &r->ycc.plane[i], y0, y1);
    ksr_frame_table(ksr_cpu_level())->rgb_to_ycc_rows(&r->ycc, y0, y1);
}

struct ksr_pixel_reader *ksr_pixel_reader_create(void)
{
    return calloc(1, sizeof(struct ksr_pixel_reader));
}

void ksr_pixel_reader_destroy(struct ksr_pixel_reader **reader)
{
    if (!reader || !*reader)
        return;
    ksr_frame_free(&(*reader)->ycc);
    free(*reader);
    *reader = NULL;
}

ksr_status ksr_pixels_read(ksr_context *ctx, struct ksr_pixel_reader *reader,
                           const AVFrame *picture, const struct ksr_layout *layout, ksr_pool *pool,
                           struct ksr_row_source *source)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(picture->format);
    const bool subsampled = d && !is_rgb(d) && components(d) >= 3;
    if (!supported(d) || components(d) != layout->planes || picture->width != layout->width ||
        picture->height != layout->height ||
        (subsampled ? d->log2_chroma_w : 0) != layout->chroma_shift_x ||
        (subsampled ? d->log2_chroma_h : 0) != layout->chroma_shift_y)
        return ksr_fail(ctx, KSR_E_PROCESS, "a frame of %dx%d %s came where one of %dx%d was due",
                        picture->width, picture->height, d ? d->name : "an unknown pixel format",
                        layout->width, layout->height);
    reader->picture = picture;
    reader->desc = d;
    *source = (struct ksr_row_source){read_rows, reader};
    if (!is_rgb(d))
        return KSR_OK;
    if (reader->ycc.buffer && !ksr_layout_equal(&reader->ycc.layout, layout))
        ksr_frame_free(&reader->ycc);
    if (!reader->ycc.buffer && !ksr_frame_alloc(&reader->ycc, layout))
        return ksr_fail_memory(ctx);
    ksr_pool_run(pool, read_rgb_band, reader, band_count(picture));
    *source = ksr_frame_source(&reader->ycc);
    return KSR_OK;
}

// --- Writing ---

// Working frames that are not of the target's kind go through `whole`, the frame as it is packed:
// chroma is resampled on the way in, range or matrix changed in place, band by band.
struct ksr_pixel_writer {
    const AVPixFmtDescriptor *target;
    struct ksr_layout layout; // as packed
    int source_bits;          // depth whose full-range peak the packed samples have
    bool rgb_back;            // the frames are RGB turned into YCbCr: turn them back
    bool dither, to_rgb, new_range;
    struct ksr_matrix matrix;
    bool recode; // to another luma, with full chroma, before all else
    struct ksr_recode recoding;
    ksr_resampler *widener;    // to full chroma
    struct ksr_frame recoded;  // only for that
    ksr_resampler *resampler;  // only where chroma must change
    struct ksr_frame whole;    // only where something must change
    int place[KSR_MAX_PLANES]; // in `whole` of each plane that comes in; -1 = left out
    AVFrame *picture;          // the one in hand
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

// Weights of red and blue in luma. Where the matrix is not said, it goes by size, as in players.
static bool luma_weights(const struct ksr_video_format *f, double *kr, double *kb)
{
    int space = f->color_space;
    if (space == AVCOL_SPC_UNSPECIFIED)
        space = f->width >= 1280 || f->height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    switch (space) {
    case AVCOL_SPC_BT709: *kr = 0.2126, *kb = 0.0722; return true;
    case AVCOL_SPC_FCC: *kr = 0.30, *kb = 0.11; return true;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M: *kr = 0.299, *kb = 0.114; return true;
    case AVCOL_SPC_SMPTE240M: *kr = 0.212, *kb = 0.087; return true;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: *kr = 0.2627, *kb = 0.0593; return true;
    default: return false;
    }
}

void ksr_pixels_weights(const struct ksr_video_format *format, double *kr, double *kb, int *bits)
{
    struct ksr_layout layout;
    const AVPixFmtDescriptor *d = describe(format);
    *kr = *kb = 0;
    if (!ksr_pixels_layout(format, &layout, bits))
        *bits = 8;
    if (d && !is_rgb(d) && !luma_weights(format, kr, kb))
        *kr = *kb = 0;
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
    const AVPixFmtDescriptor *from = describe(source), *to = w->target;
    double kr, kb;
    w->to_rgb = is_rgb(to) && !is_rgb(from);
    w->rgb_back = is_rgb(to) && is_rgb(from);
    w->new_range = !is_rgb(to) && frames->full_range != full_target;
    w->layout.planes = components(to);
    w->layout.chroma_shift_x = is_rgb(to) || components(to) < 3 ? 0 : to->log2_chroma_w;
    w->layout.chroma_shift_y = is_rgb(to) || components(to) < 3 ? 0 : to->log2_chroma_h;
    w->layout.full_range = is_rgb(to) || full_target;
    if (w->to_rgb && luma_weights(source, &kr, &kb))
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
    if (resample)
        w->resampler = ksr_resampler_create(frames, &resampled, NULL);
    return !resample || w->resampler;
}

// Weights of the luma that working frames of a source have.
static bool frame_weights(const struct ksr_video_format *source, double *kr, double *kb)
{
    *kr = 0.2126, *kb = 0.0722; // RGB stands in them as BT.709
    return is_rgb(describe(source)) || luma_weights(source, kr, kb);
}

// Whether frames must be coded by another luma. *frames: their layout from then on.
static bool plan_recoding(struct ksr_pixel_writer *w, const struct ksr_video_format *source,
                          const struct ksr_video_format *color, struct ksr_layout *frames)
{
    double kr, kb, to_kr, to_kb;
    const struct ksr_layout narrow = *frames;
    if (frames->planes < 3 || is_rgb(w->target) || components(w->target) < 3 ||
        !frame_weights(source, &kr, &kb) || !luma_weights(color, &to_kr, &to_kb) ||
        (kr == to_kr && kb == to_kb))
        return true;
    if (!is_rgb(describe(source)) && source->color_space == color->color_space)
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
        set_siting(color, &w->layout);
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

static void write_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_pixel_writer *w = opaque;
    const AVPixFmtDescriptor *d = w->target;
    AVFrame *picture = w->picture;
    const int component = component_of(d, i), bits = depth(d, component);
    const struct ksr_pack_params params = {.source_bits = w->source_bits,
                                           .scale = w->layout.full_range || is_alpha(w, i),
                                           .chroma =
                                               !is_rgb(d) && ksr_layout_is_chroma(&w->layout, i),
                                           .dither = w->dither};
    if (is_plain(d, component)) {
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
    const struct ksr_pixel_writer *w = opaque;
    if (w->place[i] >= 0)
        ksr_plane_copy_rows(&w->whole.plane[w->place[i]], src, y0, y1);
}

// Takes frames in the luma of the target.
static struct ksr_row_sink converter(struct ksr_pixel_writer *writer)
{
    if (writer->resampler)
        return ksr_resampler_sink(writer->resampler);
    return (struct ksr_row_sink){writer->whole.buffer ? collect_rows : write_rows, writer};
}

struct ksr_row_sink ksr_pixels_write(struct ksr_pixel_writer *writer, AVFrame *picture)
{
    const AVPixFmtDescriptor *d = writer->target;
    bool plain = true;
    writer->picture = picture;
    for (int c = 0; c < components(d); c++)
        plain = plain && is_plain(d, c);
    if (!plain)
        clear_picture(d, picture);
    if (writer->widener)
        return ksr_resampler_sink(writer->widener);
    return writer->recode ? (struct ksr_row_sink){gather_rows, writer} : converter(writer);
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
    const struct ksr_row_sink gather = {gather_rows, w}, next = converter(w);
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
    const struct ksr_row_sink whole = {collect_rows, writer};
    if (writer->recode)
        recode(writer, pool);
    if (writer->resampler)
        ksr_resampler_run(writer->resampler, &whole);
    if (writer->whole.buffer)
        ksr_pool_run(pool, convert_band, writer, band_count(writer->picture));
    return KSR_OK;
}

// --- Choosing ---

static bool listed(const enum AVPixelFormat *list, enum AVPixelFormat format)
{
    for (; list && *list != AV_PIX_FMT_NONE; list++)
        if (*list == format)
            return true;
    return !list;
}

// The deprecated yuvj formats are yuv with a range tag.
static enum AVPixelFormat without_j(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUVJ420P: return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P: return AV_PIX_FMT_YUV411P;
    default: return format;
    }
}

// JPEG is full range by definition, which its encoder wants to see in the format.
static enum AVPixelFormat for_jpeg(enum AVPixelFormat format)
{
    switch (format) {
    case AV_PIX_FMT_YUV420P: return AV_PIX_FMT_YUVJ420P;
    case AV_PIX_FMT_YUV422P: return AV_PIX_FMT_YUVJ422P;
    case AV_PIX_FMT_YUV444P: return AV_PIX_FMT_YUVJ444P;
    default: return format;
    }
}

// What a transposed format is as one of planes: where none has its chroma, one that loses nothing.
static enum AVPixelFormat transposed(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format), *to = NULL;
    enum AVPixelFormat full = format;
    if (!d || is_rgb(d) || d->nb_components < 3 || d->log2_chroma_w == d->log2_chroma_h)
        return format;
    while ((to = av_pix_fmt_desc_next(to))) {
        const bool like = to->nb_components == d->nb_components && !is_rgb(to) && writable(to) &&
                          is_plain(to, 0) && is_plain(to, 1) &&
                          to->comp[0].depth == d->comp[0].depth && strncmp(to->name, "yuvj", 4);
        if (like && to->log2_chroma_w == d->log2_chroma_h && to->log2_chroma_h == d->log2_chroma_w)
            return av_pix_fmt_desc_get_id(to);
        if (like && to->log2_chroma_w == 0 && to->log2_chroma_h == 0)
            full = av_pix_fmt_desc_get_id(to);
    }
    return full;
}

// How well a format does for pictures like d; RGB if `rgb` says so. 0: not at all.
static int suits(const AVPixFmtDescriptor *d, const AVPixFmtDescriptor *to, bool rgb)
{
    const bool keeps_colour = has_color(to) || !has_color(d);
    if (!writable(to))
        return 0;
    if (!keeps_colour)
        return 1;
    return !writable_from(to, 8) ? 2 : is_rgb(to) != rgb ? 3 : 4;
}

// The nearest format of a list: one that can be written, in colour, of 8 bits or more, and RGB if
// `rgb` says so, else YCbCr; as far as there is any.
static enum AVPixelFormat nearest(const enum AVPixelFormat *list, enum AVPixelFormat from, bool rgb)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(from);
    for (int least = 4; least > 0; least--) {
        enum AVPixelFormat some[256];
        int count = 0;
        for (const enum AVPixelFormat *f = list; *f != AV_PIX_FMT_NONE && count < 255; f++)
            if (suits(d, av_pix_fmt_desc_get(*f), rgb) >= least)
                some[count++] = *f;
        some[count] = AV_PIX_FMT_NONE;
        if (count > 0)
            return avcodec_find_best_pix_fmt_of_list(some, from, has_alpha(d), NULL);
    }
    return AV_PIX_FMT_NONE;
}

static void warn_loss(ksr_context *ctx, const AVCodec *encoder, enum AVPixelFormat from,
                      enum AVPixelFormat to)
{
    static const struct {
        int bit;
        const char *name;
    } losses[] = {{FF_LOSS_ALPHA, "transparency"},
                  {FF_LOSS_CHROMA, "colour"},
                  {FF_LOSS_DEPTH, "bit depth"},
                  {FF_LOSS_RESOLUTION, "chroma resolution"}};
    const int loss = av_get_pix_fmt_loss(to, from, 1);
    char text[128] = "";
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
        if (loss & losses[i].bit)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? ", " : "",
                     losses[i].name);
    if (is_rgb(av_pix_fmt_desc_get(from)) && !is_rgb(av_pix_fmt_desc_get(to)) &&
        !(loss & FF_LOSS_CHROMA))
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sthe exact RGB",
                 *text ? ", " : "");
    if (*text)
        ksr_log(ctx, KSR_LOG_WARNING, "%s of the input (%s) is lost: %s writes %s", text,
                av_get_pix_fmt_name(from), encoder->name, av_get_pix_fmt_name(to));
}

ksr_status ksr_pixels_check(ksr_context *ctx, const struct ksr_video_format *source,
                            enum AVPixelFormat target)
{
    const AVPixFmtDescriptor *from = describe(source), *to = av_pix_fmt_desc_get(target);
    double kr, kb;
    if (!writable(to))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: '%s' cannot be written", to->name);
    if (is_rgb(to) && !is_rgb(from) && !luma_weights(source, &kr, &kb))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: no conversion from the matrix %s to %s",
                        av_color_space_name((enum AVColorSpace)source->color_space), to->name);
    return KSR_OK;
}

static ksr_status choose_named(ksr_context *ctx, const AVCodec *encoder, const char *wanted,
                               const enum AVPixelFormat *list, enum AVPixelFormat *out)
{
    char guess[KSR_GUESS_TEXT];
    *out = av_get_pix_fmt(wanted);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(*out);
    if (!d || (d->flags & AV_PIX_FMT_FLAG_HWACCEL))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: '%s' is not a pixel format%s", wanted,
                        ksr_guess_pixel_format(wanted, guess));
    if (!listed(list, *out))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: %s does not take '%s'", encoder->name,
                        wanted);
    return KSR_OK;
}

// What Y4M can say.
static const enum AVPixelFormat y4m_formats[] = {
    AV_PIX_FMT_YUV420P,   AV_PIX_FMT_YUV422P,   AV_PIX_FMT_YUV444P,   AV_PIX_FMT_YUV411P,
    AV_PIX_FMT_YUV420P9,  AV_PIX_FMT_YUV422P9,  AV_PIX_FMT_YUV444P9,  AV_PIX_FMT_YUV420P10,
    AV_PIX_FMT_YUV422P10, AV_PIX_FMT_YUV444P10, AV_PIX_FMT_YUV420P12, AV_PIX_FMT_YUV422P12,
    AV_PIX_FMT_YUV444P12, AV_PIX_FMT_YUV420P14, AV_PIX_FMT_YUV422P14, AV_PIX_FMT_YUV444P14,
    AV_PIX_FMT_YUV420P16, AV_PIX_FMT_YUV422P16, AV_PIX_FMT_YUV444P16, AV_PIX_FMT_GRAY8,
    AV_PIX_FMT_GRAY9,     AV_PIX_FMT_GRAY10,    AV_PIX_FMT_GRAY12,    AV_PIX_FMT_GRAY16,
    AV_PIX_FMT_NONE};

ksr_status ksr_pixels_choose(ksr_context *ctx, const AVCodec *encoder, const char *container,
                             const char *wanted, const struct ksr_video_format *source,
                             enum AVPixelFormat *out)
{
    const bool y4m = strcmp(container, "yuv4mpegpipe") == 0 && encoder->id == AV_CODEC_ID_RAWVIDEO;
    const enum AVPixelFormat *list = y4m ? y4m_formats : ksr_av_pixel_formats(encoder);
    const enum AVPixelFormat own = without_j(av_get_pix_fmt(source->pixel_format));
    const enum AVPixelFormat from = source->transposed ? transposed(own) : own;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(from);
    if (strcmp(wanted, "auto") != 0) {
        ksr_status status = choose_named(ctx, encoder, wanted, list, out);
        if (status == KSR_OK)
            status = ksr_pixels_check(ctx, source, *out);
        if (status == KSR_OK)
            warn_loss(ctx, encoder, from, without_j(*out));
        return status;
    }
    const bool is_yuv420 = !is_rgb(d) && d->nb_components >= 3 && d->comp[0].depth == 8 &&
                           d->log2_chroma_w == 1 && d->log2_chroma_h == 1 && !has_alpha(d);
    // Few programs read TIFF of YCbCr.
    const bool wants_rgb = encoder->id == AV_CODEC_ID_TIFF;
    if (is_yuv420 && !wants_rgb && listed(list, AV_PIX_FMT_YUV420P))
        *out = AV_PIX_FMT_YUV420P;
    else if (!list)
        *out = writable(d) ? from : AV_PIX_FMT_GBRAP;
    else
        *out = nearest(list, from, is_rgb(d) || (wants_rgb && has_color(d)));
    if (encoder->id == AV_CODEC_ID_MJPEG || encoder->id == AV_CODEC_ID_LJPEG)
        *out = for_jpeg(*out);
    if (*out == AV_PIX_FMT_NONE)
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: %s takes nothing like '%s'", encoder->name,
                        source->pixel_format);
    const ksr_status status = ksr_pixels_check(ctx, source, *out);
    if (status == KSR_OK)
        warn_loss(ctx, encoder, from, without_j(*out));
    return status;
}

void ksr_pixels_size_steps(const char *own, const char *named, int *step_x, int *step_y)
{
    const char *names[2] = {own, named};
    *step_x = *step_y = 1;
    for (int i = 0; i < 2; i++) {
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(names[i]));
        if (d && 1 << d->log2_chroma_w > *step_x)
            *step_x = 1 << d->log2_chroma_w;
        if (d && 1 << d->log2_chroma_h > *step_y)
            *step_y = 1 << d->log2_chroma_h;
    }
}

void ksr_pixels_target_color(const struct ksr_video_format *source, enum AVPixelFormat target,
                             struct ksr_video_format *out)
{
    const AVPixFmtDescriptor *from = describe(source), *to = av_pix_fmt_desc_get(target);
    *out = *source;
    out->transposed = false;
    if (strncmp(to->name, "yuvj", 4) == 0) {
        out->color_range = AVCOL_RANGE_JPEG;
    } else if (is_rgb(to)) {
        out->color_range = AVCOL_RANGE_JPEG;
        out->color_space = AVCOL_SPC_RGB;
    } else if (is_rgb(from) && to->nb_components >= 3) {
        out->color_range = AVCOL_RANGE_MPEG;
        out->color_space = AVCOL_SPC_BT709;
    } else if (strncmp(describe(source)->name, "yuvj", 4) == 0 || is_full_range(source)) {
        out->color_range = AVCOL_RANGE_JPEG;
    }
}

// Whether a codec's YCbCr is that of BT.601 by definition.
static bool is_bt601(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_LJPEG || codec == AV_CODEC_ID_AMV ||
           codec == AV_CODEC_ID_WEBP || codec == AV_CODEC_ID_THEORA;
}

void ksr_pixels_adapt_matrix(const struct ksr_video_format *source, enum AVCodecID codec, bool told,
                             struct ksr_video_format *out)
{
    const AVPixFmtDescriptor *to = describe(out);
    struct ksr_video_format guessed = *out;
    double kr, kb, to_kr = 0.299, to_kb = 0.114;
    guessed.color_space = AVCOL_SPC_UNSPECIFIED;
    const bool known = frame_weights(source, &kr, &kb);
    if (is_rgb(to) || to->nb_components < 3 || !known)
        return;
    if (!is_bt601(codec) &&
        (told || !is_rgb(describe(source)) || !luma_weights(&guessed, &to_kr, &to_kb)))
        return;
    if (kr != to_kr || kb != to_kb)
        out->color_space = is_bt601(codec) ? AVCOL_SPC_BT470BG : AVCOL_SPC_SMPTE170M;
}

void ksr_pixels_adapt_siting(enum AVCodecID codec, struct ksr_video_format *out)
{
    const AVPixFmtDescriptor *to = describe(out);
    const bool centred = codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_H261 ||
                         codec == AV_CODEC_ID_H263 || codec == AV_CODEC_ID_H263P ||
                         codec == AV_CODEC_ID_SPEEDHQ || codec == AV_CODEC_ID_THEORA;
    if (centred && to->log2_chroma_w > 0)
        out->chroma_location = AVCHROMA_LOC_CENTER;
}
