// What goes along with the video, and into which container; see output.h.

#include <stdlib.h>
#include <string.h>

#include "core/sequence.h"
#include "media/audio.h"
#include "media/ffmpeg.h"
#include "media/input.h"
#include "media/metadata.h"
#include "media/names.h"
#include "media/output.h"
#include "media/text.h"
#include "media/trial.h"

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

ksr_status ksr_output_format(ksr_context *ctx, const char *path, const char *format,
                             struct ksr_output_plan *out, const char **image_codec)
{
    char guess[KSR_GUESS_TEXT];
    ksr_ffmpeg_init();
    *image_codec = NULL;
    const bool by_name = strcmp(format, "auto") != 0;
    const char *slash = strrchr(path, '/');
    const AVOutputFormat *found = by_name ? av_guess_format(format, NULL, NULL)
                                          : av_guess_format(NULL, slash ? slash + 1 : path, NULL);
    if (by_name && !found && strcmp(format, "mkv") == 0)
        found = av_guess_format("matroska", NULL, NULL);
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
    if (!out->image) {
        *image_codec = only_encoder(found);
        return KSR_OK;
    }
    const enum AVCodecID id = av_guess_codec(found, NULL, path, NULL, AVMEDIA_TYPE_VIDEO);
    // FFmpeg's first choice for WebP makes one animation of all frames.
    const AVCodec *still = id == AV_CODEC_ID_WEBP ? avcodec_find_encoder_by_name("libwebp") : NULL;
    const AVCodec *encoder = still ? still : avcodec_find_encoder(id);
    if (!encoder)
        return ksr_fail(ctx, KSR_E_PARAM, "codec: nothing here writes %s", path);
    *image_codec = encoder->name;
    return KSR_OK;
}

static const AVOutputFormat *muxer(const struct ksr_output_plan *plan)
{
    return av_guess_format(plan->format, NULL, NULL);
}

bool ksr_output_global_header(const struct ksr_output_plan *plan)
{
    return (muxer(plan)->flags & AVFMT_GLOBALHEADER) != 0;
}

// The name that people know a container by.
static const char *container_name(const struct ksr_output_plan *plan)
{
    return strcmp(plan->format, "matroska") == 0 ? "mkv" : plan->format;
}

static const char *kind_of(const AVStream *stream)
{
    if (ksr_stream_is_cover(stream))
        return "cover picture";
    const char *kind = av_get_media_type_string(stream->codecpar->codec_type);
    return kind ? kind : "unknown";
}

// Ends a warning with what to do about it.
static const char *mkv_would(const struct ksr_output_plan *plan)
{
    return strcmp(plan->format, "matroska") == 0 ? "" : "; mkv would";
}

struct decision {
    ksr_context *ctx;
    const char *input_path;
    const struct ksr_film *film;
    const struct ksr_processor_config *config;
    const struct ksr_encoder_settings *encoder;
    struct ksr_output_plan *plan;
    const AVFormatContext *input;
};

// Whether the container takes these streams, as the header of a trial says.
static ksr_status try_header(const struct decision *d, const struct ksr_output_plan *plan,
                             bool *yes)
{
    ksr_output *trial = NULL;
    const ksr_status status =
        ksr_output_open(d->ctx, NULL, d->input_path, d->film, d->encoder, plan, &trial);
    ksr_output_close(&trial);
    *yes = status == KSR_OK;
    return status == KSR_E_OUTPUT ? KSR_OK : status;
}

// Sound that begins so little before the picture is what an encoder puts before its first sample
// (AAC: up to 2112 samples), and Matroska does not tell.
#define PRIMING_MS 50

// Whether the container holds this stream carried this way; says what it loses.
static ksr_status holds(const struct decision *d, const AVStream *stream, enum ksr_carry carry,
                        enum AVCodecID codec, bool *yes)
{
    struct ksr_output_plan *plan = d->plan;
    const enum ksr_carry before = plan->carry[stream->index];
    struct ksr_trial trial;
    *yes = false;
    // Attachments go by their type, not by a codec.
    const bool attachment = stream->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT;
    if (!attachment && (codec == AV_CODEC_ID_NONE ||
                        avformat_query_codec(muxer(plan), codec, FF_COMPLIANCE_EXPERIMENTAL) == 0))
        return KSR_OK;
    plan->carry[stream->index] = carry;
    const ksr_status status =
        ksr_trial_run(d->ctx, d->input_path, d->film, d->encoder, plan, stream->index, &trial);
    *yes = status == KSR_OK && trial.held;
    if (!*yes)
        plan->carry[stream->index] = before;
    if (*yes && trial.changed[0])
        ksr_log(d->ctx, KSR_LOG_WARNING, "audio stream %d: encoding with %s changes its %s",
                stream->index, plan->audio_codec, trial.changed);
    if (*yes && trial.early_ms >= PRIMING_MS && !d->film->cut)
        ksr_log(
            d->ctx, KSR_LOG_WARNING,
            "audio stream %d begins %.0f ms before the picture, which %s cannot hold: that much "
            "is cut off%s",
            stream->index, trial.early_ms, container_name(plan), mkv_would(plan));
    if (*yes && trial.lost[0])
        ksr_log(d->ctx, KSR_LOG_WARNING, "%s stream %d: %s does not keep its %s%s", kind_of(stream),
                stream->index, container_name(plan), trial.lost, mkv_would(plan));
    return status;
}

// Reads the audio encoder of the configuration.
static ksr_status choose_audio_codec(const struct decision *d)
{
    const struct ksr_encoder_config *config = &d->config->encoder;
    const AVCodec *codec = avcodec_find_encoder_by_name(config->audio_codec);
    struct ksr_output_plan *plan = d->plan;
    char guess[KSR_GUESS_TEXT];
    if (!codec || codec->type != AVMEDIA_TYPE_AUDIO)
        return ksr_fail(d->ctx, KSR_E_PARAM, "audio_codec: there is no audio encoder '%s'%s",
                        config->audio_codec,
                        ksr_guess_encoder(AVMEDIA_TYPE_AUDIO, config->audio_codec, guess));
    if (!ksr_parse_bit_rate(config->audio_bitrate, &plan->audio_bit_rate))
        return ksr_fail(d->ctx, KSR_E_PARAM, "audio_bitrate: '%s' is not valid (such as 192k)",
                        config->audio_bitrate);
    snprintf(plan->audio_codec, sizeof(plan->audio_codec), "%s", codec->name);
    return KSR_OK;
}

// Whether an encoder takes the sound of a stream at all.
static ksr_status takes(const struct decision *d, const AVStream *stream, const AVCodec *codec,
                        bool *yes)
{
    ksr_audio *audio = NULL;
    const ksr_status status = ksr_audio_open(NULL, stream, codec->name, d->plan->audio_bit_rate,
                                             ksr_output_global_header(d->plan), false, &audio);
    ksr_audio_close(&audio);
    *yes = status != KSR_E_PARAM;
    return status == KSR_E_NOMEM ? ksr_fail_memory(d->ctx) : KSR_OK;
}

// Whether any sound is recorded in more than 16 bits.
static bool is_deep(const AVFormatContext *input)
{
    for (unsigned i = 0; i < input->nb_streams; i++) {
        const AVCodecParameters *p = input->streams[i]->codecpar;
        const int bits = av_get_exact_bits_per_sample(p->codec_id);
        if (p->codec_type == AVMEDIA_TYPE_AUDIO && (bits > 16 || p->bits_per_raw_sample > 16))
            return true;
    }
    return false;
}

// The configured encoder; where only the default is in the way, another that the container holds.
static ksr_status encode_audio(const struct decision *d, const AVStream *stream, const char *why)
{
    const AVCodec *own = avcodec_find_encoder(muxer(d->plan)->audio_codec);
    const char *const others[] = {"libopus", "libvorbis", "flac",
                                  is_deep(d->input) ? "pcm_s24le" : "pcm_s16le",
                                  own ? own->name : "mp2"};
    struct ksr_output_plan *plan = d->plan;
    const char *configured = d->config->encoder.audio_codec;
    const bool is_default = strcmp(configured, ksr_encoder_config_default().audio_codec) == 0;
    const size_t count = is_default ? sizeof(others) / sizeof(others[0]) : 0;
    const bool damaged = d->film->corrupt[stream->index] || d->film->falling[stream->index];
    bool yes = false;
    const AVCodec *codec = avcodec_find_encoder_by_name(plan->audio_codec);
    bool able = true;
    ksr_status status = is_default ? takes(d, stream, codec, &able) : KSR_OK;
    if (status == KSR_OK && able)
        status = holds(d, stream, KSR_CARRY_ENCODE, codec->id, &yes);
    for (size_t i = 0; status == KSR_OK && !yes && i < count; i++) {
        codec = avcodec_find_encoder_by_name(others[i]);
        able = false;
        status = codec ? takes(d, stream, codec, &able) : KSR_OK;
        if (status != KSR_OK || !able)
            continue;
        snprintf(plan->audio_codec, sizeof(plan->audio_codec), "%s", codec->name);
        status = holds(d, stream, KSR_CARRY_ENCODE, codec->id, &yes);
    }
    if (status != KSR_OK)
        return status;
    if (!yes)
        return ksr_fail(d->ctx, KSR_E_PARAM, "audio_codec: %s cannot hold audio of %s",
                        container_name(plan), configured);
    if (why)
        ksr_log(d->ctx, KSR_LOG_WARNING, "audio stream %d (%s) %s: it is encoded anew with %s%s",
                stream->index, avcodec_get_name(stream->codecpar->codec_id), why, plan->audio_codec,
                damaged || strcmp(plan->format, "matroska") == 0 ? "" : "; mkv would keep it");
    return KSR_OK;
}

// The container that would keep what a stream says; NULL where none is known.
static const char *keeper_of(const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const bool data = p->codec_type == AVMEDIA_TYPE_DATA;
    if (p->codec_type == AVMEDIA_TYPE_ATTACHMENT || ksr_stream_is_cover(stream) ||
        ksr_text_is(p->codec_id))
        return "mkv";
    if (p->codec_tag == MKTAG('t', 'm', 'c', 'd'))
        return "mov";
    // Of the codecs that a transport stream holds, FFmpeg has no list.
    if (p->codec_id == AV_CODEC_ID_SMPTE_KLV || p->codec_id == AV_CODEC_ID_TIMED_ID3 ||
        p->codec_id == AV_CODEC_ID_DVB_TELETEXT)
        return "mpegts";
    static const char *const names[][2] = {{"mkv", "matroska"}, {"mov", "mov"}};
    for (size_t i = data; p->codec_id != AV_CODEC_ID_NONE && i < 2; i++)
        if (avformat_query_codec(av_guess_format(names[i][1], NULL, NULL), p->codec_id,
                                 FF_COMPLIANCE_EXPERIMENTAL) == 1)
            return names[i][0];
    return NULL;
}

// Whether the output says by itself what a stream of the input says: MP4 shows chapters' titles and
// the time code as data streams, and writes them anew from chapters and tags.
static bool is_made_anew(const struct decision *d, const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const char *format = d->plan->format;
    const bool matroska = strcmp(format, "matroska") == 0 || strcmp(format, "webm") == 0;
    if (p->codec_id == AV_CODEC_ID_BIN_DATA && p->codec_tag == MKTAG('t', 'e', 'x', 't'))
        return true;
    return p->codec_tag == MKTAG('t', 'm', 'c', 'd') && !d->film->cut &&
           av_dict_get(stream->metadata, "timecode", NULL, 0) &&
           (ksr_is_mov(format) || (matroska && d->plan->keep_tags));
}

// What people know a stream by that is left out.
static const char *label_of(const AVStream *stream, bool time_code)
{
    const AVCodecParameters *p = stream->codecpar;
    const AVDictionaryEntry *file = av_dict_get(stream->metadata, "filename", NULL, 0);
    if (p->codec_type == AVMEDIA_TYPE_ATTACHMENT && file)
        return file->value;
    return time_code ? "time code" : avcodec_get_name(p->codec_id);
}

static ksr_status drop(const struct decision *d, const AVStream *stream)
{
    const char *keeper = keeper_of(stream), *here = container_name(d->plan);
    const AVCodecParameters *p = stream->codecpar;
    const bool time_code = p->codec_tag == MKTAG('t', 'm', 'c', 'd');
    d->plan->carry[stream->index] = KSR_CARRY_DROP;
    if (is_made_anew(d, stream))
        return KSR_OK;
    const bool better = keeper && strcmp(keeper, here) != 0 && !(time_code && d->film->cut);
    ksr_log(d->ctx, KSR_LOG_WARNING, "%s stream %d (%s) cannot be held by %s and is left out%s%s%s",
            kind_of(stream), stream->index, label_of(stream, time_code), here, better ? "; " : "",
            better ? keeper : "", better ? " would keep it" : "");
    return KSR_OK;
}

// Tries the other forms of text, the plainest first.
static ksr_status convert_text(const struct decision *d, const AVStream *stream, bool *yes)
{
    static const char *const forms[] = {"subrip", "webvtt", "mov_text", "ass"};
    struct ksr_output_plan *plan = d->plan;
    char *form = plan->text_codec[stream->index];
    ksr_status status = KSR_OK;
    *yes = false;
    for (size_t i = 0; status == KSR_OK && !*yes && i < sizeof(forms) / sizeof(forms[0]); i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(forms[i]);
        bool lossless = false;
        if (!codec || codec->id == stream->codecpar->codec_id ||
            avformat_query_codec(muxer(plan), codec->id, FF_COMPLIANCE_EXPERIMENTAL) == 0)
            continue;
        status = ksr_text_lossless(d->ctx, d->input_path, stream->index, forms[i], &lossless);
        if (status != KSR_OK || !lossless)
            continue;
        snprintf(form, sizeof(plan->text_codec[0]), "%s", forms[i]);
        status = holds(d, stream, KSR_CARRY_CONVERT, codec->id, yes);
    }
    if (*yes)
        ksr_log(d->ctx, KSR_LOG_INFO, "subtitle stream %d: %s becomes %s, which loses nothing",
                stream->index, avcodec_get_name(stream->codecpar->codec_id), form);
    else
        form[0] = 0;
    return status;
}

// Says of an audio stream that some of its timestamps are not taken at their word.
static void warn_of_jumps(const struct decision *d, const AVStream *stream)
{
    const struct ksr_film *film = d->film;
    long long back = 0, dropped = 0;
    for (size_t i = 0; i < film->jump_count; i++) {
        const struct ksr_film_jump *jump = &film->jumps[i];
        const bool ours = jump->stream == stream->index;
        back += ours && jump->back && !jump->drop ? jump->count : 0;
        dropped += ours && jump->drop ? jump->count : 0;
    }
    if (back > 0)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d: times of %lld packet%s jump and come back: repaired",
                stream->index, back, back == 1 ? "" : "s");
    if (dropped > 0)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d: %lld packet%s left out, as what follows overlaps %s",
                stream->index, dropped, dropped == 1 ? " is" : "s are",
                dropped == 1 ? "it" : "them");
    if (film->falling[stream->index] && !d->config->audio_passthrough)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d has times that fall, so that some sound overlaps and is cut",
                stream->index);
}

// Whether the container is made for video alone: GIF, Y4M, raw streams.
static bool is_silent(const struct ksr_output_plan *plan)
{
    const AVOutputFormat *format = muxer(plan);
    return !format->codec_tag && format->audio_codec == AV_CODEC_ID_NONE;
}

static ksr_status decide_stream(const struct decision *d, const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const bool audio = p->codec_type == AVMEDIA_TYPE_AUDIO;
    if (d->plan->image) {
        d->plan->carry[stream->index] = KSR_CARRY_DROP;
        return KSR_OK;
    }
    if (is_silent(d->plan))
        return drop(d, stream);
    if (audio)
        warn_of_jumps(d, stream);
    if (audio && !d->config->audio_passthrough)
        return encode_audio(d, stream, NULL);
    if (audio && d->film->corrupt[stream->index])
        return encode_audio(d, stream, "has damaged packets");
    if (audio && d->film->falling[stream->index])
        return encode_audio(d, stream,
                            "has times that fall, so that some sound overlaps and is cut");
    bool yes, steady = true;
    ksr_status status = KSR_OK;
    if (audio && strcmp(d->plan->format, "avi") == 0 &&
        av_get_exact_bits_per_sample(p->codec_id) > 0)
        status = ksr_trial_steady(d->ctx, d->input_path, d->film, stream->index, &steady);
    if (status == KSR_OK && !steady)
        return encode_audio(d, stream, "has holes, which this container cannot hold");
    if (status == KSR_OK)
        status = holds(d, stream, KSR_CARRY_COPY, p->codec_id, &yes);
    if (status == KSR_OK && !yes && audio)
        return encode_audio(d, stream, "cannot be held by this container");
    if (status == KSR_OK && !yes && ksr_text_is(p->codec_id))
        status = convert_text(d, stream, &yes);
    if (status != KSR_OK)
        return status;
    if (!yes)
        return drop(d, stream);
    if (p->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(stream))
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "video stream %d is copied as it is: only stream %d is "
                "upscaled",
                stream->index, d->film->stream);
    return KSR_OK;
}

static void warn_of_chapters(const struct decision *d, const AVFormatContext *input)
{
    static const char *const without[] = {"mpegts", "avi", "flv", "mpeg", "vob", "dvd", "svcd"};
    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]) && input->nb_chapters > 0; i++)
        if (strcmp(d->plan->format, without[i]) == 0)
            ksr_log(d->ctx, KSR_LOG_WARNING,
                    "%u chapters cannot be held by %s; mkv would keep them", input->nb_chapters,
                    without[i]);
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

bool ksr_output_begins_at_zero(const char *format)
{
    return ksr_output_counts_frames(format) || strcmp(format, "gif") == 0 ||
           strcmp(format, "apng") == 0;
}

// Without timestamps, frame n is shown at n / rate.
static ksr_status check_grid(const struct decision *d)
{
    const struct ksr_film *film = d->film;
    const struct ksr_rational rate = film->format.frame_rate;
    if (!ksr_output_counts_frames(d->plan->format) || rate.num <= 0 || rate.den <= 0)
        return KSR_OK;
    const size_t i = ksr_film_irregular(film, rate);
    if (i < film->frame_count)
        return ksr_fail(d->ctx, KSR_E_PARAM,
                        "format: %s cannot hold a frame rate that varies (frame %zu at %.3f s); "
                        "mkv would",
                        container_name(d->plan), i, ksr_film_seconds(film, film->frames[i].time));
    return KSR_OK;
}

static ksr_status decide_streams(struct decision *d, const AVFormatContext *input)
{
    ksr_status status = KSR_OK;
    d->input = input;
    for (int i = 0; i < d->plan->stream_count; i++)
        d->plan->carry[i] = i == d->film->stream ? KSR_CARRY_VIDEO : KSR_CARRY_DROP;
    for (int i = 0; status == KSR_OK && i < d->plan->stream_count; i++)
        if (i != d->film->stream)
            status = decide_stream(d, input->streams[i]);
    return status;
}

ksr_status ksr_carry_guess(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                           const char *output_path, struct ksr_output_plan *plan)
{
    struct ksr_input input;
    const char *image_codec;
    struct ksr_processor_config config = ksr_processor_config_default();
    struct decision d = {NULL, input_path, film, &config, NULL, plan, NULL};
    memset(plan, 0, sizeof(*plan));
    ksr_status status = ksr_output_format(ctx, output_path, "auto", plan, &image_codec);
    if (status != KSR_OK || film->stream_count > KSR_MAX_STREAMS)
        return status;
    plan->stream_count = film->stream_count;
    status = choose_audio_codec(&d);
    if (status == KSR_OK)
        status = ksr_input_open(ctx, input_path, true, &input);
    if (status == KSR_OK) {
        status = decide_streams(&d, input.format);
        ksr_input_close(&input);
        if (status == KSR_E_NOMEM)
            ksr_fail_memory(ctx);
    }
    return status == KSR_E_PARAM ? KSR_OK : status; // streams that nobody could carry are left out
}

// The encoder to type instead of one that a container does not take.
static const char *other_encoder(const struct ksr_output_plan *plan, char text[96])
{
    static const char *const names[] = {"libx264", "libx265", "libvpx-vp9", "libvpx", "libtheora",
                                        "mpeg2video", "ffv1"};
    const char *own = only_encoder(muxer(plan));
    text[0] = 0;
    for (size_t i = 0; !own && i < sizeof(names) / sizeof(names[0]); i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(names[i]);
        if (codec && avformat_query_codec(muxer(plan), codec->id, FF_COMPLIANCE_NORMAL) == 1)
            own = names[i];
    }
    if (own)
        snprintf(text, 96, " (--codec %s)", own);
    return text;
}

// Whether the container takes the video, by what FFmpeg says and by the header of a trial.
static ksr_status check_video(const struct decision *d)
{
    struct ksr_output_plan *plan = d->plan;
    const AVCodec *codec = avcodec_find_encoder_by_name(d->encoder->codec);
    char other[96];
    bool yes = avformat_query_codec(muxer(plan), codec->id, FF_COMPLIANCE_NORMAL) != 0;
    for (int i = 0; i < plan->stream_count; i++)
        plan->carry[i] = i == d->film->stream ? KSR_CARRY_VIDEO : KSR_CARRY_DROP;
    const ksr_status status = yes ? try_header(d, plan, &yes) : KSR_OK;
    if (status != KSR_OK || yes)
        return status;
    return ksr_fail(d->ctx, KSR_E_PARAM, "format: %s cannot hold video of %s%s",
                    container_name(plan), d->encoder->codec, other_encoder(plan, other));
}

ksr_status ksr_carry_decide(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_processor_config *config,
                            const struct ksr_encoder_settings *encoder,
                            struct ksr_output_plan *plan)
{
    struct ksr_input input;
    struct decision d = {ctx, input_path, film, config, encoder, plan, NULL};
    plan->keep_tags = config->preserve_metadata;
    plan->stream_count = film->stream_count;
    if (film->stream_count > KSR_MAX_STREAMS)
        return ksr_fail(ctx, KSR_E_INPUT, "more than %d streams", KSR_MAX_STREAMS);
    ksr_status status = choose_audio_codec(&d);
    if (status == KSR_OK)
        status = check_grid(&d);
    if (status == KSR_OK && !plan->image)
        status = check_video(&d);
    if (status != KSR_OK)
        return status;
    status = ksr_input_open(ctx, input_path, true, &input);
    if (status == KSR_OK)
        status = decide_streams(&d, input.format);
    if (status == KSR_OK)
        warn_of_chapters(&d, input.format);
    ksr_input_close(&input);
    if (status != KSR_OK || plan->image)
        return status;
    bool yes;
    status = try_header(&d, plan, &yes);
    if (status == KSR_OK && !yes)
        status = ksr_fail(ctx, KSR_E_PARAM, "format: %s cannot hold these streams together: %s",
                          container_name(plan), ksr_ffmpeg_message());
    return status;
}
