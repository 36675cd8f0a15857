// Tags for video without any; see untagged.h.

#include "media/index/untagged.h"

#include "media/av/pixel_format.h"

// What mpv, VLC and QuickTime take: BT.709 from 1280 columns or more than 576 lines on.
static bool is_hd(int width, int height)
{
    return width >= 1280 || height > 576;
}

// Whether the lines are those of 525-line or 625-line television, or half of them, for which
// players take BT.601's primaries too.
static bool is_525(int height)
{
    return height == 480 || height == 486 || height == 240;
}

static bool is_625(int height)
{
    return height == 576 || height == 288;
}

static void set(int *tag, int unspecified, int value)
{
    *tag = *tag == unspecified || *tag == 0 ? value : *tag;
}

static void set_primaries(struct ksr_video_format *f, bool hd, int height)
{
    if (!hd && !is_525(height) && !is_625(height))
        return;
    set(&f->color_primaries, AVCOL_PRI_UNSPECIFIED,
        hd               ? AVCOL_PRI_BT709
        : is_625(height) ? AVCOL_PRI_BT470BG
                         : AVCOL_PRI_SMPTE170M);
    set(&f->color_transfer, AVCOL_TRC_UNSPECIFIED, hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M);
}

const char *ksr_untagged_settle(struct ksr_film *film, int width, int height, bool matrix_alone)
{
    struct ksr_video_format *f = &film->format;
    struct ksr_layout layout;
    int bits;
    const bool whole = film->geometry.width == 0;
    const int own_width = whole ? f->width : film->geometry.width;
    const int own_height = whole ? f->height : film->geometry.height;
    const bool hd = is_hd(own_width, own_height);
    const bool colour = ksr_pixels_layout(f, &layout, &bits) && layout.planes >= 3;
    if (!colour || ksr_pixels_is_rgb(f) || f->color_space != AVCOL_SPC_UNSPECIFIED ||
        f->color_primaries == AVCOL_PRI_BT2020 ||
        (hd == is_hd(width, height) && hd == is_hd(f->width, f->height)))
        return NULL;
    f->color_space = hd                   ? AVCOL_SPC_BT709
                     : is_625(own_height) ? AVCOL_SPC_BT470BG
                                          : AVCOL_SPC_SMPTE170M;
    if (!matrix_alone)
        set_primaries(f, hd, own_height);
    return av_color_space_name((enum AVColorSpace)f->color_space);
}
