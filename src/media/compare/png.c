// Frames as PNG; see png.h.

#include "media/compare/png.h"

#include <libavutil/base64.h>
#include <libswscale/swscale.h>
#include <stdlib.h>
#include <string.h>

#include "media/av/ffmpeg.h"
#include "media/input/geometry.h"

// The coefficients that swscale knows a matrix by; unspecified goes by size, as in players.
static const int *coefficients(const struct ksr_video_format *f)
{
    int space = f->color_space;
    if (space == AVCOL_SPC_UNSPECIFIED)
        space = f->width >= 1280 || f->height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
    return sws_getCoefficients(space == AVCOL_SPC_BT470BG ? AVCOL_SPC_SMPTE170M : space);
}

// Returns the picture as RGB, NULL when that does not go.
static AVFrame *to_rgb(const AVFrame *picture, const struct ksr_video_format *terms)
{
    AVFrame *rgb = av_frame_alloc();
    struct SwsContext *sws = sws_getContext(
        picture->width, picture->height, (enum AVPixelFormat)picture->format, picture->width,
        picture->height, AV_PIX_FMT_RGB24,
        SWS_BICUBIC | SWS_FULL_CHR_H_INT | SWS_ACCURATE_RND | SWS_BITEXACT, NULL, NULL, NULL);
    bool ok = rgb && sws;
    if (ok) {
        const bool full = picture->color_range == AVCOL_RANGE_JPEG ||
                          strncmp(terms->pixel_format, "yuvj", 4) == 0;
        sws_setColorspaceDetails(sws, coefficients(terms), full,
                                 sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
        rgb->width = picture->width;
        rgb->height = picture->height;
        rgb->format = AV_PIX_FMT_RGB24;
        ok = av_frame_get_buffer(rgb, 0) >= 0 &&
             sws_scale(sws, (const uint8_t *const *)picture->data, picture->linesize, 0,
                       picture->height, rgb->data, rgb->linesize) == picture->height;
    }
    sws_freeContext(sws);
    if (!ok)
        av_frame_free(&rgb);
    return rgb;
}

static bool to_png(const AVFrame *rgb, AVPacket *packet)
{
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
    AVCodecContext *e = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!e)
        return false;
    e->width = rgb->width;
    e->height = rgb->height;
    e->pix_fmt = AV_PIX_FMT_RGB24;
    e->time_base = (AVRational){1, 25};
    e->thread_count = 1;
    e->flags |= AV_CODEC_FLAG_BITEXACT;
    av_opt_set(e->priv_data, "pred", "mixed", 0);
    const bool ok = avcodec_open2(e, codec, NULL) >= 0 && avcodec_send_frame(e, rgb) >= 0 &&
                    avcodec_receive_packet(e, packet) >= 0;
    avcodec_free_context(&e);
    return ok;
}

static char *to_text(const AVPacket *packet)
{
    static const char start[] = "data:image/png;base64,";
    const size_t size = sizeof(start) + AV_BASE64_SIZE((size_t)packet->size);
    char *text = malloc(size);
    if (!text)
        return NULL;
    memcpy(text, start, sizeof(start));
    char *base64 = text + sizeof(start) - 1;
    if (av_base64_encode(base64, (int)(size - sizeof(start) + 1), packet->data, packet->size))
        return text;
    free(text);
    return NULL;
}

ksr_status ksr_still_encode(ksr_context *ctx, const AVFrame *picture,
                            const struct ksr_video_format *terms,
                            const struct ksr_geometry *geometry, char **out)
{
    *out = NULL;
    AVPacket *packet = av_packet_alloc();
    if (!packet)
        return ksr_fail_memory(ctx);
    AVFrame *rgb = to_rgb(picture, terms);
    ksr_status status = KSR_OK;
    if (rgb && !ksr_geometry_turn_rgb(geometry, rgb))
        status = ksr_fail_memory(ctx);
    else if (!rgb || !to_png(rgb, packet))
        status = ksr_fail(ctx, KSR_E_INPUT, "frames of %s cannot be shown in a report",
                          terms->pixel_format);
    if (status == KSR_OK) {
        *out = to_text(packet);
        if (!*out)
            status = ksr_fail_memory(ctx);
    }
    av_frame_free(&rgb);
    av_packet_free(&packet);
    return status;
}
