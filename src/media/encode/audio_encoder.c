// Re-encoding an audio track; see audio_encoder.h.
//
// decoder -> resampler (sample format, rate, layout) -> FIFO -> encoder frames. The place of a
// sample in the output follows from its time in the input: a hole is filled with silence, an
// overlap is cut, so that the track stays in time however damaged it is.
//
// Float audio code rounds differently with every SIMD level, so all three are opened with the plain
// C functions: audio is cheap, and the same bytes come out on every machine.

#include "media/encode/audio_encoder.h"

#include <libavutil/audio_fifo.h>
#include <libavutil/cpu.h>
#include <libswresample/swresample.h>
#include <stdlib.h>
#include <string.h>

#include "media/input/input.h"

struct ksr_audio {
    AVStream *stream;
    AVCodecContext *decoder, *encoder;
    SwrContext *resampler;
    AVChannelLayout layout; // the three that the resampler takes
    enum AVSampleFormat format;
    int rate;
    AVAudioFifo *fifo;
    AVFrame *decoded, *converted, *chunk;
    bool from_zero; // a late start is filled with silence
    bool started;
    bool behind;     // all samples so far that overlap are cut: the next ones too, to the sample
    int64_t written; // time of the next sample to enter the FIFO, in samples of the encoder
    int64_t sent;    // time of the next sample to leave it
    int64_t
        time; // of the last frame, in ticks of the stream: a time that stands still tells nothing
    int64_t cut;   // samples that overlapped others
    bool changed;  // frames came with other channels or another rate than the first
    int64_t early; // samples before 0 that are cut off, where nothing can be earlier
    bool finished;
};

void ksr_audio_close(ksr_audio **audio)
{
    if (!audio || !*audio)
        return;
    ksr_audio *a = *audio;
    avcodec_free_context(&a->decoder);
    avcodec_free_context(&a->encoder);
    swr_free(&a->resampler);
    av_channel_layout_uninit(&a->layout);
    if (a->fifo)
        av_audio_fifo_free(a->fifo);
    av_frame_free(&a->decoded);
    av_frame_free(&a->converted);
    av_frame_free(&a->chunk);
    free(a);
    *audio = NULL;
}

static bool is_floating(enum AVSampleFormat format)
{
    const enum AVSampleFormat packed = av_get_packed_sample_fmt(format);
    return packed == AV_SAMPLE_FMT_FLT || packed == AV_SAMPLE_FMT_DBL;
}

static int bytes(enum AVSampleFormat format)
{
    return av_get_bytes_per_sample(format);
}

// The wanted format; where an encoder does not list it, the same samples packed or planar, else the
// smallest that holds them, else the first. A list of NULL: anything goes.
static enum AVSampleFormat choose_sample_format(const AVCodec *codec, enum AVSampleFormat wanted)
{
    const enum AVSampleFormat *list = ksr_av_sample_formats(codec);
    if (!list)
        return wanted;
    for (const enum AVSampleFormat *f = list; *f != AV_SAMPLE_FMT_NONE; f++)
        if (*f == wanted)
            return wanted;
    const enum AVSampleFormat other =
        av_get_alt_sample_fmt(wanted, !av_sample_fmt_is_planar(wanted));
    enum AVSampleFormat best = AV_SAMPLE_FMT_NONE;
    for (const enum AVSampleFormat *f = list; *f != AV_SAMPLE_FMT_NONE; f++) {
        if (*f == other)
            return other;
        if (!is_floating(wanted) && !is_floating(*f) && bytes(*f) >= bytes(wanted) &&
            (best == AV_SAMPLE_FMT_NONE || bytes(*f) < bytes(best)))
            best = *f;
    }
    return best != AV_SAMPLE_FMT_NONE ? best : list[0];
}

// The lowest listed rate that keeps every tone, else the highest there is.
static int choose_rate(const AVCodec *codec, int wanted)
{
    const int *list = ksr_av_sample_rates(codec);
    int best = 0;
    // Containers count the priming of Opus at 48 kHz, whatever the encoder was given.
    if (codec->id == AV_CODEC_ID_OPUS)
        return 48000;
    for (; list && *list; list++)
        if (best < wanted ? *list > best : *list >= wanted && *list < best)
            best = *list;
    return best ? best : wanted;
}

// The channels of a layout, those at the sides taken for those behind where there are no others:
// between layouts that are alike so, every channel stays what it is.
static uint64_t plain_channels(const AVChannelLayout *layout)
{
    const uint64_t side = AV_CH_SIDE_LEFT | AV_CH_SIDE_RIGHT;
    const uint64_t back = AV_CH_BACK_LEFT | AV_CH_BACK_RIGHT;
    const uint64_t mask = layout->order == AV_CHANNEL_ORDER_NATIVE ? layout->u.mask : 0;
    return (mask & (side | back)) == side ? (mask & ~side) | back : mask;
}

// A layout of the encoder that has the same channels; where there is none, the wanted one, which
// it will refuse.
static int choose_layout(const AVCodec *codec, const AVChannelLayout *wanted, AVChannelLayout *out)
{
    AVChannelLayout usual = {0};
    if (wanted->order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&usual, wanted->nb_channels);
    else if (av_channel_layout_copy(&usual, wanted) < 0)
        return AVERROR(ENOMEM);
    const uint64_t plain = plain_channels(&usual);
    const AVChannelLayout *list = ksr_av_channel_layouts(codec), *best = NULL;
    // AAC has a number for 5.1, and only a description that many players ignore for 5.1(side).
    if (codec->id == AV_CODEC_ID_AAC && plain == AV_CH_LAYOUT_5POINT1_BACK)
        av_channel_layout_from_mask(&usual, plain);
    for (; list && list->nb_channels; list++) {
        if (av_channel_layout_compare(list, &usual) == 0)
            best = list;
        else if (!best && plain != 0 && plain_channels(list) == plain)
            best = list;
    }
    const int result = av_channel_layout_copy(out, best ? best : &usual);
    av_channel_layout_uninit(&usual);
    return result;
}

static int open_codec(AVCodecContext *e, const AVCodec *codec)
{
    AVDictionary *options = NULL;
    // FFmpeg's own arrangement of 6.1 for libopus mixes up the channels.
    if (strcmp(codec->name, "libopus") == 0 && e->ch_layout.nb_channels > 2 &&
        av_dict_set(&options, "mapping_family", "1", 0) < 0)
        return AVERROR(ENOMEM);
    const int result = avcodec_open2(e, codec, &options);
    av_dict_free(&options);
    return result;
}

static ksr_status open_encoder(ksr_context *ctx, ksr_audio *a, const char *name, int64_t bit_rate,
                               bool global_header)
{
    char text[256], layout[64] = "";
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec || codec->type != AVMEDIA_TYPE_AUDIO)
        return ksr_fail(ctx, KSR_E_PARAM, "audio_codec: there is no audio encoder '%s'", name);
    AVCodecContext *e = a->encoder = avcodec_alloc_context3(codec);
    if (!e || choose_layout(codec, &a->decoder->ch_layout, &e->ch_layout) < 0)
        return ksr_fail_memory(ctx);
    e->sample_fmt = choose_sample_format(codec, a->decoder->sample_fmt);
    e->sample_rate = choose_rate(codec, a->decoder->sample_rate);
    e->time_base = (AVRational){1, e->sample_rate};
    e->bit_rate = bit_rate;
    e->thread_count = 1;
    e->flags |= AV_CODEC_FLAG_BITEXACT;
    e->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    if (global_header)
        e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    ksr_ffmpeg_clear_message();
    int result = open_codec(e, codec);
    if (result == AVERROR(EINVAL) && !ksr_av_channel_layouts(codec)) {
        // libopus knows one layout per number of channels and has no list of them.
        av_channel_layout_uninit(&e->ch_layout);
        av_channel_layout_default(&e->ch_layout, a->decoder->ch_layout.nb_channels);
        result = open_codec(e, codec);
    }
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    if (result >= 0)
        return KSR_OK;
    av_channel_layout_describe(&a->decoder->ch_layout, layout, sizeof(layout));
    return ksr_fail(ctx, KSR_E_PARAM,
                    "audio_codec: %s cannot encode audio stream %d (%s, %d Hz, %lld bit/s): %s",
                    name, a->stream->index, layout, a->decoder->sample_rate, (long long)bit_rate,
                    ksr_ffmpeg_error(result, text));
}

// Opens the resampler for what the decoder gives, which may differ from what the header says and
// change on the way.
static ksr_status open_resampler(ksr_context *ctx, ksr_audio *a, const AVChannelLayout *layout,
                                 enum AVSampleFormat format, int rate)
{
    AVCodecContext *e = a->encoder;
    AVChannelLayout from = {0};
    if (layout->order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&from, layout->nb_channels);
    else if (av_channel_layout_copy(&from, layout) < 0)
        return ksr_fail_memory(ctx);
    swr_free(&a->resampler);
    int result = av_channel_layout_copy(&a->layout, layout);
    if (result >= 0)
        result = swr_alloc_set_opts2(&a->resampler, &e->ch_layout, e->sample_fmt, e->sample_rate,
                                     &from, format, rate, 0, NULL);
    const int cpu_flags = av_get_cpu_flags();
    av_force_cpu_flags(0);
    if (result >= 0)
        result = swr_init(a->resampler);
    av_force_cpu_flags(cpu_flags);
    av_channel_layout_uninit(&from);
    a->format = format;
    a->rate = rate;
    if (result == AVERROR(ENOMEM))
        return ksr_fail_memory(ctx);
    return result < 0 ? ksr_fail(ctx, KSR_E_PROCESS, "cannot convert the audio of stream %d",
                                 a->stream->index)
                      : KSR_OK;
}

ksr_status ksr_audio_open(ksr_context *ctx, const AVStream *stream, const char *codec,
                          int64_t bit_rate, bool global_header, bool from_zero, ksr_audio **out)
{
    ksr_audio *a = calloc(1, sizeof(*a));
    *out = NULL;
    if (!a)
        return ksr_fail_memory(ctx);
    a->stream = (AVStream *)stream;
    a->from_zero = from_zero;
    const int cpu_flags = av_get_cpu_flags();
    av_force_cpu_flags(0);
    ksr_status status = ksr_stream_open_decoder(ctx, stream, &a->decoder);
    if (status == KSR_OK && (a->decoder->sample_rate <= 0 || a->decoder->ch_layout.nb_channels < 1))
        status = ksr_fail(ctx, KSR_E_INPUT, "audio of stream %d has no sample rate or channels",
                          stream->index);
    if (status == KSR_OK)
        status = open_encoder(ctx, a, codec, bit_rate, global_header);
    if (status == KSR_OK)
        status = open_resampler(ctx, a, &a->decoder->ch_layout, a->decoder->sample_fmt,
                                a->decoder->sample_rate);
    av_force_cpu_flags(cpu_flags);
    if (status == KSR_OK) {
        a->fifo = av_audio_fifo_alloc(a->encoder->sample_fmt, a->encoder->ch_layout.nb_channels,
                                      a->encoder->sample_rate);
        a->decoded = av_frame_alloc();
        a->converted = av_frame_alloc();
        a->chunk = av_frame_alloc();
        if (!a->fifo || !a->decoded || !a->converted || !a->chunk)
            status = ksr_fail_memory(ctx);
    }
    if (status != KSR_OK)
        ksr_audio_close(&a);
    *out = a;
    return status;
}

// Readies a frame of `samples` in the encoder's format.
static bool ready_frame(const ksr_audio *a, AVFrame *frame, int samples)
{
    av_frame_unref(frame);
    frame->format = a->encoder->sample_fmt;
    frame->sample_rate = a->encoder->sample_rate;
    frame->nb_samples = samples;
    return av_channel_layout_copy(&frame->ch_layout, &a->encoder->ch_layout) >= 0 &&
           av_frame_get_buffer(frame, 0) >= 0;
}

static ksr_status push_silence(ksr_context *ctx, ksr_audio *a, int64_t samples)
{
    while (samples > 0) {
        const int n = samples < 4096 ? (int)samples : 4096;
        if (!ready_frame(a, a->converted, n) ||
            av_samples_set_silence(a->converted->extended_data, 0, n,
                                   a->encoder->ch_layout.nb_channels, a->encoder->sample_fmt) < 0 ||
            av_audio_fifo_write(a->fifo, (void **)a->converted->extended_data, n) < n)
            return ksr_fail_memory(ctx);
        samples -= n;
        a->written += n;
    }
    return KSR_OK;
}

// Differences below this are rounding of container ticks, not holes: 10 ms.
static int64_t tolerance(const ksr_audio *a)
{
    return a->encoder->sample_rate / 100;
}

// Puts converted samples where they belong in time. time: of the first, in encoder samples, or
// AV_NOPTS_VALUE = right behind the last.
static ksr_status place_samples(ksr_context *ctx, ksr_audio *a, int64_t time)
{
    int skip = 0;
    const int count = a->converted->nb_samples;
    const int64_t slack = a->behind || (a->from_zero && a->written == 0) ? 0 : tolerance(a);
    if (!a->started) {
        a->started = true;
        a->written = a->sent = time == AV_NOPTS_VALUE || a->from_zero ? 0 : time;
        a->early = a->from_zero && time != AV_NOPTS_VALUE && time < 0 ? -time : 0;
    }
    if (time != AV_NOPTS_VALUE && time > a->written + slack) {
        AVFrame *samples = av_frame_clone(a->converted);
        const ksr_status status =
            samples ? push_silence(ctx, a, time - a->written) : ksr_fail_memory(ctx);
        if (samples) {
            av_frame_unref(a->converted);
            av_frame_move_ref(a->converted, samples);
        }
        av_frame_free(&samples);
        if (status != KSR_OK)
            return status;
    } else if (time != AV_NOPTS_VALUE && time < a->written - slack) {
        skip = a->written - time < count ? (int)(a->written - time) : count;
    }
    a->behind = skip == count;
    a->cut += a->written > 0 ? skip : 0; // what is before 0 is told by `early`
    if (a->behind)
        return KSR_OK;
    if (!ready_frame(a, a->chunk, count - skip) ||
        av_samples_copy(a->chunk->extended_data, a->converted->extended_data, 0, skip, count - skip,
                        a->encoder->ch_layout.nb_channels, a->encoder->sample_fmt) < 0 ||
        av_audio_fifo_write(a->fifo, (void **)a->chunk->extended_data, count - skip) < count - skip)
        return ksr_fail_memory(ctx);
    a->written += count - skip;
    return KSR_OK;
}

// Converts a decoded frame (NULL: what the resampler still holds) and places it.
static ksr_status convert(ksr_context *ctx, ksr_audio *a, const AVFrame *frame)
{
    const AVRational out_base = {1, a->encoder->sample_rate};
    const int64_t held = swr_get_delay(a->resampler, a->encoder->sample_rate);
    const int capacity = swr_get_out_samples(a->resampler, frame ? frame->nb_samples : 0);
    if (capacity <= 0)
        return KSR_OK;
    if (!ready_frame(a, a->converted, capacity))
        return ksr_fail_memory(ctx);
    const int count = swr_convert(a->resampler, a->converted->extended_data, capacity,
                                  frame ? (const uint8_t **)(uintptr_t)frame->extended_data : NULL,
                                  frame ? frame->nb_samples : 0);
    if (count == AVERROR(ENOMEM))
        return ksr_fail_memory(ctx);
    if (count < 0)
        return ksr_fail(ctx, KSR_E_PROCESS, "cannot convert the audio of stream %d",
                        a->stream->index);
    if (count == 0)
        return KSR_OK;
    a->converted->nb_samples = count;
    int64_t time = AV_NOPTS_VALUE;
    if (frame && frame->best_effort_timestamp != AV_NOPTS_VALUE &&
        (!a->started || frame->best_effort_timestamp != a->time))
        time = av_rescale_q(frame->best_effort_timestamp, a->stream->time_base, out_base) - held;
    return place_samples(ctx, a, time);
}

// A track may change its format in the middle (broadcasts do): what the resampler still holds of
// the old one comes first.
static ksr_status adapt(ksr_context *ctx, ksr_audio *a, const AVFrame *frame)
{
    if (frame->format == a->format && frame->sample_rate == a->rate &&
        av_channel_layout_compare(&frame->ch_layout, &a->layout) == 0)
        return KSR_OK;
    const ksr_status status = convert(ctx, a, NULL);
    a->changed |= a->started && (frame->sample_rate != a->rate ||
                                 frame->ch_layout.nb_channels != a->layout.nb_channels);
    return status == KSR_OK ? open_resampler(ctx, a, &frame->ch_layout,
                                             (enum AVSampleFormat)frame->format, frame->sample_rate)
                            : status;
}

// What an encoder that is not drained (MP2, AC-3) would keep of the last samples, for its priming.
static int64_t undelivered(const ksr_audio *a)
{
    const bool drained = a->encoder->codec->capabilities & AV_CODEC_CAP_DELAY;
    return drained ? 0 : a->encoder->initial_padding;
}

ksr_status ksr_audio_send(ksr_context *ctx, ksr_audio *a, const AVPacket *packet)
{
    // What the decoder refuses is a hole, filled by place_samples().
    ksr_status status = ksr_stream_send(ctx, a->decoder, packet, NULL);
    for (bool got = true; status == KSR_OK && got;) {
        status = ksr_stream_receive(ctx, a->decoder, a->decoded, &got);
        if (!got)
            break;
        status = adapt(ctx, a, a->decoded);
        if (status == KSR_OK)
            status = convert(ctx, a, a->decoded);
        a->time = a->decoded->best_effort_timestamp;
        av_frame_unref(a->decoded);
    }
    if (!packet && status == KSR_OK) {
        status = convert(ctx, a, NULL);
        if (status == KSR_OK && a->started)
            status = push_silence(ctx, a, undelivered(a));
        a->finished = true;
    }
    return status;
}

static ksr_status encoding_failed(ksr_context *ctx, const ksr_audio *a, int result)
{
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return ksr_fail(ctx, KSR_E_PROCESS, "encoding the audio of stream %d failed", a->stream->index);
}

// Sends one frame from the FIFO to the encoder; *sent is false when there is not enough yet.
static ksr_status send_chunk(ksr_context *ctx, ksr_audio *a, bool *sent)
{
    const int available = av_audio_fifo_size(a->fifo);
    const int wanted = a->encoder->frame_size > 0 ? a->encoder->frame_size : 1024;
    const int count = available < wanted ? available : wanted;
    *sent = false;
    if (count == 0 || (count < wanted && !a->finished))
        return KSR_OK;
    if (!ready_frame(a, a->chunk, count) ||
        av_audio_fifo_read(a->fifo, (void **)a->chunk->extended_data, count) < count)
        return ksr_fail_memory(ctx);
    a->chunk->pts = a->sent;
    a->sent += count;
    *sent = true;
    ksr_ffmpeg_clear_message();
    const int result = avcodec_send_frame(a->encoder, a->chunk);
    return result < 0 ? encoding_failed(ctx, a, result) : KSR_OK;
}

ksr_status ksr_audio_receive(ksr_context *ctx, ksr_audio *a, AVPacket *packet)
{
    for (;;) {
        ksr_ffmpeg_clear_message();
        const int result = avcodec_receive_packet(a->encoder, packet);
        if (result >= 0 || result == AVERROR_EOF)
            return KSR_OK;
        if (result != AVERROR(EAGAIN))
            return encoding_failed(ctx, a, result);
        bool sent;
        const ksr_status status = send_chunk(ctx, a, &sent);
        if (status != KSR_OK)
            return status;
        if (!sent && !a->finished)
            return KSR_OK;
        if (!sent)
            avcodec_send_frame(a->encoder, NULL);
    }
}

double ksr_audio_early_ms(const ksr_audio *audio)
{
    return (double)audio->early * 1000 / audio->encoder->sample_rate;
}

double ksr_audio_cut_ms(const ksr_audio *audio)
{
    return (double)audio->cut * 1000 / audio->encoder->sample_rate;
}

bool ksr_audio_changed(const ksr_audio *audio)
{
    return audio->changed;
}

const AVCodecContext *ksr_audio_encoder(const ksr_audio *audio)
{
    return audio->encoder;
}
