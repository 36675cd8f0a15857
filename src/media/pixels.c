// Pictures to working frames and back; see pixels.h.

#include "media/pixels.h"

#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/pack.h"
#include "frame/rgb.h"

// --- What a pixel format is ---

static bool is_rgb(const AVPixFmtDescriptor *d)
{
    return (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

static bool has_alpha(const AVPixFmtDescriptor *d)
{
    return (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
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

static bool same_kind(const AVPixFmtDescriptor *a, const AVPixFmtDescriptor *b)
{
    return is_rgb(a) == is_rgb(b) && components(a) == components(b) &&
           (components(a) < 3 ||
            (a->log2_chroma_w == b->log2_chroma_w && a->log2_chroma_h == b->log2_chroma_h));
}

// The plain format of the same kind with at least `bits` per component, the nearest first.
static enum AVPixelFormat plain_format(const AVPixFmtDescriptor *kind, int bits)
{
    enum AVPixelFormat best = AV_PIX_FMT_NONE;
    int best_bits = 17;
    const AVPixFmtDescriptor *d = NULL;
    while ((d = av_pix_fmt_desc_next(d))) {
        bool plain = supported(d) && same_kind(d, kind) && strncmp(d->name, "yuvj", 4) != 0;
        for (int c = 0; plain && c < d->nb_components; c++)
            plain = is_plain(d, c) && d->comp[c].depth == d->comp[0].depth;
        if (plain && d->comp[0].depth >= bits && d->comp[0].depth < best_bits) {
            best = av_pix_fmt_desc_get_id(d);
            best_bits = d->comp[0].depth;
        }
    }
    return best;
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
        ksr_unpack_rows(dst, &code, y0, y1);
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
        ksr_unpack_rows(&line, &code, 0, 1);
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
    ksr_rgb_to_ycc_rows(&r->ycc, y0, y1);
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
    if (!supported(d) || components(d) != layout->planes || picture->width != layout->width ||
        picture->height != layout->height)
        return ksr_fail(ctx, KSR_E_PROCESS, "the picture changes its size or format");
    reader->picture = picture;
    reader->desc = d;
    *source = (struct ksr_row_source){read_rows, reader};
    if (!is_rgb(d))
        return KSR_OK;
    if (!reader->ycc.buffer && !ksr_frame_alloc(&reader->ycc, layout))
        return ksr_fail_memory(ctx);
    ksr_pool_run(pool, read_rgb_band, reader, band_count(picture));
    *source = ksr_frame_source(&reader->ycc);
    return KSR_OK;
}

// --- Writing ---

struct ksr_pixel_writer {
    const AVPixFmtDescriptor *middle; // what is packed: the target, or what swscale takes
    struct ksr_layout layout;
    int source_bits;
    bool rgb, dither;
    struct ksr_frame ycc;    // RGB only: all of the picture, before it is converted
    AVFrame *picture;        // the one in hand
    AVFrame *middle_picture; // only with a scaler
    struct SwsContext *scaler;
};

void ksr_pixel_writer_destroy(struct ksr_pixel_writer **writer)
{
    if (!writer || !*writer)
        return;
    ksr_frame_free(&(*writer)->ycc);
    av_frame_free(&(*writer)->middle_picture);
    sws_freeContext((*writer)->scaler);
    free(*writer);
    *writer = NULL;
}

static ksr_status open_scaler(ksr_context *ctx, struct ksr_pixel_writer *w,
                              const struct ksr_video_format *source, enum AVPixelFormat target)
{
    const AVPixFmtDescriptor *to = av_pix_fmt_desc_get(target);
    const enum AVPixelFormat middle = plain_format(describe(source), to->comp[0].depth);
    w->middle = av_pix_fmt_desc_get(middle);
    w->middle_picture = av_frame_alloc();
    if (!w->middle_picture)
        return ksr_fail_memory(ctx);
    w->middle_picture->format = middle;
    w->middle_picture->width = w->layout.width;
    w->middle_picture->height = w->layout.height;
    if (av_frame_get_buffer(w->middle_picture, 0) < 0)
        return ksr_fail_memory(ctx);
    w->scaler = sws_getContext(
        w->layout.width, w->layout.height, middle, w->layout.width, w->layout.height, target,
        SWS_BICUBIC | SWS_BITEXACT | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP,
        NULL, NULL, NULL);
    if (!w->scaler)
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: no conversion from %s to %s",
                        source->pixel_format, to->name);
    struct ksr_video_format color;
    ksr_pixels_target_color(source, target, &color);
    const int from_space = is_rgb(w->middle) ? color.color_space : source->color_space;
    const int *table =
        sws_getCoefficients(from_space == AVCOL_SPC_UNSPECIFIED ? SWS_CS_DEFAULT : from_space);
    sws_setColorspaceDetails(w->scaler, table, w->layout.full_range, table,
                             color.color_range == AVCOL_RANGE_JPEG, 0, 1 << 16, 1 << 16);
    return KSR_OK;
}

ksr_status ksr_pixel_writer_create(ksr_context *ctx, const struct ksr_video_format *source,
                                   const struct ksr_layout *layout, enum AVPixelFormat target,
                                   bool dither, struct ksr_pixel_writer **out)
{
    struct ksr_pixel_writer *w = calloc(1, sizeof(*w));
    *out = NULL;
    if (!w)
        return ksr_fail_memory(ctx);
    const AVPixFmtDescriptor *from = describe(source), *to = av_pix_fmt_desc_get(target);
    struct ksr_layout unused;
    ksr_status status = KSR_OK;
    ksr_pixels_layout(source, &unused, &w->source_bits);
    w->layout = *layout;
    w->rgb = is_rgb(from);
    w->dither = dither;
    w->middle = to;
    struct ksr_video_format color;
    ksr_pixels_target_color(source, target, &color);
    const bool same_range = is_rgb(from) || components(from) < 3 ||
                            layout->full_range == (color.color_range == AVCOL_RANGE_JPEG);
    if (!supported(to) || !same_kind(from, to) || !same_range || depth(to, 0) < 8 ||
        (to->flags & AV_PIX_FMT_FLAG_PAL))
        status = open_scaler(ctx, w, source, target);
    if (status == KSR_OK && w->rgb && !ksr_frame_alloc(&w->ycc, layout))
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK)
        ksr_pixel_writer_destroy(&w);
    *out = w;
    return status;
}

// Where the packed picture goes: to the target, or to what swscale takes.
static AVFrame *packed_picture(const struct ksr_pixel_writer *w)
{
    return w->scaler ? w->middle_picture : w->picture;
}

static void write_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_pixel_writer *w = opaque;
    const AVPixFmtDescriptor *d = w->middle;
    AVFrame *packed = packed_picture(w);
    const int component = component_of(d, i), bits = depth(d, component);
    const struct ksr_pack_params params = {.source_bits = w->source_bits,
                                           .scale = w->layout.full_range,
                                           .chroma = !w->rgb && ksr_layout_is_chroma(&w->layout, i),
                                           .dither = w->dither};
    if (is_plain(d, component)) {
        const int n = d->comp[component].plane;
        const struct ksr_code_plane code = {packed->data[n], packed->linesize[n], bits};
        ksr_pack_rows(&code, src, &params, y0, y1);
        return;
    }
    // Through a row of 16-bit codes: rows must keep their numbers, which dithering depends on.
    uint16_t codes[65536];
    uint8_t *bytes = (uint8_t *)codes;
    for (int y = y0; y < y1; y++) {
        const struct ksr_code_plane code = {bytes, 0, bits};
        ksr_pack_rows(&code, src, &params, y, y + 1);
        if (bits <= 8)
            for (int x = src->width - 1; x >= 0; x--) { // widen in place, from the end
                const uint8_t value = bytes[x];
                codes[x] = value;
            }
        av_write_image_line2(codes, packed->data, packed->linesize, d, 0, y, component, src->width,
                             sizeof(codes[0]));
    }
}

// av_write_image_line2() adds bits to what is there.
static void clear_picture(const AVPixFmtDescriptor *d, AVFrame *picture)
{
    for (int n = 0; n < av_pix_fmt_count_planes(picture->format); n++) {
        const int shift = n == 1 || n == 2 ? d->log2_chroma_h : 0;
        const int rows = AV_CEIL_RSHIFT(picture->height, shift);
        for (int y = 0; y < rows; y++)
            memset(picture->data[n] + (ptrdiff_t)y * picture->linesize[n], 0,
                   (size_t)abs(picture->linesize[n]));
    }
}

struct ksr_row_sink ksr_pixels_write(struct ksr_pixel_writer *writer, AVFrame *picture)
{
    const AVPixFmtDescriptor *d = writer->middle;
    bool plain = true;
    writer->picture = picture;
    for (int c = 0; c < components(d); c++)
        plain = plain && is_plain(d, c);
    if (!plain)
        clear_picture(d, packed_picture(writer));
    return writer->rgb ? ksr_frame_sink(&writer->ycc) : (struct ksr_row_sink){write_rows, writer};
}

static void write_rgb_band(void *arg, int band, int thread)
{
    struct ksr_pixel_writer *w = arg;
    const int y0 = band * BAND, y1 = band_end(band, w->layout.height);
    (void)thread;
    ksr_rgb_from_ycc_rows(&w->ycc, y0, y1);
    for (int i = 0; i < w->layout.planes; i++)
        write_rows(w, i, &w->ycc.plane[i], y0, y1);
}

ksr_status ksr_pixels_finish(ksr_context *ctx, struct ksr_pixel_writer *writer, ksr_pool *pool)
{
    AVFrame *picture = writer->picture, *packed = packed_picture(writer);
    if (writer->rgb)
        ksr_pool_run(pool, write_rgb_band, writer, band_count(packed));
    if (!writer->scaler)
        return KSR_OK;
    if (sws_scale(writer->scaler, (const uint8_t *const *)packed->data, packed->linesize, 0,
                  packed->height, picture->data, picture->linesize) < 0)
        return ksr_fail(ctx, KSR_E_PROCESS, "the pixel format conversion failed");
    return KSR_OK;
}

// --- Choosing ---

static const enum AVPixelFormat *encoder_formats(const AVCodec *encoder)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *list = NULL;
    avcodec_get_supported_config(NULL, encoder, AV_CODEC_CONFIG_PIX_FORMAT, 0, &list, NULL);
    return list;
#else
    return encoder->pix_fmts;
#endif
}

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

static void warn_loss(ksr_context *ctx, const AVCodec *encoder, enum AVPixelFormat from,
                      enum AVPixelFormat to)
{
    const int loss = av_get_pix_fmt_loss(to, from, 1);
    const char *what = loss & FF_LOSS_ALPHA        ? "transparency"
                       : loss & FF_LOSS_CHROMA     ? "colour"
                       : loss & FF_LOSS_DEPTH      ? "bit depth"
                       : loss & FF_LOSS_RESOLUTION ? "chroma resolution"
                                                   : NULL;
    if (what)
        ksr_log(ctx, KSR_LOG_WARNING, "%s of the input (%s) is lost: %s writes %s", what,
                av_get_pix_fmt_name(from), encoder->name, av_get_pix_fmt_name(to));
}

static ksr_status choose_named(ksr_context *ctx, const AVCodec *encoder, const char *wanted,
                               const enum AVPixelFormat *list, enum AVPixelFormat *out)
{
    *out = av_get_pix_fmt(wanted);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(*out);
    if (!d || (d->flags & AV_PIX_FMT_FLAG_HWACCEL))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: '%s' is not a pixel format", wanted);
    if (!listed(list, *out))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: %s does not take '%s'", encoder->name,
                        wanted);
    return KSR_OK;
}

ksr_status ksr_pixels_choose(ksr_context *ctx, const AVCodec *encoder, const char *wanted,
                             const struct ksr_video_format *source, enum AVPixelFormat *out)
{
    const enum AVPixelFormat *list = encoder_formats(encoder);
    const enum AVPixelFormat from = without_j(av_get_pix_fmt(source->pixel_format));
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(from);
    if (strcmp(wanted, "auto") != 0) {
        const ksr_status status = choose_named(ctx, encoder, wanted, list, out);
        if (status == KSR_OK)
            warn_loss(ctx, encoder, from, without_j(*out));
        return status;
    }
    const bool is_yuv420 = !is_rgb(d) && d->nb_components >= 3 && d->comp[0].depth == 8 &&
                           d->log2_chroma_w == 1 && d->log2_chroma_h == 1 && !has_alpha(d);
    if (is_yuv420 && listed(list, AV_PIX_FMT_YUV420P))
        *out = AV_PIX_FMT_YUV420P;
    else if (!list)
        *out = from;
    else
        *out = avcodec_find_best_pix_fmt_of_list(list, from, has_alpha(d), NULL);
    if (encoder->id == AV_CODEC_ID_MJPEG)
        *out = for_jpeg(*out);
    if (*out == AV_PIX_FMT_NONE)
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: %s takes nothing like '%s'", encoder->name,
                        source->pixel_format);
    warn_loss(ctx, encoder, from, without_j(*out));
    return KSR_OK;
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
