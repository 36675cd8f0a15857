// Opening and running the video encoder; see encoder.h.

#include "media/encode/encoder.h"

#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "media/av/alpha.h"
#include "media/av/ffmpeg.h"
#include "media/av/pixels.h"
#include "media/av/samples.h"
#include "media/encode/codecs.h"
#include "media/encode/hardware.h"
#include "media/encode/theora.h"
#include "media/index/side_data.h"

struct ksr_encoder {
    const struct ksr_codec *codec;
    AVCodecContext *context;
    AVPacket *packet;
    uint8_t *headers; // that came with a packet
    size_t headers_size;
    bool begun, finished;
    uint8_t repeated[KSR_THEORA_REPEAT];
    // With frames only:
    AVFrame *picture[2]; // one is filled while the other is encoded, in turn:
    int filled, written; // the next one to
    struct ksr_pixel_writer *writer;
    ksr_hasher *samples; // of all frames so far
    ksr_pool *pool;
};

// Whether the encoder would wait for good when it is closed now.
static bool needs_end(const ksr_encoder *e)
{
    return e->context && avcodec_is_open(e->context) && !e->finished && e->codec->needs_frame;
}

// Returns whether the encoder may be closed.
static bool end_stream(ksr_encoder *e)
{
    AVCodecContext *c = e->context;
    AVFrame *frame = e->begun ? NULL : av_frame_alloc();
    if (frame) {
        frame->format = c->pix_fmt;
        frame->width = c->width;
        frame->height = c->height;
        if (av_frame_get_buffer(frame, 0) >= 0) {
            for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
                memset(frame->buf[i]->data, 0, frame->buf[i]->size);
            e->begun = avcodec_send_frame(c, frame) >= 0;
        }
        av_frame_free(&frame);
    }
    if (!e->begun || avcodec_send_frame(c, NULL) < 0)
        return false;
    while (avcodec_receive_packet(c, e->packet) >= 0)
        av_packet_unref(e->packet);
    return true;
}

void ksr_encoder_close(ksr_encoder **encoder)
{
    if (!encoder || !*encoder)
        return;
    if (!needs_end(*encoder) || end_stream(*encoder)) // memory that is lost is better than waiting
        avcodec_free_context(&(*encoder)->context);
    free((*encoder)->headers);
    av_frame_free(&(*encoder)->picture[0]);
    av_frame_free(&(*encoder)->picture[1]);
    av_packet_free(&(*encoder)->packet);
    ksr_pixel_writer_destroy(&(*encoder)->writer);
    ksr_hasher_destroy(&(*encoder)->samples);
    free(*encoder);
    *encoder = NULL;
}

// Options that depend on the run and not on the job: the size of the encoder's thread pool, and the
// SIMD limit of tests.
static int set_run_options(const struct ksr_encoder_settings *s, int threads,
                           AVDictionary **options)
{
    const struct ksr_codec *codec = ksr_codec_of(s->codec);
    const bool plain = codec->plain_c && ksr_cpu_get_limit() == KSR_CPU_C;
    char text[640], pools[32] = "";
    if (codec->pool)
        snprintf(pools, sizeof(pools), ":pools=%d", threads < 2 ? 2 : threads);
    for (int i = 0; i < s->option_count; i++) {
        const char *name = s->options[i].name, *value = s->options[i].value;
        if (codec->params_key && strcmp(name, codec->params_key) == 0) {
            snprintf(text, sizeof(text), "%s%s%s%s", value, pools, plain ? ":" : "",
                     plain ? codec->plain_c : "");
            value = text;
        }
        if (av_dict_set(options, name, value, 0) < 0)
            return AVERROR(ENOMEM);
    }
    return 0;
}

static void set_context(AVCodecContext *c, const struct ksr_encoder_settings *s)
{
    const struct ksr_video_format *f = &s->format;
    c->width = f->width;
    c->height = f->height;
    c->pix_fmt = av_get_pix_fmt(f->pixel_format);
    c->time_base = (AVRational){s->time_base.num, s->time_base.den};
    c->framerate = (AVRational){f->frame_rate.num, f->frame_rate.den};
    c->sample_aspect_ratio = (AVRational){f->sample_aspect.num, f->sample_aspect.den};
    c->color_range = (enum AVColorRange)f->color_range;
    c->colorspace = (enum AVColorSpace)f->color_space;
    c->color_primaries = (enum AVColorPrimaries)f->color_primaries;
    c->color_trc = (enum AVColorTransferCharacteristic)f->color_transfer;
    c->chroma_sample_location = (enum AVChromaLocation)f->chroma_location;
    c->thread_count = 1;
    c->flags |= AV_CODEC_FLAG_BITEXACT;
    if (s->global_header)
        c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    c->bit_rate = s->bit_rate;
    if (s->quality_scale > 0) {
        c->flags |= AV_CODEC_FLAG_QSCALE;
        c->global_quality = s->quality_scale;
    }
}

static bool has_headers(const ksr_encoder *e, const char *wanted)
{
    char headers[KSR_HASH_TEXT];
    size_t size;
    const uint8_t *data = ksr_encoder_headers(e, &size);
    ksr_hash_text(data, size, headers);
    return strcmp(headers, wanted) == 0;
}

// Takes over what another encoder of the same settings has found its headers to be.
static ksr_status find_headers(ksr_context *ctx, const struct ksr_encoder_settings *s,
                               ksr_encoder *e)
{
    ksr_encoder *look;
    const ksr_status status = ksr_encoder_look(ctx, s, &look);
    if (status != KSR_OK)
        return status;
    e->headers = look->headers;
    e->headers_size = look->headers_size;
    look->headers = NULL;
    ksr_encoder_close(&look);
    return KSR_OK;
}

static ksr_status check_headers(ksr_context *ctx, const struct ksr_encoder_settings *s,
                                ksr_encoder *e)
{
    if (!s->headers[0] || has_headers(e, s->headers))
        return KSR_OK;
    if (!s->promised && e->context->extradata_size == 0) {
        const ksr_status status = find_headers(ctx, s, e);
        if (status != KSR_OK || has_headers(e, s->headers))
            return status;
    }
    return ksr_fail(ctx, KSR_E_PROCESS, "%s opened with other settings than planned", s->codec);
}

// The encoder does not open. What is in hardware may not be there, and another one is.
static ksr_status refuse(ksr_context *ctx, const struct ksr_encoder_settings *s, const char *reason)
{
    const char *other = ksr_codec_in_software(s->codec);
    const size_t length = strlen(reason);
    const int end = (int)(length > 0 && reason[length - 1] == '.' ? length - 1 : length);
    if (!other)
        return ksr_fail(ctx, KSR_E_PARAM, "failed to open encoder %s (%dx%d, %s): %.*s", s->codec,
                        s->format.width, s->format.height, s->format.pixel_format, end, reason);
    return ksr_fail(ctx, KSR_E_PARAM,
                    "failed to open encoder %s (%dx%d, %s): %.*s (use {codec=%s})", s->codec,
                    s->format.width, s->format.height, s->format.pixel_format, end, reason, other);
}

static ksr_status open_context(ksr_context *ctx, const struct ksr_encoder_settings *s, int threads,
                               AVCodecContext *c)
{
    AVDictionary *options = NULL;
    char text[256];
    set_context(c, s);
    int result = set_run_options(s, threads, &options);
    ksr_ffmpeg_clear_message();
    if (result >= 0)
        result = ksr_hardware_prepare(ksr_codec_of(s->codec), c);
    if (result >= 0)
        result = avcodec_open2(c, c->codec, &options);
    const AVDictionaryEntry *unknown = av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX);
    ksr_status status = KSR_OK;
    if (ksr_ffmpeg_starved(result))
        status = ksr_fail_memory(ctx);
    else if (result < 0)
        status = refuse(ctx, s, ksr_ffmpeg_error(result, text));
    else if (unknown)
        status = ksr_fail(ctx, KSR_E_PARAM, "encoder_options: %s has no option '%s'", s->codec,
                          unknown->key);
    av_dict_free(&options);
    return status;
}

static AVFrame *make_picture(const AVCodecContext *c)
{
    AVFrame *p = av_frame_alloc();
    if (!p)
        return NULL;
    p->format = ksr_hardware_format(c);
    p->width = c->width;
    p->height = c->height;
    p->color_range = c->color_range;
    p->colorspace = c->colorspace;
    p->color_primaries = c->color_primaries;
    p->color_trc = c->color_trc;
    p->chroma_location = c->chroma_sample_location;
    p->sample_aspect_ratio = c->sample_aspect_ratio;
    p->quality = c->global_quality;
    return p;
}

static ksr_status prepare_input(ksr_context *ctx, ksr_encoder *e,
                                const struct ksr_video_format *format,
                                const struct ksr_encoder_input *input)
{
    for (int i = 0; i < 2; i++) {
        e->picture[i] = make_picture(e->context);
        if (!e->picture[i])
            return ksr_fail_memory(ctx);
    }
    e->pool = input->pool;
    e->samples = ksr_hasher_create();
    if (!e->samples)
        return ksr_fail_memory(ctx);
    return ksr_pixel_writer_create(ctx, input->source, &input->layout,
                                   ksr_hardware_format(e->context), format, input->dither,
                                   &e->writer);
}

ksr_status ksr_encoder_open(ksr_context *ctx, const struct ksr_encoder_settings *settings,
                            const struct ksr_encoder_input *input, int threads, ksr_encoder **out)
{
    ksr_ffmpeg_init();
    *out = NULL;
    const AVCodec *codec = avcodec_find_encoder_by_name(settings->codec);
    if (!codec)
        return ksr_fail(ctx, KSR_E_PARAM, "codec: there is no encoder '%s'", settings->codec);
    ksr_encoder *e = calloc(1, sizeof(*e));
    if (!e)
        return ksr_fail_memory(ctx);
    e->codec = ksr_codec_of(codec->name);
    e->context = avcodec_alloc_context3(codec);
    e->packet = av_packet_alloc();
    ksr_status status = e->context && e->packet ? open_context(ctx, settings, threads, e->context)
                                                : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = check_headers(ctx, settings, e);
    if (status == KSR_OK && input)
        status = prepare_input(ctx, e, &settings->format, input);
    if (status != KSR_OK)
        ksr_encoder_close(&e);
    *out = e;
    return status;
}

// A picture to fill: one that was encoded, or a new buffer while the encoder still holds that.
static AVFrame *writable_picture(ksr_encoder *encoder)
{
    AVFrame *p = encoder->picture[encoder->filled];
    if (p->buf[0] && av_frame_is_writable(p))
        return p;
    for (int i = 0; i < AV_NUM_DATA_POINTERS; i++)
        av_buffer_unref(&p->buf[i]);
    return av_frame_get_buffer(p, 0) >= 0 ? p : NULL;
}

static ksr_status encode_failed(ksr_context *ctx, const ksr_encoder *encoder, int result)
{
    char text[256];
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return ksr_fail(ctx, KSR_E_PROCESS, "%s failed: %s", encoder->context->codec->name,
                    ksr_ffmpeg_error(result, text));
}

ksr_status ksr_encoder_begin(ksr_context *ctx, ksr_encoder *encoder, struct ksr_row_sink *sink)
{
    AVFrame *picture = writable_picture(encoder);
    if (!picture)
        return ksr_fail_memory(ctx);
    *sink = ksr_pixels_write(encoder->writer, picture);
    return KSR_OK;
}

ksr_status ksr_encoder_complete(ksr_context *ctx, ksr_encoder *encoder, const AVFrame *from)
{
    AVFrame *picture = encoder->picture[encoder->filled];
    if (ksr_extras_copy_frame(picture, from, encoder->codec->even_captions) < 0)
        return ksr_fail_memory(ctx);
    encoder->filled = !encoder->filled;
    return ksr_pixels_finish(ctx, encoder->writer, encoder->pool);
}

static int send_picture(AVCodecContext *c, const AVFrame *picture)
{
    AVFrame *uploaded;
    if (!c->hw_frames_ctx)
        return avcodec_send_frame(c, picture);
    int result = ksr_hardware_upload(c, picture, &uploaded);
    if (result >= 0)
        result = avcodec_send_frame(c, uploaded);
    av_frame_free(&uploaded);
    return result;
}

ksr_status ksr_encoder_write(ksr_context *ctx, ksr_encoder *encoder, int64_t time, int64_t duration)
{
    AVFrame *picture = encoder->picture[encoder->written];
    encoder->written = !encoder->written;
    if (!ksr_samples_add(encoder->samples, picture))
        return ksr_fail_memory(ctx);
    picture->pts = time;
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    picture->duration = duration;
#else
    picture->pkt_duration = duration;
#endif
    ksr_ffmpeg_clear_message();
    const int result = send_picture(encoder->context, picture);
    encoder->begun = encoder->begun || result >= 0;
    return result < 0 ? encode_failed(ctx, encoder, result) : KSR_OK;
}

ksr_status ksr_encoder_finish(ksr_context *ctx, ksr_encoder *encoder)
{
    ksr_ffmpeg_clear_message();
    const int result = avcodec_send_frame(encoder->context, NULL);
    encoder->finished = result >= 0;
    return result < 0 ? encode_failed(ctx, encoder, result) : KSR_OK;
}

// Some encoders have no headers before their first packet: AV1's, APNG's.
static ksr_status note_headers(ksr_context *ctx, ksr_encoder *e)
{
    size_t size = 0;
    const uint8_t *data = av_packet_get_side_data(e->packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
    if (!data || size == 0 || e->headers || e->context->extradata_size > 0)
        return KSR_OK;
    e->headers = malloc(size);
    if (!e->headers)
        return ksr_fail_memory(ctx);
    memcpy(e->headers, data, size);
    e->headers_size = size;
    return KSR_OK;
}

// In place of a packet without data, which would get lost.
static void repeat_frame(ksr_encoder *e, struct ksr_packet *packet)
{
    const AVCodecContext *c = e->context;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(c->pix_fmt);
    packet->size =
        ksr_theora_repeat(c->width, c->height, d->log2_chroma_w, d->log2_chroma_h, e->repeated);
    packet->data = e->repeated;
}

ksr_status ksr_encoder_receive(ksr_context *ctx, ksr_encoder *encoder, struct ksr_packet *packet)
{
    memset(packet, 0, sizeof(*packet));
    av_packet_unref(encoder->packet);
    const int result = avcodec_receive_packet(encoder->context, encoder->packet);
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF)
        return KSR_OK;
    if (result < 0)
        return encode_failed(ctx, encoder, result);
    const AVCodecContext *c = encoder->context;
    if (ksr_alpha_goes_beside(c->codec_id, c->pix_fmt) && ksr_alpha_pack(encoder->packet) < 0)
        return ksr_fail_memory(ctx);
    *packet =
        (struct ksr_packet){encoder->packet->data, (size_t)encoder->packet->size,
                            encoder->packet->pts, (encoder->packet->flags & AV_PKT_FLAG_KEY) != 0};
    if (packet->size == 0 && encoder->codec->drops_repeats)
        repeat_frame(encoder, packet);
    return note_headers(ctx, encoder);
}

const uint8_t *ksr_encoder_headers(const ksr_encoder *encoder, size_t *size)
{
    *size = encoder->headers ? encoder->headers_size : (size_t)encoder->context->extradata_size;
    return encoder->headers ? encoder->headers : encoder->context->extradata;
}

void ksr_encoder_samples(const ksr_encoder *encoder, char out[KSR_HASH_TEXT])
{
    ksr_hasher_text(encoder->samples, out);
}

int ksr_encoder_delay(const ksr_encoder *encoder)
{
    return encoder->context->has_b_frames;
}

ksr_status ksr_encoder_parameters(ksr_context *ctx, const ksr_encoder *encoder,
                                  AVCodecParameters *out)
{
    size_t size;
    const uint8_t *headers = ksr_encoder_headers(encoder, &size);
    if (avcodec_parameters_from_context(out, encoder->context) < 0)
        return ksr_fail_memory(ctx);
    out->format = ksr_hardware_format(encoder->context);
    if (!encoder->headers || size > INT32_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return KSR_OK;
    av_freep(&out->extradata);
    out->extradata_size = 0;
    out->extradata = av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!out->extradata)
        return ksr_fail_memory(ctx);
    memcpy(out->extradata, headers, size);
    out->extradata_size = (int)size;
    return KSR_OK;
}
