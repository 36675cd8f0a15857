// Writing the output file; see output.h. output_tracks.c makes its streams.

#include "media/mux/output.h"

#include <errno.h>
#include <libavutil/imgutils.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"
#include "media/av/alpha.h"
#include "media/container/containers.h"
#include "media/container/opus_delay.h"
#include "media/mux/output_parts.h"

// --- Setting up ---

#define MAX_MOVIE_TIMESCALE 100000000

// The MP4 ticks in which a track's late start is kept: fine enough for the video and, where the
// number stays sane, for every audio track (the default is a millisecond).
static int64_t movie_timescale(const ksr_output *o)
{
    int64_t scale = o->film_base.den;
    for (int i = 0; i < o->plan->stream_count; i++) {
        const AVCodecParameters *p = o->tracks[i].out ? o->tracks[i].out->codecpar : NULL;
        if (!p || p->codec_type != AVMEDIA_TYPE_AUDIO || p->sample_rate <= 0)
            continue;
        const int64_t common = scale / av_gcd(scale, p->sample_rate) * p->sample_rate;
        if (common <= MAX_MOVIE_TIMESCALE)
            scale = common;
    }
    return scale;
}

// A file with nothing but attachments or empty tracks is no file: a trial of one has a video beside
// it.
static ksr_status add_neighbour(ksr_context *ctx, ksr_output *o)
{
    AVStream *s = avformat_new_stream(o->format, NULL);
    if (!s)
        return ksr_fail_memory(ctx);
    s->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    const AVOutputFormat *format = o->format->oformat;
    s->codecpar->codec_id = o->container->trial_video ? (enum AVCodecID)o->container->trial_video
                            : avformat_query_codec(format, AV_CODEC_ID_MJPEG, 0) == 1
                                ? AV_CODEC_ID_MJPEG
                                : format->video_codec;
    s->codecpar->width = s->codecpar->height = 16;
    s->time_base = (AVRational){1, 25};
    o->neighbour = s;
    return KSR_OK;
}

// Whether every stream of the output is an attachment or a cover picture.
static bool only_attached(const ksr_output *o)
{
    for (unsigned i = 0; i < o->format->nb_streams; i++)
        if (o->format->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_ATTACHMENT &&
            !ksr_stream_is_cover(o->format->streams[i]))
            return false;
    return true;
}

static ksr_status write_failed(ksr_context *ctx, const ksr_output *o, int result)
{
    char text[256];
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return ksr_fail(ctx, KSR_E_OUTPUT, "cannot write %s: %s", o->path,
                    result == AVERROR(ENOSPC) ? strerror(ENOSPC) : ksr_ffmpeg_error(result, text));
}

// What a failure means: of a trial that the container does not take what it was given, which is for
// the caller to say, unless the memory ran out.
static ksr_status failed(ksr_context *ctx, const ksr_output *o, int result)
{
    if (!o->memory)
        return write_failed(ctx, o, result);
    return o->memory->starved || ksr_ffmpeg_starved(result) ? ksr_fail_memory(ctx) : KSR_E_OUTPUT;
}

static int open_file(ksr_output *o)
{
    if (o->memory) {
        o->format->pb = o->memory->io;
        return 0;
    }
    if (o->format->oformat->flags & AVFMT_NOFILE)
        return 0;
    return avio_open2(&o->format->pb, o->format->url, AVIO_FLAG_WRITE, NULL, NULL);
}

// What readers of the container will take off the times of Opus again.
static ksr_status set_delays(ksr_context *ctx, ksr_output *o)
{
    ksr_status status = KSR_OK;
    for (int i = 0; i < o->plan->stream_count; i++) {
        struct track *t = &o->tracks[i];
        const AVCodecParameters *p = t->out ? t->out->codecpar : NULL;
        bool added = true;
        if (p && p->codec_id == AV_CODEC_ID_OPUS && o->container->subtracts_delay)
            status = ksr_matroska_adds_delay(ctx, &added);
        if (status != KSR_OK)
            return status;
        if (!added)
            t->delay = av_rescale_q(p->initial_padding, (AVRational){1, 48000}, t->out->time_base);
    }
    return KSR_OK;
}

static ksr_status write_header(ksr_context *ctx, ksr_output *o)
{
    AVDictionary *options = NULL;
    char *url = o->path ? ksr_ffmpeg_url(o->path) : NULL;
    o->format->url = url || !o->path ? av_strdup(url ? url : "") : NULL;
    free(url);
    if (!o->format->url)
        return ksr_fail_memory(ctx);
    o->format->flags |= AVFMT_FLAG_BITEXACT;
    o->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL; // FLAC and TrueHD in MP4
    // Times stay as they are, negative ones too, where the container has room for those.
    o->format->avoid_negative_ts = o->container->start == KSR_START_POSITIVE ? -1 : 0;
    if (o->plan->image)
        av_dict_set(&options, "update", "1", 0);
    if (av_opt_find((void *)&o->format->oformat->priv_class, "movie_timescale", NULL, 0,
                    AV_OPT_SEARCH_FAKE_OBJ))
        av_dict_set_int(&options, "movie_timescale", movie_timescale(o), 0);
    // The index comes first, so that players and web pages begin at once. FFmpeg moves what it has
    // written, in place.
    if (o->path && o->container->index_first)
        av_dict_set(&options, "movflags", "+faststart", 0);
    if (o->container->late_header)
        av_dict_set(&options, "movflags", "+delay_moov", 0);
    ksr_ffmpeg_clear_message();
    int result = open_file(o);
    if (result < 0) {
        av_dict_free(&options);
        return write_failed(ctx, o, result);
    }
    result = avformat_write_header(o->format, &options);
    av_dict_free(&options);
    o->unfinished = result >= 0;
    return result < 0 ? failed(ctx, o, result) : set_delays(ctx, o);
}

// How long some samples are, in the time base of the film, rounded up.
static int64_t length_of(const ksr_output *o, int samples, int rate)
{
    const AVRational tick = {1, rate > 0 ? rate : 1};
    return av_rescale_q_rnd(samples, tick, o->film_base, AV_ROUND_UP);
}

// When an audio track begins, at the earliest, in the time base of the film: a range may begin
// within a packet, and an encoder puts samples of its own before the first.
static int64_t audio_start(const ksr_output *o, const struct track *t)
{
    const AVCodecParameters *p = t->in->codecpar;
    const AVCodecContext *encoder = t->audio ? ksr_audio_encoder(t->audio) : NULL;
    int64_t start = -length_of(o, p->frame_size, p->sample_rate);
    if (!o->cut.on && t->in->start_time != AV_NOPTS_VALUE)
        start = av_rescale_q_rnd(t->in->start_time, t->in->time_base, o->film_base, AV_ROUND_DOWN);
    return encoder ? start - length_of(o, encoder->initial_padding, encoder->sample_rate) : start;
}

// How far before zero the first decode timestamp of the video or an audio track is, in the time
// base of the film.
static int64_t time_below_zero(const ksr_output *o, const struct ksr_film *film)
{
    const struct ksr_film_frame *first = &film->frames[0];
    int64_t start = first->time - o->video_delay * first->duration;
    for (int i = 0; i < o->plan->stream_count; i++)
        if (o->tracks[i].out && o->tracks[i].in->codecpar->codec_type == AVMEDIA_TYPE_AUDIO)
            start = FFMIN(start, audio_start(o, &o->tracks[i]));
    return FFMAX(o->shift - start, 0);
}

// Chapters are shifted like everything else. Where the muxer would shift the streams, it would not
// shift chapters, so it is not left to do it.
static void shift_chapters(ksr_output *o, const struct ksr_film *film)
{
    const bool kept = o->format->nb_chapters > 0 && o->container->chapters == KSR_CHAPTERS_KEPT;
    if (kept && !o->memory && o->container->start == KSR_START_POSITIVE)
        o->shift -= time_below_zero(o, film);
    for (unsigned i = 0; i < o->format->nb_chapters; i++) {
        AVChapter *c = o->format->chapters[i];
        const int64_t shift = av_rescale_q(o->shift, o->film_base, c->time_base);
        c->start -= shift;
        c->end -= c->end != AV_NOPTS_VALUE ? shift : 0;
    }
}

// Whether no packets of other streams go along.
static bool is_alone(const ksr_output *o)
{
    for (int i = 0; i < o->plan->stream_count; i++)
        if (o->tracks[i].out && &o->tracks[i] != o->video && !o->tracks[i].attached)
            return false;
    return true;
}

int64_t ksr_output_shift(const struct ksr_output_plan *plan, const struct ksr_film *film)
{
    const int64_t start = film->frames[0].time;
    return ksr_container_begins_at_zero(ksr_container_of(plan->format)) || start < 0 ? start : 0;
}

ksr_status ksr_output_open(ksr_context *ctx, const char *path, const char *input_path,
                           const struct ksr_film *film, const struct ksr_encoder_settings *encoder,
                           const struct ksr_output_plan *plan, ksr_output **out)
{
    *out = NULL;
    ksr_output *o = calloc(1, sizeof(*o));
    if (!o)
        return ksr_fail_memory(ctx);
    o->plan = plan;
    o->container = ksr_container_of(plan->format);
    o->cut = ksr_cut_of(film);
    o->extras = film->extras;
    o->source = film->format;
    o->shift = ksr_output_shift(plan, film);
    o->film_base = (AVRational){film->time_base.num, film->time_base.den};
    o->memory = path ? NULL : ksr_memory_write();
    o->path = path ? strdup(path) : NULL;
    o->held = av_packet_alloc();
    o->packet = av_packet_alloc();
    ksr_status status = o->held && o->packet && (path ? o->path != NULL : o->memory != NULL)
                            ? KSR_OK
                            : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_input_open_film(ctx, input_path, film, &o->input);
    if (status == KSR_OK &&
        avformat_alloc_output_context2(&o->format, NULL, plan->format, NULL) < 0)
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_packets_create(ctx, &o->input, &o->cut, &o->packets);
    if (status == KSR_OK)
        status = ksr_output_add_tracks(ctx, o, encoder);
    if (status == KSR_OK)
        shift_chapters(o, film);
    if (status == KSR_OK && o->memory && (plan->accompanied || only_attached(o)))
        status = add_neighbour(ctx, o);
    if (status == KSR_OK)
        status = write_header(ctx, o);
    if (status == KSR_OK)
        o->input_ended = is_alone(o);
    if (status != KSR_OK)
        ksr_output_close(&o);
    *out = o;
    return status;
}

void ksr_output_close(ksr_output **output)
{
    if (!output || !*output)
        return;
    ksr_output *o = *output;
    for (int i = 0; o->tracks && i < o->plan->stream_count; i++) {
        ksr_audio_close(&o->tracks[i].audio);
        ksr_text_close(&o->tracks[i].text);
    }
    free(o->tracks);
    ksr_patches_free(&o->patches);
    if (o->memory && o->unfinished) // some muxers free what they have with the trailer only
        av_write_trailer(o->format);
    if (o->format && o->format->pb) {
        if (!o->memory && !(o->format->oformat->flags & AVFMT_NOFILE))
            avio_closep(&o->format->pb);
    }
    avformat_free_context(o->format);
    ksr_memory_close(&o->memory);
    ksr_packets_destroy(&o->packets);
    ksr_input_close(&o->input);
    av_packet_free(&o->held);
    av_packet_free(&o->packet);
    free(o->path);
    free(o);
    *output = NULL;
}

// --- Writing ---

// Hands o->packet to the muxer, which takes its data. Decode times must rise: what does not is
// moved by the least that helps.
static ksr_status write_packet(ksr_context *ctx, ksr_output *o, struct track *t)
{
    AVPacket *p = o->packet;
    p->pts += p->pts != AV_NOPTS_VALUE ? t->delay : 0;
    p->dts += p->dts != AV_NOPTS_VALUE ? t->delay : 0;
    if (p->dts == AV_NOPTS_VALUE)
        p->dts = p->pts != AV_NOPTS_VALUE        ? p->pts
                 : t->last_dts != AV_NOPTS_VALUE ? t->last_dts + 1
                                                 : 0;
    const bool strict = !(o->format->oformat->flags & AVFMT_TS_NONSTRICT);
    if (t->last_dts != AV_NOPTS_VALUE && p->dts < t->last_dts + strict) {
        p->dts = t->last_dts + strict;
        t->bumped++;
    }
    if (p->pts == AV_NOPTS_VALUE || p->pts < p->dts)
        p->pts = p->dts;
    t->last_dts = p->dts;
    p->stream_index = t->out->index;
    p->pos = -1;
    ksr_ffmpeg_clear_message();
    int result = av_interleaved_write_frame(o->format, p);
    if (result >= 0 && o->format->pb && o->format->pb->error < 0)
        result = o->format->pb->error;
    if (result >= 0 && o->format->pb)
        o->size = avio_tell(o->format->pb);
    return result < 0 ? failed(ctx, o, result) : KSR_OK;
}

// Container ticks of milliseconds make frames of audio unevenly long; a finer output gets the
// sample-exact times within half a tick. Half of a coarser one, as AVI has, could be heard.
static void rescale_times(struct track *t, AVPacket *p)
{
    const AVRational in = t->in->time_base, out = t->out->time_base;
    const AVCodecParameters *par = t->in->codecpar;
    const int64_t dts = p->dts != AV_NOPTS_VALUE ? p->dts : p->pts;
    const int samples = par->codec_type == AVMEDIA_TYPE_AUDIO && par->sample_rate > 0
                            ? av_get_audio_frame_duration2((AVCodecParameters *)par, p->size)
                            : 0;
    const AVRational sample = {1, par->sample_rate > 0 ? par->sample_rate : 1};
    if (samples > 0 && dts != AV_NOPTS_VALUE && av_cmp_q(in, sample) > 0 &&
        av_cmp_q(in, (AVRational){1, 500}) <= 0 && av_cmp_q(out, in) < 0) {
        p->dts = p->pts = av_rescale_delta(in, dts, sample, samples, &t->rescale, out);
        p->duration = av_rescale_q(samples, sample, out);
        return;
    }
    av_packet_rescale_ts(p, in, out);
}

// Audio without a length is as long as the packet before it was: a muxer that keeps lengths would
// otherwise end the track before its last packet.
static void fill_duration(struct track *t, AVPacket *p)
{
    // Where packets are missing, the sum of lengths says nothing about the next time.
    const AVCodecParameters *par = t->in->codecpar;
    const int samples = par->codec_type == AVMEDIA_TYPE_AUDIO && par->sample_rate > 0
                            ? av_get_audio_frame_duration2((AVCodecParameters *)par, t->last_size)
                            : 0;
    if (samples > 0 && p->dts != AV_NOPTS_VALUE && t->last_in != AV_NOPTS_VALUE) {
        const double tick = av_q2d(t->in->time_base);
        const double step = (double)(p->dts - t->last_in) * tick;
        if (step >= (double)samples / par->sample_rate + tick * 0.999)
            t->rescale = AV_NOPTS_VALUE;
    }
    t->last_size = p->size;
    if (p->duration <= 0 && t->in->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
        p->dts != AV_NOPTS_VALUE && t->last_in != AV_NOPTS_VALUE && p->dts > t->last_in)
        p->duration = p->dts - t->last_in;
    t->last_in = p->dts;
}

static ksr_status write_encoded_audio(ksr_context *ctx, ksr_output *o, struct track *t)
{
    for (;;) {
        av_packet_unref(o->packet);
        ksr_status status = ksr_audio_receive(ctx, t->audio, o->packet);
        if (status != KSR_OK || o->packet->size == 0)
            return status;
        av_packet_rescale_ts(o->packet, ksr_audio_encoder(t->audio)->time_base, t->out->time_base);
        status = write_packet(ctx, o, t);
        if (status != KSR_OK)
            return status;
    }
}

static ksr_status write_held(ksr_context *ctx, ksr_output *o)
{
    struct track *t = &o->tracks[o->held->stream_index];
    ksr_status status = KSR_OK;
    o->holding = false;
    if (t->audio) {
        status = ksr_audio_send(ctx, t->audio, o->held);
        if (status == KSR_OK)
            status = write_encoded_audio(ctx, o, t);
    } else if (t->text) {
        status = ksr_text_convert(ctx, t->text, o->held, o->packet);
        if (status == KSR_OK && o->packet->size > 0) {
            av_packet_rescale_ts(o->packet, t->in->time_base, t->out->time_base);
            status = write_packet(ctx, o, t);
        }
    } else {
        av_packet_unref(o->packet);
        av_packet_move_ref(o->packet, o->held);
        fill_duration(t, o->packet);
        rescale_times(t, o->packet);
        status = write_packet(ctx, o, t);
    }
    av_packet_unref(o->held);
    return status;
}

static void shift_times(const ksr_output *o, AVPacket *p)
{
    const AVRational base = o->input.format->streams[p->stream_index]->time_base;
    const int64_t shift = av_rescale_q(o->shift, o->film_base, base);
    if (p->pts != AV_NOPTS_VALUE)
        p->pts -= shift;
    if (p->dts != AV_NOPTS_VALUE)
        p->dts -= shift;
}

// Makes o->held the next packet of the streams that go along, if there is one.
static ksr_status hold_next(ksr_context *ctx, ksr_output *o)
{
    while (!o->holding && !o->input_ended) {
        if (!ksr_packets_next(o->packets, o->held)) {
            o->input_ended = true;
            return ksr_packets_starved(o->packets) ? ksr_fail_memory(ctx) : KSR_OK;
        }
        const int i = o->held->stream_index;
        shift_times(o, o->held);
        o->holding = i < o->plan->stream_count && o->tracks[i].out && !o->tracks[i].attached &&
                     &o->tracks[i] != o->video;
        if (!o->holding)
            av_packet_unref(o->held);
    }
    return KSR_OK;
}

// Writes the packets of the other streams that are due at a time of the film; AV_NOPTS_VALUE = all.
static ksr_status carry_until(ksr_context *ctx, ksr_output *o, int64_t time)
{
    for (;;) {
        ksr_status status = hold_next(ctx, o);
        if (status != KSR_OK || !o->holding)
            return status;
        const AVRational base = o->tracks[o->held->stream_index].in->time_base;
        const int64_t due = o->held->dts != AV_NOPTS_VALUE ? o->held->dts : o->held->pts;
        if (time != AV_NOPTS_VALUE && due != AV_NOPTS_VALUE &&
            av_compare_ts(due, base, time, o->film_base) > 0)
            return KSR_OK;
        status = write_held(ctx, o);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
        if (status != KSR_OK)
            return status;
    }
}

static void free_frame(void *opaque, uint8_t *data)
{
    AVFrame *frame = (AVFrame *)(void *)data;
    (void)opaque;
    av_frame_free(&frame);
}

// Makes a raw picture's packet one of an AVFrame.
static ksr_status wrap_picture(ksr_context *ctx, const ksr_output *o, AVPacket *p)
{
    const AVCodecParameters *par = o->video->out->codecpar;
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return ksr_fail_memory(ctx);
    frame->format = par->format;
    frame->width = par->width;
    frame->height = par->height;
    const int size =
        av_image_fill_arrays(frame->data, frame->linesize, p->data, (enum AVPixelFormat)par->format,
                             par->width, par->height, 1);
    frame->buf[0] = p->buf;
    p->buf = av_buffer_create((uint8_t *)frame, sizeof(*frame), free_frame, NULL, 0);
    if (!p->buf || size != p->size) {
        if (!p->buf)
            av_frame_free(&frame);
        return size == p->size ? ksr_fail_memory(ctx) : write_failed(ctx, o, AVERROR_INVALIDDATA);
    }
    p->data = (uint8_t *)frame;
    p->size = sizeof(*frame);
    return KSR_OK;
}

ksr_status ksr_output_video(ksr_context *ctx, ksr_output *o, const void *data, size_t size,
                            int64_t time, int64_t decode_time, int64_t duration, bool key)
{
    time -= o->shift;
    decode_time -= o->shift;
    ksr_status status = o->plan->image ? KSR_OK : carry_until(ctx, o, decode_time);
    if (status != KSR_OK)
        return status;
    AVPacket *p = o->packet;
    av_packet_unref(p);
    if (size > INT32_MAX || av_new_packet(p, (int)size) < 0)
        return ksr_fail_memory(ctx);
    memcpy(p->data, data, size);
    if (o->alpha && ksr_alpha_unpack(p) < 0)
        return ksr_fail_memory(ctx);
    p->pts = time;
    p->dts = decode_time;
    p->duration = duration;
    p->flags = key ? AV_PKT_FLAG_KEY : 0;
    av_packet_rescale_ts(p, o->film_base, o->video->out->time_base);
    if (o->container->frames_in_packets)
        status = wrap_picture(ctx, o, p);
    return status == KSR_OK ? write_packet(ctx, o, o->video) : status;
}

static ksr_status flush_audio(ksr_context *ctx, ksr_output *o)
{
    ksr_status status = KSR_OK;
    for (int i = 0; status == KSR_OK && i < o->plan->stream_count; i++)
        if (o->tracks[i].audio) {
            status = ksr_audio_send(ctx, o->tracks[i].audio, NULL);
            if (status == KSR_OK)
                status = write_encoded_audio(ctx, o, &o->tracks[i]);
        }
    return status;
}

static void warn_of_audio(ksr_context *ctx, int stream, const ksr_audio *audio)
{
    const double cut = ksr_audio_cut_ms(audio);
    if (cut > 100)
        ksr_log(ctx, KSR_LOG_WARNING, "audio stream %d: %.1f s of overlapping audio were cut",
                stream, cut / 1000);
    if (ksr_audio_changed(audio))
        ksr_log(ctx, KSR_LOG_WARNING,
                "audio stream %d changes its channels or sample rate: it keeps the initial ones "
                "throughout",
                stream);
}

static void warn_bumped(ksr_context *ctx, const ksr_output *o)
{
    for (int i = 0; i < o->plan->stream_count; i++)
        if (o->tracks[i].bumped > 0)
            ksr_log(ctx, KSR_LOG_WARNING,
                    "stream %d: %d packets with non-monotonic timestamps were moved", i,
                    o->tracks[i].bumped);
}

ksr_status ksr_output_finish(ksr_context *ctx, ksr_output *o)
{
    ksr_status status = o->plan->image ? KSR_OK : carry_until(ctx, o, AV_NOPTS_VALUE);
    if (status == KSR_OK)
        status = flush_audio(ctx, o);
    if (status != KSR_OK)
        return status;
    warn_bumped(ctx, o);
    for (int i = 0; i < o->plan->stream_count; i++)
        if (o->tracks[i].audio)
            warn_of_audio(ctx, i, o->tracks[i].audio);
    ksr_ffmpeg_clear_message();
    int result = av_write_trailer(o->format);
    if (!(o->format->oformat->flags & AVFMT_NOFILE)) {
        avio_flush(o->format->pb);
        if (result >= 0 && o->format->pb->error < 0)
            result = o->format->pb->error;
        const int closed = avio_closep(&o->format->pb);
        if (result >= 0)
            result = closed;
        if (result >= 0)
            result = ksr_patches_apply(&o->patches, o->path, o->format);
    }
    o->size = ksr_fs_size(o->path);
    return result < 0 ? write_failed(ctx, o, result) : KSR_OK;
}

// How far a trial goes for packets behind the first, from where they begin: behind all fonts, in
// Matroska.
#define TRIAL_BYTES (64 << 20)

// Gives the neighbour of a trial its one packet.
static ksr_status write_neighbour(ksr_context *ctx, ksr_output *o)
{
    av_packet_unref(o->packet);
    if (av_new_packet(o->packet, 16) < 0)
        return ksr_fail_memory(ctx);
    memset(o->packet->data, 0, 16);
    o->packet->pts = o->packet->dts = 0;
    o->packet->duration = o->neighbour->time_base.den / 25;
    o->packet->flags = AV_PKT_FLAG_KEY;
    o->packet->stream_index = o->neighbour->index;
    ksr_ffmpeg_clear_message();
    const int result = av_interleaved_write_frame(o->format, o->packet);
    return result < 0 ? failed(ctx, o, result) : KSR_OK;
}

ksr_status ksr_output_try(ksr_context *ctx, ksr_output *o, size_t limit, size_t *written,
                          bool *whole, const struct ksr_memory **file)
{
    ksr_status status = o->neighbour ? write_neighbour(ctx, o) : KSR_OK;
    AVIOContext *input = o->input.format->pb;
    const int64_t limit_at = (input ? avio_tell(input) : 0) + TRIAL_BYTES;
    *whole = false;
    for (*written = 0; status == KSR_OK && *written < limit; ++*written) {
        status = hold_next(ctx, o);
        *whole = !o->holding;
        if (!o->holding || (*written > 0 && input && avio_tell(input) > limit_at))
            break;
        if (status == KSR_OK)
            status = write_held(ctx, o);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    if (status == KSR_OK)
        status = flush_audio(ctx, o);
    if (status == KSR_OK) {
        ksr_ffmpeg_clear_message();
        const int result = av_write_trailer(o->format);
        o->unfinished = false;
        if (o->format->pb)
            avio_flush(o->format->pb);
        if (result < 0 || o->memory->starved)
            status = failed(ctx, o, result);
        else if (ksr_patches_apply_memory(&o->patches, o->memory, o->format) < 0)
            status = ksr_fail_memory(ctx);
    }
    *file = o->memory;
    return status;
}

double ksr_output_early_ms(const ksr_output *output, int stream)
{
    const ksr_audio *audio = output->tracks[stream].audio;
    return audio ? ksr_audio_early_ms(audio) : 0;
}

unsigned ksr_output_chapters(const ksr_output *output)
{
    return output->format->nb_chapters;
}

int64_t ksr_output_size(const ksr_output *output)
{
    return output->size;
}
