// Facts about containers; see containers.h.

#include "media/container/containers.h"

#include <stdio.h>
#include <string.h>

#include "core/image_sequence.h"
#include "media/av/ffmpeg.h"
#include "media/av/suggest.h"

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

static bool is_program_stream(const char *format)
{
    static const char *const names[] = {"mpeg", "vcd", "svcd", "vob", "dvd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(format, names[i]) == 0)
            return true;
    return false;
}

// In program streams, players expect MPEG-2 (in VCD: MPEG-1).
const char *ksr_output_own_encoder(const AVOutputFormat *format)
{
    const bool vcd = strcmp(format->name, "vcd") == 0;
    const AVCodec *encoder =
        is_program_stream(format->name)
            ? avcodec_find_encoder(vcd ? AV_CODEC_ID_MPEG1VIDEO : AV_CODEC_ID_MPEG2VIDEO)
            : NULL;
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
    const char *slash = strrchr(path, '/');
    const AVOutputFormat *found = by_name ? av_guess_format(format, NULL, NULL)
                                          : av_guess_format(NULL, slash ? slash + 1 : path, NULL);
    if (by_name && !found && strcmp(format, "mkv") == 0)
        found = av_guess_format("matroska", NULL, NULL);
    if (by_name && !found && strcmp(format, "y4m") == 0)
        found = av_guess_format("yuv4mpegpipe", NULL, NULL);
    if (by_name && !found)
        return ksr_fail(ctx, KSR_E_PARAM, "format: there is no container '%s'%s", format,
                        ksr_guess_container(format, guess));
    if (!found)
        found = av_guess_format("mp4", NULL, NULL);
    // FFmpeg does not read animations of WebP, so that is one picture.
    if (found && !by_name && strcmp(found->name, "webp") == 0)
        found = av_guess_format("image2", NULL, NULL);
    if (!found || (found->flags & AVFMT_NOFILE && strcmp(found->name, "image2") != 0))
        return ksr_fail(ctx, KSR_E_PARAM, "format: '%s' is not a container for a file",
                        found ? found->name : "mp4");
    snprintf(out->format, sizeof(out->format), "%s", found->name);
    out->image = strcmp(found->name, "image2") == 0;
    out->sequence = out->image && ksr_sequence_is(path);
    const AVCodec *image = out->image ? image_encoder(found, path) : NULL;
    const char *own = out->image ? (image ? image->name : NULL) : ksr_output_own_encoder(found);
    const bool given = strcmp(config->codec, KSR_BY_OUTPUT) != 0;
    if (!given && out->image && !image)
        return ksr_fail(ctx, KSR_E_PARAM, "codec: nothing here writes %s", path);
    *codec = given ? config->codec : own ? own : "libx264";
    return KSR_OK;
}

bool ksr_output_global_header(const struct ksr_output_plan *plan)
{
    return (ksr_carry_muxer(plan)->flags & AVFMT_GLOBALHEADER) != 0;
}

bool ksr_output_is_raw(const char *format)
{
    const AVOutputFormat *f = av_guess_format(format, NULL, NULL);
    return f && (f->flags & AVFMT_NOTIMESTAMPS) && !f->codec_tag &&
           f->audio_codec == AV_CODEC_ID_NONE && strcmp(format, "image2") != 0;
}

bool ksr_output_counts_frames(const char *format)
{
    return strcmp(format, "avi") == 0 || strcmp(format, "yuv4mpegpipe") == 0 ||
           ksr_output_is_raw(format);
}

// In MPEG-PS, frames that begin in one packet with another have no timestamps.
bool ksr_output_needs_rate(const char *format)
{
    return ksr_output_counts_frames(format) || is_program_stream(format);
}

bool ksr_output_begins_at_zero(const char *format)
{
    return ksr_output_counts_frames(format) || strcmp(format, "gif") == 0 ||
           strcmp(format, "apng") == 0;
}

bool ksr_output_may_shift(const char *format)
{
    static const char *const names[] = {"mpegts", "nut", "flv",  "asf", "mpeg",
                                        "vob",    "dvd", "svcd", "vcd", "mxf"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(format, names[i]) == 0)
            return true;
    return false;
}

bool ksr_output_keeps_aperture(const struct ksr_output_plan *plan)
{
    return strcmp(plan->format, "matroska") == 0 || strcmp(plan->format, "webm") == 0;
}

bool ksr_is_mov(const char *format)
{
    return strcmp(format, "mp4") == 0 || strcmp(format, "mov") == 0;
}

const AVOutputFormat *ksr_carry_muxer(const struct ksr_output_plan *plan)
{
    return av_guess_format(plan->format, NULL, NULL);
}

// Returns the name that people know a container by.
const char *ksr_carry_container(const struct ksr_output_plan *plan)
{
    return strcmp(plan->format, "matroska") == 0 ? "mkv" : plan->format;
}
