// Stream mapping; see mapping.h. mapping_audio.c decides for audio.

#include "media/mapping/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "media/encode/codecs.h"
#include "media/encode/text_subtitles.h"
#include "media/input/external.h"
#include "media/mapping/mapping_parts.h"

static const char *kind_of(const AVStream *stream)
{
    if (ksr_stream_is_cover(stream))
        return "cover picture";
    const char *kind = av_get_media_type_string(stream->codecpar->codec_type);
    return kind ? kind : "unknown";
}

// Ends a warning with what to do about it.
static const char *mkv_would(const struct decision *d)
{
    return d->container->holds_all ? "" : "; mkv would";
}

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

static bool may_hold(const struct ksr_output_plan *plan, const AVStream *stream, const char *codec)
{
    const AVCodec *encoder = codec ? avcodec_find_encoder_by_name(codec) : NULL;
    const enum AVCodecID id = encoder ? encoder->id : stream->codecpar->codec_id;
    // Attachments go by their type, not by a codec.
    return stream->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT ||
           (id != AV_CODEC_ID_NONE &&
            avformat_query_codec(ksr_carry_muxer(plan), id, FF_COMPLIANCE_EXPERIMENTAL) != 0);
}

ksr_status ksr_carry_try(const struct decision *d, const AVStream *stream, enum ksr_carry carry,
                         const char *codec, struct ksr_trial *trial)
{
    struct ksr_output_plan *plan = d->plan;
    const int i = stream->index;
    memset(trial, 0, sizeof(*trial));
    if (!may_hold(plan, stream, codec))
        return KSR_OK;
    plan->carry[i] = carry;
    snprintf(plan->codec[i], sizeof(plan->codec[i]), "%s", codec ? codec : "");
    const ksr_status status =
        ksr_trial_run(d->ctx, d->input_path, d->film, d->encoder, plan, i, trial);
    if (status != KSR_OK || !trial->held) {
        plan->carry[i] = KSR_CARRY_DROP;
        plan->codec[i][0] = 0;
    }
    return status;
}

// Tries the other forms of text, the plainest first.
static ksr_status convert_text(const struct decision *d, const AVStream *stream,
                               struct ksr_trial *trial)
{
    static const char *const forms[] = {"subrip", "webvtt", "mov_text", "ass"};
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && !trial->held && i < sizeof(forms) / sizeof(forms[0]);
         i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(forms[i]);
        bool lossless = false;
        if (!codec || codec->id == stream->codecpar->codec_id ||
            !may_hold(d->plan, stream, forms[i]))
            continue;
        status =
            ksr_text_lossless(d->ctx, d->input_path, d->film, stream->index, forms[i], &lossless);
        if (status == KSR_OK && lossless)
            status = ksr_carry_try(d, stream, KSR_CARRY_CONVERT, forms[i], trial);
    }
    if (status == KSR_OK && trial->held)
        ksr_log(d->ctx, KSR_LOG_INFO, "subtitle stream %d: %s is converted to %s without loss",
                stream->index, avcodec_get_name(stream->codecpar->codec_id),
                d->plan->codec[stream->index]);
    return status;
}

// Tries the forms in which a stream that is not audio may go along.
static ksr_status try_forms(const struct decision *d, const AVStream *stream,
                            struct ksr_trial *trial)
{
    ksr_status status = ksr_carry_try(d, stream, KSR_CARRY_COPY, NULL, trial);
    if (status == KSR_OK && !trial->held && !trial->empty &&
        ksr_text_is(stream->codecpar->codec_id))
        status = convert_text(d, stream, trial);
    return status;
}

// Tries in another container what goes along here as `carry` says. Says nothing.
static ksr_status try_elsewhere(const struct decision *d, const AVStream *stream,
                                enum ksr_carry carry, const char *format, struct ksr_trial *trial)
{
    struct decision other = *d;
    memset(trial, 0, sizeof(*trial));
    if (!d->ctx)
        return KSR_OK; // nobody listens
    other.ctx = NULL;
    other.plan = malloc(sizeof(*other.plan));
    if (!other.plan)
        return ksr_fail_memory(d->ctx);
    *other.plan = *d->plan;
    snprintf(other.plan->format, sizeof(other.plan->format), "%s", format);
    other.container = ksr_container_of(format);
    const ksr_status status =
        carry == KSR_CARRY_ENCODE
            ? ksr_carry_try(&other, stream, carry, d->plan->codec[stream->index], trial)
            : try_forms(&other, stream, trial);
    free(other.plan);
    return status == KSR_E_NOMEM ? ksr_fail_memory(d->ctx) : KSR_OK;
}

ksr_status ksr_carry_kept_by(const struct decision *d, const AVStream *stream, const char *format,
                             bool *yes)
{
    struct ksr_trial trial;
    const ksr_status status = try_elsewhere(d, stream, KSR_CARRY_COPY, format, &trial);
    *yes = trial.held;
    return status;
}

// Audio that begins so little before the video is what an encoder puts before its first sample
// (AAC: up to 2112 samples), and Matroska does not tell.
#define PRIMING_MS 50

ksr_status ksr_carry_warn(const struct decision *d, const AVStream *stream,
                          const struct ksr_trial *trial)
{
    struct ksr_output_plan *plan = d->plan;
    const int i = stream->index;
    struct ksr_trial elsewhere = {0};
    ksr_status status = KSR_OK;
    if (trial->changed[0])
        ksr_log(d->ctx, KSR_LOG_WARNING, "audio stream %d: encoding with %s changes its %s", i,
                plan->codec[i], trial->changed);
    if (trial->early_ms >= PRIMING_MS && !d->film->cut)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d begins %.0f ms before the video, which %s cannot hold: its "
                "beginning is cut off%s",
                i, trial->early_ms, ksr_container_label(plan->format), mkv_would(d));
    if (trial->lost[0] && !d->container->holds_all)
        status = try_elsewhere(d, stream, plan->carry[i], "matroska", &elsewhere);
    if (trial->lost[0])
        ksr_log(d->ctx, KSR_LOG_WARNING, "%s stream %d: %s does not keep its %s%s", kind_of(stream),
                i, ksr_container_label(plan->format), trial->lost,
                elsewhere.held && !elsewhere.lost[0] ? "; mkv would" : "");
    return status;
}

// The container (a muxer) that would keep what a stream says; NULL where none is known.
static const char *keeper_of(const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const bool data = p->codec_type == AVMEDIA_TYPE_DATA;
    if (p->codec_type == AVMEDIA_TYPE_ATTACHMENT || ksr_stream_is_cover(stream) ||
        ksr_text_is(p->codec_id))
        return "matroska";
    if (p->codec_tag == MKTAG('t', 'm', 'c', 'd'))
        return "mov";
    // Of the codecs that a transport stream holds, FFmpeg has no list.
    if (p->codec_id == AV_CODEC_ID_SMPTE_KLV || p->codec_id == AV_CODEC_ID_TIMED_ID3 ||
        p->codec_id == AV_CODEC_ID_DVB_TELETEXT)
        return "mpegts";
    static const char *const names[] = {"matroska", "mov"};
    for (size_t i = data; p->codec_id != AV_CODEC_ID_NONE && i < 2; i++)
        if (avformat_query_codec(av_guess_format(names[i], NULL, NULL), p->codec_id,
                                 FF_COMPLIANCE_EXPERIMENTAL) == 1)
            return names[i];
    return NULL;
}

// Whether it is how MP4 shows chapters' titles.
static bool is_title_track(const AVStream *stream)
{
    return stream->codecpar->codec_id == AV_CODEC_ID_BIN_DATA &&
           stream->codecpar->codec_tag == MKTAG('t', 'e', 'x', 't');
}

// Whether the output says by itself what a stream of the input says: MP4 shows chapters' titles and
// the time code as data streams, and writes them anew from chapters and tags.
static bool is_made_anew(const struct decision *d, const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const enum ksr_time_code kept = d->container->time_code;
    if (is_title_track(stream))
        return true;
    return p->codec_tag == MKTAG('t', 'm', 'c', 'd') && !d->film->cut &&
           av_dict_get(stream->metadata, "timecode", NULL, 0) &&
           (kept == KSR_TIME_CODE_TRACK || (kept == KSR_TIME_CODE_TAG && d->plan->keep_tags));
}

// What people know a stream by that is left out.
static void label(const AVStream *stream, char *out, size_t size)
{
    const AVCodecParameters *p = stream->codecpar;
    const AVDictionaryEntry *file = av_dict_get(stream->metadata, "filename", NULL, 0);
    char tag[AV_FOURCC_MAX_STRING_SIZE];
    if (p->codec_type == AVMEDIA_TYPE_ATTACHMENT && file)
        snprintf(out, size, "%s", file->value);
    else if (p->codec_tag == MKTAG('t', 'm', 'c', 'd'))
        snprintf(out, size, "time code");
    else if (p->codec_id == AV_CODEC_ID_NONE && p->codec_tag != 0)
        snprintf(out, size, "%s", av_fourcc_make_string(tag, p->codec_tag));
    else if (ksr_stream_file(stream))
        snprintf(out, size, "%s, %s", avcodec_get_name(p->codec_id), ksr_stream_file(stream));
    else
        snprintf(out, size, "%s", avcodec_get_name(p->codec_id));
}

void ksr_carry_leave_out(const struct decision *d, const AVStream *stream, const char *why)
{
    char name[128];
    d->plan->carry[stream->index] = KSR_CARRY_DROP;
    d->plan->codec[stream->index][0] = 0;
    label(stream, name, sizeof(name));
    ksr_log(d->ctx, KSR_LOG_WARNING, "%s stream %d (%s) %s", kind_of(stream), stream->index, name,
            why);
}

const char *ksr_carry_why_empty(const struct decision *d, const AVStream *stream)
{
    const bool elsewhere = d->film->cut && d->film->packets && d->film->packets[stream->index] > 0;
    return elsewhere ? "has no packets in this range" : "has no packets";
}

// Leaves out what the container does not hold, and says where it would be kept.
static ksr_status drop(const struct decision *d, const AVStream *stream, bool empty)
{
    const AVCodecParameters *p = stream->codecpar;
    const bool time_code = p->codec_tag == MKTAG('t', 'm', 'c', 'd');
    const bool unknown =
        p->codec_id == AV_CODEC_ID_NONE && !time_code && p->codec_type != AVMEDIA_TYPE_ATTACHMENT;
    const char *keeper = unknown ? NULL : keeper_of(stream);
    bool better = keeper && strcmp(keeper, d->plan->format) != 0 && !(time_code && d->film->cut);
    char why[160];
    d->plan->carry[stream->index] = KSR_CARRY_DROP;
    if (is_made_anew(d, stream))
        return KSR_OK;
    const ksr_status status =
        better && !time_code ? ksr_carry_kept_by(d, stream, keeper, &better) : KSR_OK;
    if (unknown)
        snprintf(why, sizeof(why), "has a codec unknown to FFmpeg");
    else if (empty)
        snprintf(why, sizeof(why), "%s", ksr_carry_why_empty(d, stream));
    else
        snprintf(why, sizeof(why), "cannot be held by %s", ksr_container_label(d->plan->format));
    const size_t used = strlen(why);
    snprintf(why + used, sizeof(why) - used, " and is dropped%s%s%s", better ? "; " : "",
             better ? ksr_container_label(keeper) : "", better ? " would keep it" : "");
    ksr_carry_leave_out(d, stream, why);
    return status;
}

// Whether the container is made for video alone: GIF, Y4M, raw streams.
static bool is_silent(const struct ksr_output_plan *plan)
{
    const AVOutputFormat *format = ksr_carry_muxer(plan);
    return !format->codec_tag && format->audio_codec == AV_CODEC_ID_NONE;
}

// Whether players would take this video for the one to show: the first, where the container has no
// flag that says otherwise.
static bool hides_video(const struct decision *d, const AVStream *stream)
{
    return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(stream) &&
           stream->index < d->film->stream && !d->container->default_video;
}

static ksr_status decide_stream(const struct decision *d, const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    struct ksr_trial trial;
    if (d->plan->image) {
        d->plan->carry[stream->index] = KSR_CARRY_DROP;
        return KSR_OK;
    }
    if (is_silent(d->plan))
        return drop(d, stream, false);
    if (!ksr_choice_has(&d->choice, d->input, stream))
        return KSR_OK;
    if (hides_video(d, stream)) {
        ksr_carry_leave_out(d, stream,
                            "would be played instead of the upscaled one in this container and is "
                            "dropped; mkv would keep it");
        return KSR_OK;
    }
    if (p->codec_type == AVMEDIA_TYPE_AUDIO)
        return ksr_carry_audio(d, stream);
    if (is_title_track(stream))
        return drop(d, stream, false);
    ksr_status status = try_forms(d, stream, &trial);
    if (status == KSR_OK && trial.held)
        status = ksr_carry_warn(d, stream, &trial);
    if (status == KSR_OK && !trial.held)
        return drop(d, stream, trial.empty && p->codec_type != AVMEDIA_TYPE_ATTACHMENT);
    if (p->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(stream))
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "video stream %d is copied: only stream %d is upscaled (select it with {video})",
                stream->index, d->film->stream);
    return status;
}

static ksr_status warn_of_chapters(const struct decision *d, const AVFormatContext *input)
{
    unsigned lost = d->container->chapters == KSR_CHAPTERS_LOST ? input->nb_chapters : 0;
    ksr_status status = KSR_OK;
    if (d->container->chapters == KSR_CHAPTERS_UNKNOWN && input->nb_chapters > 0 && !d->plan->image)
        status = ksr_trial_chapters(d->ctx, d->input_path, d->film, d->encoder, d->plan, &lost);
    if (status == KSR_OK && lost > 0)
        ksr_log(d->ctx, KSR_LOG_WARNING, "%u chapters cannot be held by %s; mkv would keep them",
                lost, ksr_container_label(d->plan->format));
    return status;
}

// Without timestamps, or with those of some frames only, frame n is shown at n / rate.
static ksr_status check_grid(const struct decision *d)
{
    const struct ksr_film *film = d->film;
    const struct ksr_rational rate = film->format.frame_rate;
    const bool theora =
        d->container->counts_theora && ksr_codec_of(d->encoder->codec)->id == AV_CODEC_ID_THEORA;
    if ((!ksr_container_needs_rate(d->container) && !theora) || rate.num <= 0 || rate.den <= 0)
        return KSR_OK;
    const size_t i = ksr_film_irregular(film, rate);
    if (i < film->frame_count)
        return ksr_fail(
            d->ctx, KSR_E_PARAM,
            "format: %s cannot hold a variable frame rate (frame %zu at %.3f s); mkv would",
            ksr_container_label(d->plan->format), i, ksr_film_seconds(film, film->frames[i].time));
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

// The muxer of an output whose name does not tell it: what reads the file does. "" = nothing does.
static const char *find_muxer(const char *path, char name[64])
{
    struct ksr_input output;
    name[0] = 0;
    if (av_guess_format(NULL, ksr_fs_name(path), NULL) ||
        ksr_input_open(NULL, path, true, &output) != KSR_OK)
        return name;
    const char *own = output.format->iformat->name;
    const struct ksr_container *row = ksr_container_read_by(own);
    snprintf(name, 64, "%s", row->name ? row->name : own);
    if (!av_guess_format(name, NULL, NULL))
        name[0] = 0;
    ksr_input_close(&output);
    return name;
}

ksr_status ksr_carry_guess(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                           const char *output_path, const struct ksr_choice *choice,
                           struct ksr_output_plan *plan)
{
    struct ksr_input input;
    const char *codec;
    struct ksr_processor_config config = ksr_processor_config_default();
    struct decision d = {
        .input_path = input_path, .film = film, .config = &config, .plan = plan, .choice = *choice};
    char muxer[64];
    memset(plan, 0, sizeof(*plan));
    if (*find_muxer(output_path, muxer))
        config.encoder.format = muxer;
    ksr_status status = ksr_output_format(ctx, output_path, &config.encoder, plan, &codec);
    if (status != KSR_OK || film->stream_count > KSR_MAX_STREAMS)
        return status;
    plan->stream_count = film->stream_count;
    d.container = ksr_container_of(plan->format);
    status = ksr_carry_check_audio(NULL, &config.encoder, plan);
    if (status == KSR_OK)
        status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status == KSR_OK) {
        status = decide_streams(&d, input.format);
        ksr_input_close(&input);
        if (status == KSR_E_NOMEM)
            ksr_fail_memory(ctx);
    }
    return status == KSR_E_PARAM ? KSR_OK : status; // streams that nobody could carry are left out
}

// The encoder to type instead of one that a container does not take.
static const char *other_encoder(const struct ksr_output_plan *plan)
{
    const char *own = ksr_output_own_encoder(ksr_carry_muxer(plan));
    const struct ksr_codec *row;
    for (size_t i = 0; !own && (row = ksr_codec_at(i)); i++)
        if (row->suggested && avcodec_find_encoder_by_name(row->name) &&
            avformat_query_codec(ksr_carry_muxer(plan), (enum AVCodecID)row->id,
                                 FF_COMPLIANCE_NORMAL) == 1)
            own = row->name;
    return own;
}

// Whether the container takes the video, by what FFmpeg says and by the header of a trial.
static ksr_status check_video(const struct decision *d)
{
    struct ksr_output_plan *plan = d->plan;
    const AVCodec *codec = avcodec_find_encoder_by_name(d->encoder->codec);
    bool yes = avformat_query_codec(ksr_carry_muxer(plan), codec->id, FF_COMPLIANCE_NORMAL) != 0 ||
               d->container->unlisted_video;
    for (int i = 0; i < plan->stream_count; i++)
        plan->carry[i] = i == d->film->stream ? KSR_CARRY_VIDEO : KSR_CARRY_DROP;
    const ksr_status status = yes ? try_header(d, plan, &yes) : KSR_OK;
    if (status != KSR_OK || yes)
        return status;
    const char *label = ksr_container_label(plan->format), *other = other_encoder(plan);
    return other && strcmp(other, d->encoder->codec) != 0
               ? ksr_fail(d->ctx, KSR_E_PARAM, "format: %s cannot hold video of %s ({codec=%s})",
                          label, d->encoder->codec, other)
               : ksr_fail(d->ctx, KSR_E_PARAM, "format: %s cannot hold video of %s", label,
                          d->encoder->codec);
}

ksr_status ksr_carry_decide(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_processor_config *config,
                            const struct ksr_encoder_settings *encoder,
                            struct ksr_output_plan *plan)
{
    struct ksr_input input;
    struct decision d = {.ctx = ctx,
                         .input_path = input_path,
                         .film = film,
                         .config = config,
                         .encoder = encoder,
                         .plan = plan,
                         .container = ksr_container_of(plan->format),
                         .choice = {config->audio, config->subs}};
    plan->keep_tags = config->preserve_metadata;
    plan->stream_count = film->stream_count;
    if (film->stream_count > KSR_MAX_STREAMS)
        return ksr_fail(ctx, KSR_E_INPUT, "more than %d streams", KSR_MAX_STREAMS);
    ksr_status status = ksr_carry_check_audio(ctx, &config->encoder, plan);
    if (status == KSR_OK)
        status = check_grid(&d);
    if (status == KSR_OK && !plan->image)
        status = check_video(&d);
    if (status != KSR_OK)
        return status;
    status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status == KSR_OK)
        status = ksr_choice_check(ctx, &d.choice, input.format);
    if (status == KSR_OK)
        status = decide_streams(&d, input.format);
    if (status == KSR_OK)
        status = warn_of_chapters(&d, input.format);
    ksr_input_close(&input);
    if (status != KSR_OK || plan->image)
        return status;
    bool yes;
    status = try_header(&d, plan, &yes);
    if (status == KSR_OK && !yes)
        status = ksr_fail(ctx, KSR_E_PARAM,
                          "format: %s cannot hold these streams together: %s (use mkv, or choose "
                          "fewer with {audio} and {subs})",
                          ksr_container_label(plan->format), ksr_ffmpeg_message());
    return status;
}
