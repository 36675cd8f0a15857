// Choosing pixel formats; see pixel_choice.h.

#include "media/av/pixel_choice.h"

#include <stdio.h>
#include <string.h>

#include "media/av/pixel_format.h"
#include "media/av/suggest.h"

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
    if (!d || ksr_pixfmt_is_rgb(d) || d->nb_components < 3 || d->log2_chroma_w == d->log2_chroma_h)
        return format;
    while ((to = av_pix_fmt_desc_next(to))) {
        const bool like = to->nb_components == d->nb_components && !ksr_pixfmt_is_rgb(to) &&
                          ksr_pixfmt_writable(to) && ksr_pixfmt_is_plain(to, 0) &&
                          ksr_pixfmt_is_plain(to, 1) && to->comp[0].depth == d->comp[0].depth &&
                          strncmp(to->name, "yuvj", 4);
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
    const bool keeps_colour = ksr_pixfmt_has_color(to) || !ksr_pixfmt_has_color(d);
    if (!ksr_pixfmt_writable(to))
        return 0;
    if (!keeps_colour)
        return 1;
    return !ksr_pixfmt_writable_from(to, 8) ? 2 : ksr_pixfmt_is_rgb(to) != rgb ? 3 : 4;
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
            return avcodec_find_best_pix_fmt_of_list(some, from, ksr_pixfmt_has_alpha(d), NULL);
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
    if (ksr_pixfmt_is_rgb(av_pix_fmt_desc_get(from)) &&
        !ksr_pixfmt_is_rgb(av_pix_fmt_desc_get(to)) && !(loss & FF_LOSS_CHROMA))
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sthe exact RGB",
                 *text ? ", " : "");
    if (*text)
        ksr_log(ctx, KSR_LOG_WARNING, "%s of the input (%s) is lost: %s writes %s", text,
                av_get_pix_fmt_name(from), encoder->name, av_get_pix_fmt_name(to));
}

ksr_status ksr_pixels_check(ksr_context *ctx, const struct ksr_video_format *source,
                            enum AVPixelFormat target)
{
    const AVPixFmtDescriptor *from = ksr_pixfmt_describe(source), *to = av_pix_fmt_desc_get(target);
    double kr, kb;
    if (!ksr_pixfmt_writable(to))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: '%s' cannot be written", to->name);
    if (ksr_pixfmt_is_rgb(to) && !ksr_pixfmt_is_rgb(from) &&
        !ksr_pixfmt_luma_weights(source, &kr, &kb))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: cannot convert from matrix %s to %s",
                        av_color_space_name((enum AVColorSpace)source->color_space), to->name);
    return KSR_OK;
}

// more, names: formats that the encoder takes beside its list; names may be NULL.
static ksr_status choose_named(ksr_context *ctx, const AVCodec *encoder, const char *wanted,
                               const enum AVPixelFormat *list, const enum AVPixelFormat *more,
                               const char *names, enum AVPixelFormat *out)
{
    char guess[KSR_GUESS_TEXT];
    *out = av_get_pix_fmt(wanted);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(*out);
    if (!d || (d->flags & AV_PIX_FMT_FLAG_HWACCEL))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: '%s' is not a pixel format%s", wanted,
                        ksr_guess_pixel_format(wanted, guess));
    if (!listed(list, *out) && !(names && listed(more, *out)))
        return ksr_fail(ctx, KSR_E_PARAM, "pixel_format: %s does not support '%s'%s%s%s",
                        encoder->name, wanted, names ? " (it takes " : "", names ? names : "",
                        names ? ")" : "");
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

// The formats that a list names, at most 7, as FFmpeg's lists are.
static void read_names(const char *names, enum AVPixelFormat list[8])
{
    int count = 0;
    char name[32];
    for (int used; count < 7 && sscanf(names, " %31s%n", name, &used) == 1; names += used)
        list[count++] = av_get_pix_fmt(name);
    list[count] = AV_PIX_FMT_NONE;
}

ksr_status ksr_pixels_choose(ksr_context *ctx, const AVCodec *encoder, const char *names, bool y4m,
                             const char *wanted, const struct ksr_video_format *source,
                             enum AVPixelFormat *out)
{
    enum AVPixelFormat few[8];
    const enum AVPixelFormat *list =
        y4m && encoder->id == AV_CODEC_ID_RAWVIDEO ? y4m_formats : ksr_av_pixel_formats(encoder);
    const enum AVPixelFormat own = without_j(av_get_pix_fmt(source->pixel_format));
    const enum AVPixelFormat from = source->transposed ? transposed(own) : own;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(from);
    read_names(names ? names : "", few);
    if (strcmp(wanted, "auto") != 0) {
        ksr_status status = choose_named(ctx, encoder, wanted, list, few, names, out);
        if (status == KSR_OK)
            status = ksr_pixels_check(ctx, source, *out);
        if (status == KSR_OK)
            warn_loss(ctx, encoder, from, without_j(*out));
        return status;
    }
    if (names)
        list = few;
    const bool is_yuv420 = !ksr_pixfmt_is_rgb(d) && d->nb_components >= 3 &&
                           d->comp[0].depth == 8 && d->log2_chroma_w == 1 &&
                           d->log2_chroma_h == 1 && !ksr_pixfmt_has_alpha(d);
    // Few programs read TIFF of YCbCr.
    const bool wants_rgb = encoder->id == AV_CODEC_ID_TIFF;
    if (is_yuv420 && !wants_rgb && listed(list, AV_PIX_FMT_YUV420P))
        *out = AV_PIX_FMT_YUV420P;
    else if (!list)
        *out = ksr_pixfmt_writable(d) ? from : AV_PIX_FMT_GBRAP;
    else
        *out = nearest(list, from, ksr_pixfmt_is_rgb(d) || (wants_rgb && ksr_pixfmt_has_color(d)));
    if (encoder->id == AV_CODEC_ID_MJPEG || encoder->id == AV_CODEC_ID_LJPEG)
        *out = for_jpeg(*out);
    if (*out == AV_PIX_FMT_NONE)
        return ksr_fail(ctx, KSR_E_PARAM,
                        "pixel_format: %s does not support '%s' or anything similar", encoder->name,
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
    const AVPixFmtDescriptor *from = ksr_pixfmt_describe(source), *to = av_pix_fmt_desc_get(target);
    *out = *source;
    out->transposed = false;
    if (strncmp(to->name, "yuvj", 4) == 0) {
        out->color_range = AVCOL_RANGE_JPEG;
    } else if (ksr_pixfmt_is_rgb(to)) {
        out->color_range = AVCOL_RANGE_JPEG;
        out->color_space = AVCOL_SPC_RGB;
    } else if (ksr_pixfmt_is_rgb(from) && to->nb_components >= 3) {
        out->color_range = AVCOL_RANGE_MPEG;
        out->color_space = AVCOL_SPC_BT709;
    } else if (strncmp(ksr_pixfmt_describe(source)->name, "yuvj", 4) == 0 ||
               ksr_pixfmt_is_full_range(source)) {
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
    const AVPixFmtDescriptor *to = ksr_pixfmt_describe(out);
    struct ksr_video_format guessed = *out;
    double kr, kb, to_kr = 0.299, to_kb = 0.114;
    guessed.color_space = AVCOL_SPC_UNSPECIFIED;
    const bool known = ksr_pixfmt_frame_weights(source, &kr, &kb);
    if (ksr_pixfmt_is_rgb(to) || to->nb_components < 3 || !known)
        return;
    if (!is_bt601(codec) && (told || !ksr_pixfmt_is_rgb(ksr_pixfmt_describe(source)) ||
                             !ksr_pixfmt_luma_weights(&guessed, &to_kr, &to_kb)))
        return;
    if (kr != to_kr || kb != to_kb)
        out->color_space = is_bt601(codec) ? AVCOL_SPC_BT470BG : AVCOL_SPC_SMPTE170M;
}

void ksr_pixels_adapt_siting(enum AVCodecID codec, struct ksr_video_format *out)
{
    const AVPixFmtDescriptor *to = ksr_pixfmt_describe(out);
    const bool centred = codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_H261 ||
                         codec == AV_CODEC_ID_H263 || codec == AV_CODEC_ID_H263P ||
                         codec == AV_CODEC_ID_SPEEDHQ || codec == AV_CODEC_ID_THEORA;
    if (centred && to->log2_chroma_w > 0)
        out->chroma_location = AVCHROMA_LOC_CENTER;
}
