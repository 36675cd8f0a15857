// Mistyped names; see suggest.h.

#include "media/av/suggest.h"

#include <libavutil/pixdesc.h>

const char *ksr_guess_encoder(enum AVMediaType type, const char *name, char out[KSR_GUESS_TEXT])
{
    struct ksr_guess guess = {.word = name};
    const AVCodecDescriptor *codec = avcodec_descriptor_get_by_name(name);
    const AVCodec *encoder = codec && codec->type == type ? avcodec_find_encoder(codec->id) : NULL;
    if (encoder)
        guess.best = encoder->name;
    void *place = NULL;
    while (!codec && (encoder = av_codec_iterate(&place)))
        if (av_codec_is_encoder(encoder) && encoder->type == type)
            ksr_guess_consider(&guess, encoder->name);
    return ksr_guess_text(&guess, out);
}

const char *ksr_guess_container(const char *name, char out[KSR_GUESS_TEXT])
{
    struct ksr_guess guess = {.word = name};
    static const char *const usual[] = {"matroska", "mp4", "webm", "mov", "mpegts", "avi"};
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        ksr_guess_consider(&guess, usual[i]);
    void *place = NULL;
    const AVOutputFormat *format;
    while ((format = av_muxer_iterate(&place)))
        ksr_guess_consider(&guess, format->name);
    return ksr_guess_text(&guess, out);
}

const char *ksr_guess_pixel_format(const char *name, char out[KSR_GUESS_TEXT])
{
    struct ksr_guess guess = {.word = name};
    const AVPixFmtDescriptor *format = NULL;
    while ((format = av_pix_fmt_desc_next(format)))
        if (!(format->flags & AV_PIX_FMT_FLAG_HWACCEL))
            ksr_guess_consider(&guess, format->name);
    return ksr_guess_text(&guess, out);
}
