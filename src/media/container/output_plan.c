// What an output path or the configuration stands for; see output_plan.h.

#include "media/container/output_plan.h"

#include <stdio.h>
#include <string.h>

#include "core/fs.h"
#include "core/image_sequence.h"
#include "media/av/ffmpeg.h"
#include "media/av/suggest.h"
#include "media/container/containers.h"

// Returns the encoder of a container that is made for one codec: GIF, Y4M, raw streams; else NULL.
static const char *only_encoder(const AVOutputFormat *format)
{
    if (format->codec_tag || format->audio_codec != AV_CODEC_ID_NONE ||
        format->video_codec == AV_CODEC_ID_NONE || format->video_codec == AV_CODEC_ID_H264)
        return NULL;
    if (format->video_codec == AV_CODEC_ID_WRAPPED_AVFRAME)
        return "rawvideo";
    const AVCodec *encoder = avcodec_find_encoder(format->video_codec);
    return encoder ? encoder->name : NULL;
}

const char *ksr_output_own_encoder(const AVOutputFormat *format)
{
    const enum AVCodecID expected = (enum AVCodecID)ksr_container_of(format->name)->video;
    const AVCodec *encoder = expected ? avcodec_find_encoder(expected) : NULL;
    return encoder ? encoder->name : only_encoder(format);
}

// The encoder that the extension of an image file stands for; NULL where nothing writes it.
static const AVCodec *image_encoder(const AVOutputFormat *images, const char *path)
{
    const enum AVCodecID id = av_guess_codec(images, NULL, path, NULL, AVMEDIA_TYPE_VIDEO);
    // FFmpeg's first choice for WebP makes one animation of all frames.
    const AVCodec *still = id == AV_CODEC_ID_WEBP ? avcodec_find_encoder_by_name("libwebp") : NULL;
    return still ? still : avcodec_find_encoder(id);
}

ksr_status ksr_output_check_image(ksr_context *ctx, const char *path, const char *name)
{
    const AVCodec *own = image_encoder(av_guess_format("image2", NULL, NULL), path);
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    const bool unknown = !codec || codec->type != AVMEDIA_TYPE_VIDEO; // said elsewhere
    const bool jpeg =
        own && own->id == AV_CODEC_ID_MJPEG && codec && codec->id == AV_CODEC_ID_LJPEG;
    if (unknown || !own || own->id == codec->id || jpeg)
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM,
                    "codec: %s does not go into image files named %s (leave codec out for %s, or "
                    "choose a name for %s)",
                    name, path, own->name, name);
}

ksr_status ksr_output_format(ksr_context *ctx, const char *path,
                             const struct ksr_encoder_config *config, struct ksr_output_plan *out,
                             const char **codec)
{
    const char *format = config->format;
    char guess[KSR_GUESS_TEXT];
    ksr_ffmpeg_init();
    const bool by_name = strcmp(format, KSR_BY_OUTPUT) != 0;
    const AVOutputFormat *found = by_name ? av_guess_format(format, NULL, NULL)
                                          : av_guess_format(NULL, ksr_fs_name(path), NULL);
    const struct ksr_container *labelled = ksr_container_labelled(format);
    if (by_name && !found && labelled)
        found = av_guess_format(labelled->name, NULL, NULL);
    if (by_name && !found)
        return ksr_fail(ctx, KSR_E_PARAM, "format: there is no container '%s'%s", format,
                        ksr_guess_container(format, guess));
    if (!found)
        found = av_guess_format("mp4", NULL, NULL);
    if (found && !by_name && ksr_container_of(found->name)->instead)
        found = av_guess_format(ksr_container_of(found->name)->instead, NULL, NULL);
    if (!found || (found->flags & AVFMT_NOFILE && !ksr_container_of(found->name)->images))
        return ksr_fail(ctx, KSR_E_PARAM, "format: '%s' is not a container for a file",
                        found ? found->name : "mp4");
    snprintf(out->format, sizeof(out->format), "%s", found->name);
    out->image = ksr_container_of(found->name)->images;
    out->sequence = out->image && ksr_sequence_is(path);
    const AVCodec *image = out->image ? image_encoder(found, path) : NULL;
    const char *own = out->image ? (image ? image->name : NULL) : ksr_output_own_encoder(found);
    const bool given = strcmp(config->codec, KSR_BY_OUTPUT) != 0;
    if (!given && out->image && !image)
        return ksr_fail(ctx, KSR_E_PARAM, "codec: there is no encoder for %s", path);
    *codec = given ? config->codec : own ? own : "libx264";
    return KSR_OK;
}

bool ksr_output_global_header(const struct ksr_output_plan *plan)
{
    return (ksr_carry_muxer(plan)->flags & AVFMT_GLOBALHEADER) != 0;
}

const AVOutputFormat *ksr_carry_muxer(const struct ksr_output_plan *plan)
{
    return av_guess_format(plan->format, NULL, NULL);
}
