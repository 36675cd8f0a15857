// Whether a container holds a stream; see trial.h.
//
// Muxers accept more than their demuxers return: a transport stream takes any codec as private
// data, AVI takes timestamps that it cannot store. So the only answer that counts is what is read
// back. The stream's first packets are written to a file in memory with the code that writes the
// real output, and compared with the code that verifies it. A rule in a table would be wrong with
// the next version of FFmpeg; a trial is right with the one that runs, and a wrong guess costs a
// warning, not a broken output.
//
// Of audio that is re-encoded there are no packets to compare: the trial decodes it, and compares
// where it begins and ends.
//
// A trial sees only the beginning: 64 packets, or all if there are fewer. Whatever a container does
// to later packets (audio that starts late, gaps, raw samples whose timestamps drift) needs a check
// of its own, as ksr_trial_steady() is for AVI. The trial contains no other stream, because one
// that the container refuses would fail the others too; readers that refuse a file without packets
// get the video beside it.

#include "media/mapping/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/compare/inspect.h"
#include "media/container/containers.h"
#include "media/container/track_language.h"
#include "media/input/input.h"
#include "media/mux/packets.h"

#define TRIAL_PACKETS 64

// The one stream of a trial, less what muxers add of themselves (chapter titles in MP4).
static const AVStream *find_stream(const AVFormatContext *f, const AVStream *in)
{
    for (unsigned i = 0; i < f->nb_streams; i++)
        if (ksr_stream_is_attached(f->streams[i]) == ksr_stream_is_attached(in))
            return f->streams[i];
    return NULL;
}

static enum AVCodecID expected_codec(const struct ksr_output_plan *plan, const AVStream *in)
{
    const enum ksr_carry carry = plan->carry[in->index];
    const bool made = carry == KSR_CARRY_ENCODE || carry == KSR_CARRY_CONVERT;
    const AVCodec *codec = made ? avcodec_find_encoder_by_name(plan->codec[in->index]) : NULL;
    return codec ? codec->id : in->codecpar->codec_id;
}

// MP4 has one name for the three layers of MPEG audio, which the packets tell apart.
static bool is_mpeg_audio(enum AVCodecID id)
{
    return id == AV_CODEC_ID_MP1 || id == AV_CODEC_ID_MP2 || id == AV_CODEC_ID_MP3;
}

static bool same_codec(enum AVCodecID a, enum AVCodecID b)
{
    return a == b || (is_mpeg_audio(a) && is_mpeg_audio(b));
}

// Without timestamps, nothing says that the first samples are an encoder's own; raw samples have
// none of those.
static bool has_priming(const struct ksr_output_plan *plan, int stream)
{
    return strncmp(plan->codec[stream], "pcm_", 4) != 0;
}

static bool same_attachment(const AVStream *a, const AVStream *b)
{
    const int size = a->codecpar->extradata_size;
    return size == b->codecpar->extradata_size &&
           (size == 0 || memcmp(a->codecpar->extradata, b->codecpar->extradata, (size_t)size) == 0);
}

static void add_words(char *list, size_t size, const char *what)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", what);
}

// One and two channels have no order that anybody could mistake.
static bool layout_lost(const AVChannelLayout *in, const AVChannelLayout *out)
{
    return in->order != AV_CHANNEL_ORDER_UNSPEC && av_channel_layout_compare(in, out) != 0 &&
           (out->order != AV_CHANNEL_ORDER_UNSPEC || in->nb_channels != out->nb_channels ||
            in->nb_channels > 2);
}

static void name_layout(const AVChannelLayout *layout, char *out, size_t size)
{
    if (layout->order == AV_CHANNEL_ORDER_UNSPEC)
        snprintf(out, size, "unknown");
    else if (av_channel_layout_describe(layout, out, size) < 0)
        *out = 0;
}

// What is not heard as before: the container's doing in a copy, else the encoder's.
static void list_sound_changes(const AVStream *in, const AVStream *out, bool encoded,
                               struct ksr_trial *t)
{
    const AVCodecParameters *a = in->codecpar, *b = out->codecpar;
    char *list = encoded ? t->changed : t->lost, from[32], to[32], text[96];
    const size_t size = encoded ? sizeof(t->changed) : sizeof(t->lost);
    if (layout_lost(&a->ch_layout, &b->ch_layout)) {
        name_layout(&a->ch_layout, from, sizeof(from));
        name_layout(&b->ch_layout, to, sizeof(to));
        snprintf(text, sizeof(text), "channel layout (%s becomes %s)", from, to);
        add_words(list, size, text);
    }
    if (a->sample_rate > 0 && a->sample_rate != b->sample_rate) {
        snprintf(text, sizeof(text), "sample rate (%d Hz becomes %d Hz)", a->sample_rate,
                 b->sample_rate);
        add_words(list, size, text);
    }
}

static bool tag_lost(const AVDictionary *in, const AVDictionary *out, const char *name,
                     const char *none)
{
    const AVDictionaryEntry *a = av_dict_get(in, name, NULL, 0);
    const AVDictionaryEntry *b = av_dict_get(out, name, NULL, 0);
    return a && *a->value && strcmp(a->value, none) != 0 && (!b || strcmp(a->value, b->value) != 0);
}

// Three letters say as much as a language that is nothing but one.
static void list_full_language(const AVDictionary *in, const AVDictionary *out, char *list,
                               size_t size)
{
    const AVDictionaryEntry *full = av_dict_get(in, KSR_LANGUAGE_TAG, NULL, 0);
    char text[KSR_LANGUAGE_TEXT + 32];
    if (!full || !strchr(full->value, '-') || !tag_lost(in, out, KSR_LANGUAGE_TAG, ""))
        return;
    snprintf(text, sizeof(text), "language in full (%s)", full->value);
    add_words(list, size, text);
}

// G.726 is decoded by the bits of a sample, and some containers keep only a bit rate that is
// rounded.
static bool same_sample_size(const AVStream *in, const AVStream *out)
{
    const AVCodecParameters *a = in->codecpar, *b = out->codecpar;
    const bool needed =
        a->codec_id == AV_CODEC_ID_ADPCM_G726 || a->codec_id == AV_CODEC_ID_ADPCM_G726LE;
    return !needed || a->bits_per_coded_sample == b->bits_per_coded_sample;
}

// Being the default means something only where there is a choice.
static bool has_rival(const AVFormatContext *f, const AVStream *in)
{
    for (unsigned i = 0; i < f->nb_streams; i++)
        if ((int)i != in->index && f->streams[i]->codecpar->codec_type == in->codecpar->codec_type)
            return true;
    return false;
}

// A flag in words; "" = it is none that could be lost.
static void name_flag(int flag, char *out, size_t size)
{
    const char *name = av_disposition_to_string(flag);
    *out = 0;
    if (!name || flag == AV_DISPOSITION_ATTACHED_PIC || flag == AV_DISPOSITION_TIMED_THUMBNAILS)
        return;
    snprintf(out, size, "%s flag", flag == AV_DISPOSITION_COMMENT ? "commentary" : name);
    for (char *c = out; (c = strchr(c, '_'));)
        *c = '-';
}

static void list_flags(int lost, char *list, size_t size)
{
    char name[48];
    for (int i = 0; i < 31; i++) {
        if (lost & 1 << i)
            name_flag(1 << i, name, sizeof(name));
        if (lost & 1 << i && *name)
            add_words(list, size, name);
    }
}

void ksr_trial_list_losses(const AVFormatContext *f, const AVStream *in, const AVStream *out,
                           bool keep_tags, char *list, size_t size)
{
    if (keep_tags && tag_lost(in->metadata, out->metadata, "language", "und"))
        add_words(list, size, "language");
    else if (keep_tags)
        list_full_language(in->metadata, out->metadata, list, size);
    if (keep_tags && tag_lost(in->metadata, out->metadata, "title", ""))
        add_words(list, size, "title");
    list_flags(in->disposition & ~out->disposition &
                   ~(has_rival(f, in) ? 0 : AV_DISPOSITION_DEFAULT),
               list, size);
    if (ksr_track_is_disabled(in) && !ksr_track_is_disabled(out))
        add_words(list, size, "disabled flag (the track becomes enabled)");
}

bool ksr_trial_title_lost(const AVFormatContext *in, const AVFormatContext *out)
{
    return tag_lost(in->metadata, out->metadata, "title", "");
}

struct trial_file {
    const struct ksr_memory *memory;
    size_t packets;
    bool whole; // these are all packets of the stream
};

static ksr_status compare_file(ksr_context *ctx, const char *input_path,
                               const struct ksr_film *film, const struct ksr_output_plan *plan,
                               const AVStream *in, const AVStream *out,
                               const struct trial_file *file, bool *same)
{
    const enum ksr_carry carry = plan->carry[in->index];
    const struct ksr_stream_match match = {.input = in->index,
                                           .output = out->index,
                                           .encoded = carry == KSR_CARRY_ENCODE,
                                           .converted = carry == KSR_CARRY_CONVERT};
    const struct ksr_container *container = ksr_container_of(plan->format);
    const int64_t limit = file->whole ? INT64_MAX : (int64_t)file->packets;
    // An encoder's own samples come first: what is before zero shifts all of the trial.
    const bool shifted = match.encoded && container->start == KSR_START_POSITIVE;
    const double shift = container->start_varies || shifted
                             ? NAN
                             : -ksr_film_seconds(film, ksr_output_shift(plan, film)) * 1000;
    struct ksr_stream_comparison c;
    const ksr_status status =
        ksr_media_compare_bytes(ctx, input_path, film, file->memory->data, file->memory->size,
                                plan->format, &match, shift, limit, &c);
    *same = status == KSR_OK && c.equal;
    if (status == KSR_OK && !c.equal)
        ksr_log(ctx, KSR_LOG_DEBUG, "stream %d in %s: %s", in->index, plan->format,
                c.encoded_anew ? "re-encoded audio begins or ends elsewhere" : c.difference);
    return status;
}

static ksr_status judge(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                        const struct ksr_output_plan *plan, int stream,
                        const struct trial_file *file, struct ksr_trial *t)
{
    const struct ksr_container *container = ksr_container_of(plan->format);
    const bool untimed = container->no_audio_times;
    struct ksr_input input = {0}, made = {0};
    ksr_status status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status == KSR_OK)
        status =
            ksr_input_open_bytes(ctx, file->memory->data, file->memory->size, plan->format, &made);
    if (status == KSR_OK) {
        const AVStream *in = input.format->streams[stream];
        const AVStream *out = find_stream(made.format, in);
        t->held = out && same_codec(out->codecpar->codec_id, expected_codec(plan, in));
        if (t->held && plan->carry[stream] == KSR_CARRY_COPY)
            t->held = same_sample_size(in, out);
        if (t->held && plan->carry[stream] == KSR_CARRY_ENCODE && untimed)
            t->held = !has_priming(plan, stream);
        // What begins so late that the trial has not come to it would begin at once.
        if (t->held && plan->carry[stream] == KSR_CARRY_COPY && untimed)
            t->held = file->packets > 0 || file->whole;
        if (t->held && in->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT)
            t->held = same_attachment(in, out);
        else if (t->held && file->packets > 0 &&
                 (plan->carry[stream] != KSR_CARRY_ENCODE || !container->trusted_times))
            status = compare_file(ctx, input_path, film, plan, in, out, file, &t->held);
        if (t->held && file->packets > 0 && in->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
            list_sound_changes(in, out, plan->carry[stream] == KSR_CARRY_ENCODE, t);
        if (ksr_input_is_passed_over(&input, in))
            input.format->streams[stream]->disposition &= ~AV_DISPOSITION_DEFAULT;
        if (t->held)
            ksr_trial_list_losses(input.format, in, out, plan->keep_tags, t->lost, sizeof(t->lost));
    }
    ksr_input_close(&input);
    ksr_input_close(&made);
    return ksr_is_unreadable(status) ? KSR_OK : status; // what does not open holds nothing
}

static ksr_status attempt(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                          const struct ksr_encoder_settings *encoder,
                          const struct ksr_output_plan *alone, int stream, struct ksr_trial *out)
{
    struct trial_file file = {0};
    ksr_output *output = NULL;
    memset(out, 0, sizeof(*out));
    ksr_status status = ksr_output_open(ctx, NULL, input_path, film, encoder, alone, &output);
    if (status == KSR_OK)
        status =
            ksr_output_try(ctx, output, TRIAL_PACKETS, &file.packets, &file.whole, &file.memory);
    if (status == KSR_OK)
        status = judge(ctx, input_path, film, alone, stream, &file, out);
    if (status == KSR_OK)
        out->early_ms = ksr_output_early_ms(output, stream);
    out->empty = status == KSR_OK && file.whole && file.packets == 0;
    ksr_output_close(&output);
    return status == KSR_E_OUTPUT ? KSR_OK : status;
}

ksr_status ksr_trial_run(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                         const struct ksr_encoder_settings *encoder,
                         const struct ksr_output_plan *plan, int stream, struct ksr_trial *out)
{
    struct ksr_output_plan *alone = malloc(sizeof(*alone));
    if (!alone)
        return ksr_fail_memory(ctx);
    *alone = *plan;
    for (int i = 0; i < alone->stream_count; i++)
        if (i != stream)
            alone->carry[i] = KSR_CARRY_DROP;
    ksr_status status = attempt(ctx, input_path, film, encoder, alone, stream, out);
    if (status == KSR_OK && out->empty && !out->held) { // readers refuse a file without packets
        alone->accompanied = true;
        status = attempt(ctx, input_path, film, encoder, alone, stream, out);
    }
    free(alone);
    return status;
}

ksr_status ksr_trial_chapters(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                              const struct ksr_encoder_settings *encoder,
                              const struct ksr_output_plan *plan, unsigned *lost)
{
    struct trial_file file = {0};
    struct ksr_input made = {0};
    ksr_output *output = NULL;
    ksr_status status = ksr_output_open(ctx, NULL, input_path, film, encoder, plan, &output);
    *lost = status == KSR_OK ? ksr_output_chapters(output) : 0;
    if (status == KSR_OK)
        status =
            ksr_output_try(ctx, output, TRIAL_PACKETS, &file.packets, &file.whole, &file.memory);
    if (status == KSR_OK)
        status =
            ksr_input_open_bytes(ctx, file.memory->data, file.memory->size, plan->format, &made);
    if (status == KSR_OK)
        *lost -= FFMIN(*lost, made.format->nb_chapters);
    ksr_input_close(&made);
    ksr_output_close(&output);
    return status == KSR_E_OUTPUT || ksr_is_unreadable(status) ? KSR_OK : status;
}

// Whether the samples of a stream follow each other without holes or overlaps.
static void check_steady(ksr_packets *packets, AVPacket *packet, const AVStream *s, bool *steady)
{
    const AVCodecParameters *p = s->codecpar;
    const double rate =
        (double)p->ch_layout.nb_channels * p->sample_rate * av_get_bits_per_sample(p->codec_id) / 8;
    const double tick = av_q2d(s->time_base), allowed = tick + 0.001;
    double end = NAN;
    while (*steady && ksr_packets_next(packets, packet)) {
        const bool ours = packet->stream_index == s->index; // others may have been read already
        if (ours && packet->pts != AV_NOPTS_VALUE) {
            const double start = (double)packet->pts * tick;
            *steady = isnan(end) || fabs(start - end) <= allowed;
            end = isnan(end) ? start : end;
        }
        end += ours ? packet->size / rate : 0;
        av_packet_unref(packet);
    }
}

ksr_status ksr_trial_steady(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            int stream, bool *steady)
{
    struct ksr_input input;
    ksr_packets *packets = NULL;
    const struct ksr_cut cut = ksr_cut_of(film);
    AVPacket *packet = av_packet_alloc();
    *steady = true;
    ksr_status status =
        packet ? ksr_input_open_film(ctx, input_path, film, &input) : ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        ksr_input_select(&input, stream);
        status = ksr_packets_create(ctx, &input, &cut, &packets);
    }
    if (status == KSR_OK) {
        check_steady(packets, packet, input.format->streams[stream], steady);
        if (ksr_packets_starved(packets))
            status = ksr_fail_memory(ctx);
    }
    ksr_packets_destroy(&packets);
    if (packet)
        ksr_input_close(&input);
    av_packet_free(&packet);
    return status;
}
