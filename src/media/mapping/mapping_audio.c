// How audio goes along with the video; see mapping.h.
//
// Copied where the container holds it. Else it is re-encoded: with a lossless encoder where the
// source is lossless and the container has one of enough bits, with the configured encoder, and
// where that is "auto" and the container does not take AAC, with another one. What can be neither
// copied nor decoded is left out; a track never ends the job.

#include <stdlib.h>
#include <string.h>

#include "config/parse.h"
#include "media/av/suggest.h"
#include "media/encode/audio_encoder.h"
#include "media/mapping/mapping_parts.h"

#define NOT_HELD "cannot be held by this container"

static bool is_automatic(const char *configured)
{
    return strcmp(configured, KSR_BY_OUTPUT) == 0;
}

static const char *encoder_of(const char *configured)
{
    return is_automatic(configured) ? "aac" : configured;
}

ksr_status ksr_carry_check_audio(ksr_context *ctx, const struct ksr_encoder_config *config,
                                 struct ksr_output_plan *plan)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(encoder_of(config->audio_codec));
    char guess[KSR_GUESS_TEXT];
    if (!codec || codec->type != AVMEDIA_TYPE_AUDIO)
        return ksr_fail(ctx, KSR_E_PARAM, "audio_codec: there is no audio encoder '%s'%s",
                        config->audio_codec,
                        ksr_guess_encoder(AVMEDIA_TYPE_AUDIO, config->audio_codec, guess));
    // Seen when the settings were read.
    return ksr_parse_bit_rate(config->audio_bitrate, &plan->audio_bit_rate) ? KSR_OK : KSR_E_PARAM;
}

// --- What there is ---

// How the samples of a track are stored.
struct samples {
    bool decodable;
    bool floating;
    int bits;         // of a sample
    char unable[160]; // why it is not decodable
};

static int sample_bits(const AVStream *stream, const AVCodecContext *decoder)
{
    const int exact = av_get_exact_bits_per_sample(stream->codecpar->codec_id);
    const int stored = av_get_bytes_per_sample(decoder->sample_fmt) * 8;
    const int known[] = {decoder->bits_per_raw_sample, exact, decoder->bits_per_coded_sample};
    for (size_t i = 0; i < 3; i++)
        if (known[i] >= 8 && known[i] < stored)
            return known[i];
    return stored;
}

static ksr_status look_at(const struct decision *d, const AVStream *stream, struct samples *s)
{
    AVCodecContext *decoder = NULL;
    memset(s, 0, sizeof(*s));
    const ksr_status status = ksr_stream_open_decoder(NULL, stream, &decoder);
    if (status == KSR_E_NOMEM)
        return ksr_fail_memory(d->ctx);
    if (status != KSR_OK && stream->codecpar->codec_id == AV_CODEC_ID_NONE)
        snprintf(s->unable, sizeof(s->unable), "has a codec unknown to FFmpeg");
    else if (status != KSR_OK)
        snprintf(s->unable, sizeof(s->unable), "has a codec that this FFmpeg cannot decode");
    else if (decoder->sample_rate <= 0 || decoder->ch_layout.nb_channels < 1)
        snprintf(s->unable, sizeof(s->unable), "has no known sample rate or channels");
    else
        s->decodable = true;
    if (s->decodable) {
        const enum AVSampleFormat packed = av_get_packed_sample_fmt(decoder->sample_fmt);
        s->floating = packed == AV_SAMPLE_FMT_FLT || packed == AV_SAMPLE_FMT_DBL;
        s->bits = sample_bits(stream, decoder);
    }
    avcodec_free_context(&decoder);
    return KSR_OK;
}

// Number of DTS-HD MA and, above it, of what extends it; its name differs between FFmpeg's
// versions.
#define DTS_HD_MA 60

static bool is_lossless(const AVCodecParameters *p)
{
    const AVCodecDescriptor *codec = avcodec_descriptor_get(p->codec_id);
    if (!codec || !(codec->props & AV_CODEC_PROP_LOSSLESS))
        return false;
    // Of the codecs that are both, DTS says by its profile which.
    return p->codec_id != AV_CODEC_ID_DTS || p->profile >= DTS_HD_MA;
}

// Says of a track that some of its times are not taken at their word.
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
                "audio stream %d: repaired out-of-order timestamps of %lld packet%s", stream->index,
                back, back == 1 ? "" : "s");
    if (dropped > 0)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d: %lld packet%s left out, as what follows overlaps %s",
                stream->index, dropped, dropped == 1 ? " is" : "s are",
                dropped == 1 ? "it" : "them");
    if (film->falling[stream->index] && !d->config->audio_passthrough)
        ksr_log(d->ctx, KSR_LOG_WARNING,
                "audio stream %d has non-monotonic timestamps; overlapping audio is cut",
                stream->index);
}

// --- Encoders ---

// Whether an encoder takes the sound of a stream at all.
static ksr_status takes(const struct decision *d, const AVStream *stream, const char *codec,
                        bool *yes)
{
    ksr_audio *audio = NULL;
    const ksr_status status = ksr_audio_open(NULL, stream, codec, d->plan->audio_bit_rate,
                                             ksr_output_global_header(d->plan), false, &audio);
    ksr_audio_close(&audio);
    *yes = status == KSR_OK;
    return status == KSR_E_NOMEM ? ksr_fail_memory(d->ctx) : KSR_OK;
}

static ksr_status try_encoder(const struct decision *d, const AVStream *stream, const char *codec,
                              struct ksr_trial *trial)
{
    bool able = false;
    memset(trial, 0, sizeof(*trial));
    const ksr_status status =
        avcodec_find_encoder_by_name(codec) ? takes(d, stream, codec, &able) : KSR_OK;
    return able ? ksr_carry_try(d, stream, KSR_CARRY_ENCODE, codec, trial) : status;
}

// Lossless encoders, the smallest results first, with what they hold.
static const struct {
    const char *name;
    bool floating;
    int bits;
} keepers[] = {{"flac", false, 24},      {"pcm_s16le", false, 16}, {"pcm_s24le", false, 24},
               {"pcm_s32le", false, 32}, {"alac", false, 24},      {"s302m", false, 24},
               {"pcm_f32le", true, 32},  {"pcm_f64le", true, 64}};

static ksr_status try_lossless(const struct decision *d, const AVStream *stream,
                               const struct samples *s, struct ksr_trial *trial)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < sizeof(keepers) / sizeof(keepers[0]); i++) {
        if (keepers[i].floating != s->floating || keepers[i].bits < s->bits)
            continue;
        status = try_encoder(d, stream, keepers[i].name, trial);
        if (trial->held && !trial->changed[0])
            return status;
        trial->held = false;
        d->plan->carry[stream->index] = KSR_CARRY_DROP;
    }
    return status;
}

// The configured encoder; where the choice is ours, AAC or another that the container holds.
static ksr_status try_encoders(const struct decision *d, const AVStream *stream,
                               const struct samples *s, struct ksr_trial *trial)
{
    const AVCodec *own = avcodec_find_encoder(ksr_carry_muxer(d->plan)->audio_codec);
    const char *const others[] = {"libopus", "libvorbis", "flac",
                                  s->bits > 16 && !s->floating ? "pcm_s24le" : "pcm_s16le",
                                  own ? own->name : "mp2"};
    const char *configured = d->config->encoder.audio_codec;
    if (!is_automatic(configured))
        return ksr_carry_try(d, stream, KSR_CARRY_ENCODE, configured, trial);
    ksr_status status = try_encoder(d, stream, encoder_of(configured), trial);
    for (size_t i = 0; status == KSR_OK && !trial->held && !trial->empty && i < 5; i++)
        status = try_encoder(d, stream, others[i], trial);
    return status;
}

// --- Deciding ---

static ksr_status leave_out(const struct decision *d, const AVStream *stream, const char *why)
{
    bool kept = false;
    char text[256];
    const ksr_status status =
        d->container->holds_all ? KSR_OK : ksr_carry_kept_by(d, stream, "matroska", &kept);
    snprintf(text, sizeof(text), "%s and is dropped%s", why, kept ? "; mkv would keep it" : "");
    ksr_carry_leave_out(d, stream, text);
    return status;
}

// why: "" = because it was asked for.
static ksr_status warn_encoded(const struct decision *d, const AVStream *stream, const char *why,
                               bool damaged, bool lossless)
{
    const char *codec = d->plan->codec[stream->index];
    const char *from = avcodec_get_name(stream->codecpar->codec_id);
    bool kept = false;
    ksr_status status = KSR_OK;
    if (!*why)
        return KSR_OK;
    if (lossless && strcmp(why, NOT_HELD) == 0) {
        ksr_log(d->ctx, KSR_LOG_INFO,
                "audio stream %d (%s) %s: it is re-encoded with %s without loss", stream->index,
                from, why, codec);
        return KSR_OK;
    }
    if (!damaged && !d->container->holds_all)
        status = ksr_carry_kept_by(d, stream, "matroska", &kept);
    ksr_log(d->ctx, KSR_LOG_WARNING, "audio stream %d (%s) %s: it is re-encoded with %s%s",
            stream->index, from, why, codec, kept ? "; mkv would keep it" : "");
    return status;
}

// why: the track is not copied; "" = because it was asked for.
static ksr_status encode(const struct decision *d, const AVStream *stream, const char *why,
                         const struct samples *s)
{
    const char *configured = d->config->encoder.audio_codec;
    const bool automatic = is_automatic(configured);
    const bool damaged = d->film->corrupt[stream->index] || d->film->falling[stream->index] ||
                         d->film->changing[stream->index];
    struct ksr_trial trial = {0};
    char text[64];
    ksr_status status = KSR_OK;
    if (*why && automatic && is_lossless(stream->codecpar))
        status = try_lossless(d, stream, s, &trial);
    const bool lossless = trial.held;
    if (status == KSR_OK && !lossless)
        status = try_encoders(d, stream, s, &trial);
    if (status != KSR_OK)
        return status;
    if (trial.held) {
        status = ksr_carry_warn(d, stream, &trial);
        return status == KSR_OK ? warn_encoded(d, stream, why, damaged, lossless) : status;
    }
    if (trial.empty)
        return leave_out(d, stream, ksr_carry_why_empty(d, stream));
    if (!automatic)
        return ksr_fail(d->ctx, KSR_E_PARAM, "audio_codec: %s cannot hold audio of %s",
                        ksr_container_label(d->plan->format), configured);
    snprintf(text, sizeof(text), "cannot be held by %s", ksr_container_label(d->plan->format));
    return leave_out(d, stream, text);
}

// Whether the format changes midway where the output has one description for all of a track; a
// transport stream keeps the headers that AAC has there.
static bool changes_unsaid(const struct decision *d, const AVStream *stream)
{
    const bool has_headers = stream->codecpar->extradata_size == 0;
    return d->film->changing && d->film->changing[stream->index] &&
           !(has_headers && d->container->aac_headers);
}

// Why a track is not copied that the container may hold; "" = it is to be copied.
static ksr_status find_fault(const struct decision *d, const AVStream *stream, const char **why)
{
    bool steady = true;
    ksr_status status = KSR_OK;
    *why = d->film->corrupt[stream->index] ? "has damaged packets"
           : d->film->falling[stream->index]
               ? "has non-monotonic timestamps; overlapping audio is cut"
           : changes_unsaid(d, stream)
               ? "changes its channels or sample rate, which this container cannot hold"
               : "";
    if (!**why && d->container->no_audio_times &&
        av_get_exact_bits_per_sample(stream->codecpar->codec_id) > 0)
        status = ksr_trial_steady(d->ctx, d->input_path, d->film, stream->index, &steady);
    if (!steady)
        *why = "has gaps, which this container cannot hold";
    return status;
}

// What cannot be decoded is copied, however it is, or left out.
static ksr_status copy_only(const struct decision *d, const AVStream *stream,
                            const struct samples *s)
{
    struct ksr_trial trial;
    ksr_status status = ksr_carry_try(d, stream, KSR_CARRY_COPY, NULL, &trial);
    if (status == KSR_OK && trial.held)
        return ksr_carry_warn(d, stream, &trial);
    const bool empty = trial.empty || (d->film->packets && d->film->packets[stream->index] == 0);
    return status == KSR_OK
               ? leave_out(d, stream, empty ? ksr_carry_why_empty(d, stream) : s->unable)
               : status;
}

ksr_status ksr_carry_audio(const struct decision *d, const AVStream *stream)
{
    const char *why = "";
    struct samples s;
    struct ksr_trial trial;
    warn_of_jumps(d, stream);
    ksr_status status = look_at(d, stream, &s);
    if (status == KSR_OK && !s.decodable)
        return copy_only(d, stream, &s);
    if (status == KSR_OK && !d->config->audio_passthrough)
        return encode(d, stream, "", &s);
    if (status == KSR_OK)
        status = find_fault(d, stream, &why);
    if (status != KSR_OK || *why)
        return status == KSR_OK ? encode(d, stream, why, &s) : status;
    status = ksr_carry_try(d, stream, KSR_CARRY_COPY, NULL, &trial);
    if (status == KSR_OK && trial.held)
        return ksr_carry_warn(d, stream, &trial);
    if (status == KSR_OK && trial.empty)
        return leave_out(d, stream, ksr_carry_why_empty(d, stream));
    return status == KSR_OK ? encode(d, stream, NOT_HELD, &s) : status;
}
