// Pixel formats; see pixel_format.h.

#include "media/av/pixel_format.h"

#include <string.h>

bool ksr_pixfmt_is_rgb(const AVPixFmtDescriptor *d)
{
    return (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

bool ksr_pixfmt_has_alpha(const AVPixFmtDescriptor *d)
{
    return (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

bool ksr_pixfmt_has_color(const AVPixFmtDescriptor *d)
{
    return ksr_pixfmt_is_rgb(d) || d->nb_components >= 3;
}

int ksr_pixfmt_components(const AVPixFmtDescriptor *d)
{
    return d->flags & AV_PIX_FMT_FLAG_PAL ? 4 : d->nb_components;
}

int ksr_pixfmt_depth(const AVPixFmtDescriptor *d, int component)
{
    return d->flags & AV_PIX_FMT_FLAG_PAL ? 8 : d->comp[component].depth;
}

bool ksr_pixfmt_supported(const AVPixFmtDescriptor *d)
{
    const uint64_t refused =
        AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER;
    if (!d || (d->flags & refused) || d->nb_components < 1 || d->log2_chroma_w > 2 ||
        d->log2_chroma_h > 2 || strncmp(d->name, "xyz", 3) == 0)
        return false;
    for (int c = 0; c < ksr_pixfmt_components(d); c++)
        if (ksr_pixfmt_depth(d, c) > 16)
            return false;
    return true;
}

bool ksr_pixfmt_is_plain(const AVPixFmtDescriptor *d, int component)
{
    const AVComponentDescriptor *c = &d->comp[component];
    const bool wide = c->depth > 8;
    if (d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM))
        return false;
    if (wide && ((d->flags & AV_PIX_FMT_FLAG_BE) != 0) != (AV_HAVE_BIGENDIAN != 0))
        return false;
    return c->depth >= 8 && c->step == (wide ? 2 : 1) && c->shift == 0 && c->offset == 0;
}

int ksr_pixfmt_component_of(const AVPixFmtDescriptor *d, int plane)
{
    static const int rgb[4] = {1, 2, 0, 3};
    return ksr_pixfmt_is_rgb(d) ? rgb[plane] : plane;
}

bool ksr_pixfmt_writable_from(const AVPixFmtDescriptor *d, int least)
{
    bool ok = ksr_pixfmt_supported(d) && !(d->flags & AV_PIX_FMT_FLAG_PAL);
    for (int c = 0; ok && c < d->nb_components; c++)
        ok = d->comp[c].depth >= least;
    return ok;
}

bool ksr_pixfmt_writable(const AVPixFmtDescriptor *d)
{
    return ksr_pixfmt_writable_from(
        d, ksr_pixfmt_is_rgb(d) && !(d->flags & AV_PIX_FMT_FLAG_BITSTREAM) ? 2 : 8);
}

enum AVPixelFormat ksr_pixels_carrier(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!ksr_pixfmt_supported(d) || ksr_pixfmt_writable_from(d, 8))
        return ksr_pixfmt_supported(d) ? format : AV_PIX_FMT_NONE;
    if (!ksr_pixfmt_is_rgb(d))
        return ksr_pixfmt_has_alpha(d) ? AV_PIX_FMT_YA8
               : d->nb_components < 3  ? AV_PIX_FMT_GRAY8
                                       : AV_PIX_FMT_NONE;
    return ksr_pixfmt_components(d) == 4 ? AV_PIX_FMT_GBRAP : AV_PIX_FMT_GBRP;
}

const AVPixFmtDescriptor *ksr_pixfmt_describe(const struct ksr_video_format *format)
{
    return av_pix_fmt_desc_get(av_get_pix_fmt(format->pixel_format));
}

bool ksr_pixfmt_is_full_range(const struct ksr_video_format *format)
{
    const AVPixFmtDescriptor *d = ksr_pixfmt_describe(format);
    if (ksr_pixfmt_is_rgb(d) || strncmp(d->name, "yuvj", 4) == 0)
        return true;
    if (format->color_range == AVCOL_RANGE_UNSPECIFIED)
        return d->nb_components < 3; // grey pictures are full range by custom
    return format->color_range == AVCOL_RANGE_JPEG;
}

void ksr_pixels_siting(const struct ksr_video_format *format, struct ksr_layout *layout)
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
    const AVPixFmtDescriptor *d = ksr_pixfmt_describe(format);
    return d && ksr_pixfmt_is_rgb(d);
}

bool ksr_pixels_layout(const struct ksr_video_format *format, struct ksr_layout *layout, int *bits)
{
    const AVPixFmtDescriptor *d = ksr_pixfmt_describe(format);
    if (!ksr_pixfmt_supported(d))
        return false;
    *layout = (struct ksr_layout){.width = format->width,
                                  .height = format->height,
                                  .planes = ksr_pixfmt_components(d),
                                  .full_range = ksr_pixfmt_is_full_range(format)};
    if (!ksr_pixfmt_is_rgb(d) && ksr_pixfmt_components(d) >= 3) {
        layout->chroma_shift_x = d->log2_chroma_w;
        layout->chroma_shift_y = d->log2_chroma_h;
    }
    if (format->transposed) {
        const int shift = layout->chroma_shift_x;
        layout->chroma_shift_x = layout->chroma_shift_y;
        layout->chroma_shift_y = shift;
    }
    ksr_pixels_siting(format, layout);
    *bits = 8;
    for (int c = 0; c < ksr_pixfmt_components(d); c++)
        if (ksr_pixfmt_depth(d, c) > *bits)
            *bits = ksr_pixfmt_depth(d, c);
    return true;
}

bool ksr_pixfmt_luma_weights(const struct ksr_video_format *f, double *kr, double *kb)
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
    const AVPixFmtDescriptor *d = ksr_pixfmt_describe(format);
    *kr = *kb = 0;
    if (!ksr_pixels_layout(format, &layout, bits))
        *bits = 8;
    if (d && !ksr_pixfmt_is_rgb(d) && !ksr_pixfmt_luma_weights(format, kr, kb))
        *kr = *kb = 0;
}

bool ksr_pixfmt_frame_weights(const struct ksr_video_format *source, double *kr, double *kb)
{
    *kr = 0.2126, *kb = 0.0722; // RGB stands in them as BT.709
    return ksr_pixfmt_is_rgb(ksr_pixfmt_describe(source)) ||
           ksr_pixfmt_luma_weights(source, kr, kb);
}

bool ksr_pixfmt_raw(const AVPixFmtDescriptor *d, const AVFrame *picture, struct ksr_raw_frame *out)
{
    const bool foreign = ((d->flags & AV_PIX_FMT_FLAG_BE) != 0) != (AV_HAVE_BIGENDIAN != 0);
    int used[KSR_MAX_PLANES] = {0}; // bytes of a step
    if (d->flags & (AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_PAL))
        return false;
    for (int i = 0; i < d->nb_components; i++) {
        const AVComponentDescriptor *from = &d->comp[ksr_pixfmt_component_of(d, i)];
        const int bytes = from->depth + from->shift > 8 ? 2 : 1;
        if (from->depth < 8 || (bytes == 1) != (from->depth == 8) || (bytes == 2 && foreign) ||
            from->offset % bytes != 0 || from->step % bytes != 0)
            return false;
        used[from->plane] += bytes;
        out->plane[i] = (struct ksr_raw_plane){.data = picture->data[from->plane] + from->offset,
                                               .stride = picture->linesize[from->plane],
                                               .step = from->step,
                                               .bytes = bytes,
                                               .bits = from->depth,
                                               .shift = from->shift};
    }
    out->rgb = ksr_pixfmt_is_rgb(d);
    bool ok = true;
    for (int c = 0; c < d->nb_components; c++)
        ok = ok && used[d->comp[c].plane] == d->comp[c].step;
    return ok;
}
