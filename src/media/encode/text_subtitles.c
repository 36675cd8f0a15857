// Converting subtitles of text; see text_subtitles.h.
//
// FFmpeg decodes every text subtitle into an event of ASS and encodes it from there. Whether a pair
// of forms loses something depends on what a subtitle uses, so it is found by trying: an event that
// comes back the same after there and back has lost nothing.

#include "media/encode/text_subtitles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/input/input.h"

#define ENCODED_SIZE (1 << 20)

struct ksr_text {
    const AVStream *stream;
    AVCodecContext *decoder, *encoder;
    uint8_t *bytes; // ENCODED_SIZE
};

bool ksr_text_is(enum AVCodecID codec)
{
    static const enum AVCodecID all[] = {
        AV_CODEC_ID_SUBRIP,    AV_CODEC_ID_ASS,        AV_CODEC_ID_WEBVTT,  AV_CODEC_ID_MOV_TEXT,
        AV_CODEC_ID_TEXT,      AV_CODEC_ID_MICRODVD,   AV_CODEC_ID_MPL2,    AV_CODEC_ID_SAMI,
        AV_CODEC_ID_SUBVIEWER, AV_CODEC_ID_SUBVIEWER1, AV_CODEC_ID_JACOSUB, AV_CODEC_ID_REALTEXT,
        AV_CODEC_ID_VPLAYER,   AV_CODEC_ID_PJS,        AV_CODEC_ID_STL};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] == codec)
            return true;
    return false;
}

void ksr_text_close(ksr_text **text)
{
    if (!text || !*text)
        return;
    avcodec_free_context(&(*text)->decoder);
    avcodec_free_context(&(*text)->encoder);
    free((*text)->bytes);
    free(*text);
    *text = NULL;
}

static ksr_status open_encoder(ksr_context *ctx, ksr_text *t, const char *name)
{
    char text[256];
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    if (!codec)
        return ksr_fail(ctx, KSR_E_PARAM, "there is no subtitle encoder '%s'", name);
    AVCodecContext *e = t->encoder = avcodec_alloc_context3(codec);
    if (!e)
        return ksr_fail_memory(ctx);
    e->time_base = AV_TIME_BASE_Q;
    e->flags |= AV_CODEC_FLAG_BITEXACT;
    const int size = t->decoder->subtitle_header_size;
    if (size > 0) {
        e->subtitle_header = av_mallocz((size_t)size + 1);
        if (!e->subtitle_header)
            return ksr_fail_memory(ctx);
        memcpy(e->subtitle_header, t->decoder->subtitle_header, (size_t)size);
        e->subtitle_header_size = size;
    }
    ksr_ffmpeg_clear_message();
    const int result = avcodec_open2(e, codec, NULL);
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return result < 0 ? ksr_fail(ctx, KSR_E_PARAM, "failed to open encoder %s: %s", name,
                                 ksr_ffmpeg_error(result, text))
                      : KSR_OK;
}

ksr_status ksr_text_open(ksr_context *ctx, const AVStream *stream, const char *codec,
                         ksr_text **out)
{
    ksr_text *t = calloc(1, sizeof(*t));
    *out = NULL;
    if (!t)
        return ksr_fail_memory(ctx);
    t->stream = stream;
    t->bytes = malloc(ENCODED_SIZE);
    ksr_status status =
        t->bytes ? ksr_stream_open_decoder(ctx, stream, &t->decoder) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = open_encoder(ctx, t, codec);
    if (status != KSR_OK)
        ksr_text_close(&t);
    *out = t;
    return status;
}

const AVCodecContext *ksr_text_encoder(const ksr_text *text)
{
    return text->encoder;
}

// *starved: it was not decoded for want of memory.
static bool decode(AVCodecContext *decoder, const AVPacket *packet, AVSubtitle *out, bool *starved)
{
    AVPacket *copy = av_packet_clone(packet); // FFmpeg 5.1 takes no const packet
    int got = 0;
    ksr_ffmpeg_clear_message();
    const int result = copy ? avcodec_decode_subtitle2(decoder, out, &got, copy) : AVERROR(ENOMEM);
    av_packet_free(&copy);
    *starved = ksr_ffmpeg_starved(result);
    return result >= 0 && got;
}

ksr_status ksr_text_convert(ksr_context *ctx, ksr_text *t, const AVPacket *packet, AVPacket *out)
{
    AVSubtitle sub = {0};
    bool starved;
    av_packet_unref(out);
    if (!decode(t->decoder, packet, &sub, &starved) || sub.num_rects == 0) {
        avsubtitle_free(&sub);
        return starved ? ksr_fail_memory(ctx) : KSR_OK;
    }
    sub.pts = av_rescale_q(packet->pts, t->stream->time_base, AV_TIME_BASE_Q);
    sub.end_display_time =
        (uint32_t)av_rescale_q(packet->duration, t->stream->time_base, (AVRational){1, 1000});
    sub.start_display_time = 0;
    ksr_ffmpeg_clear_message();
    const int size = avcodec_encode_subtitle(t->encoder, t->bytes, ENCODED_SIZE, &sub);
    avsubtitle_free(&sub);
    if (ksr_ffmpeg_starved(size))
        return ksr_fail_memory(ctx);
    if (size < 0)
        return ksr_fail(ctx, KSR_E_PROCESS, "subtitle stream %d cannot be converted",
                        t->stream->index);
    if (size > 0 && av_new_packet(out, size) < 0)
        return ksr_fail_memory(ctx);
    if (size > 0)
        memcpy(out->data, t->bytes, (size_t)size);
    out->pts = out->dts = packet->pts;
    out->duration = packet->duration;
    out->flags = AV_PKT_FLAG_KEY;
    return KSR_OK;
}

// --- What a subtitle means ---

struct style {
    bool bold, italic, underline, strike;
    char other[64]; // every other tag, as it stands
};

struct writer {
    char *text;
    size_t length, size;
    bool starved;
};

static void put(struct writer *w, const char *text, size_t length)
{
    if (w->length + length + 1 > w->size) {
        char *grown = realloc(w->text, (w->length + length + 1) * 2);
        if (!grown) {
            w->starved = true;
            return;
        }
        w->text = grown;
        w->size = (w->length + length + 1) * 2;
    }
    memcpy(w->text + w->length, text, length);
    w->length += length;
    w->text[w->length] = 0;
}

// One tag of an override block, without its backslash.
static void apply_tag(struct style *s, const char *tag, size_t length)
{
    bool *const flags[] = {&s->bold, &s->italic, &s->underline, &s->strike};
    const char *place = length > 0 ? strchr("bius", tag[0]) : NULL;
    if (length == 0)
        return;
    if (place && length <= 2 && (length == 1 || tag[1] == '0' || tag[1] == '1')) {
        *flags[place - "bius"] = length == 2 && tag[1] == '1';
    } else if (length == 1 && tag[0] == 'r') {
        *s = (struct style){0};
    } else {
        const size_t used = strlen(s->other);
        const size_t room = sizeof(s->other) - used - 1, n = length < room ? length : room;
        memcpy(s->other + used, tag, n);
        s->other[used + n] = 0;
    }
}

static void apply_block(struct style *s, const char *block, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t end = i + 1;
        while (end < length && block[end] != '\\')
            end++;
        if (block[i] == '\\')
            apply_tag(s, block + i + 1, end - i - 1);
        i = end;
    }
}

// The text with the style before every piece in which it differs from the piece before.
static void put_styled(struct writer *w, const char *text)
{
    struct style now = {0}, written = {0};
    while (*text) {
        const char *end = *text == '{' ? strchr(text, '}') : NULL;
        if (end) {
            apply_block(&now, text + 1, (size_t)(end - text - 1));
            text = end + 1;
            continue;
        }
        if (memcmp(&now, &written, sizeof(now)) != 0) {
            char mark[128];
            const int n = snprintf(mark, sizeof(mark), "<%d%d%d%d%s>", now.bold, now.italic,
                                   now.underline, now.strike, now.other);
            put(w, mark, (size_t)n);
            written = now;
        }
        put(w, text++, 1);
    }
}

// An event of ASS less its number in the file:
// Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text.
static void put_event(struct writer *w, const char *ass)
{
    const char *text = strchr(ass, ',');
    const char *fields = text ? text + 1 : ass;
    text = fields;
    for (int i = 0; i < 7 && text; i++) {
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    put(w, fields, text ? (size_t)(text - fields) : strlen(fields));
    if (text)
        put_styled(w, text);
    put(w, "\n", 1);
}

char *ksr_text_meaning(AVCodecContext *decoder, const AVPacket *packet)
{
    AVSubtitle sub = {0};
    struct writer w = {.text = calloc(1, 1), .size = 1};
    const bool empty = packet->size == 0;
    if (w.text && !empty && decode(decoder, packet, &sub, &w.starved))
        for (unsigned i = 0; i < sub.num_rects; i++)
            if (sub.rects[i]->ass)
                put_event(&w, sub.rects[i]->ass);
    avsubtitle_free(&sub);
    if (!w.starved)
        return w.text;
    free(w.text);
    return NULL;
}

// --- There and back ---

// The first style of a header, from its colour on: name, font and size are what programs put there.
static bool first_style(const AVCodecContext *decoder, char out[256], int *count)
{
    const char *at = (const char *)decoder->subtitle_header;
    *count = 0;
    out[0] = 0;
    while (at && (at = strstr(at, "Style:"))) {
        const char *colour = at;
        for (int i = 0; i < 3 && colour; i++)
            colour = strchr(colour + 1, ',');
        const size_t n = colour ? strcspn(colour, "\r\n") : 0;
        if ((*count)++ == 0 && n < 256)
            snprintf(out, 256, "%.*s", (int)n, colour);
        at += strlen("Style:");
    }
    return *count > 0;
}

// Whether a stream has a look of its own, which only ASS and its own form can keep.
static ksr_status has_look(ksr_context *ctx, const AVStream *stream, const AVCodecContext *decoder,
                           bool *yes)
{
    char own[256], plain[256];
    int styles, plain_styles;
    AVCodecContext *subrip = avcodec_alloc_context3(avcodec_find_decoder(AV_CODEC_ID_SUBRIP));
    if (!subrip || avcodec_open2(subrip, NULL, NULL) < 0) { // which always opens
        avcodec_free_context(&subrip);
        return ksr_fail_memory(ctx);
    }
    first_style(decoder, own, &styles);
    first_style(subrip, plain, &plain_styles);
    // Styles of mov_text differ in what programs write there by default; only colours tell.
    const size_t compared = stream->codecpar->codec_id == AV_CODEC_ID_MOV_TEXT ? 10 : 255;
    *yes =
        styles > 1 || strncmp(own, plain, compared) != 0 ||
        (stream->codecpar->codec_id == AV_CODEC_ID_WEBVTT && stream->codecpar->extradata_size > 0);
    avcodec_free_context(&subrip);
    return KSR_OK;
}

// Opens a decoder for what the encoder writes; *out is NULL when it does not open.
static ksr_status open_back(ksr_context *ctx, const ksr_text *t, AVCodecContext **out)
{
    AVCodecParameters *p = avcodec_parameters_alloc();
    AVCodecContext *back = avcodec_alloc_context3(avcodec_find_decoder(t->encoder->codec_id));
    bool ok = p && back && avcodec_parameters_from_context(p, t->encoder) >= 0 &&
              avcodec_parameters_to_context(back, p) >= 0;
    if (ok && t->encoder->codec_id == AV_CODEC_ID_ASS && !back->extradata) {
        // The header of ASS is the codec's private data.
        const int size = t->encoder->subtitle_header_size;
        back->extradata = av_mallocz((size_t)size + AV_INPUT_BUFFER_PADDING_SIZE);
        ok = back->extradata != NULL;
        if (ok && size > 0)
            memcpy(back->extradata, t->encoder->subtitle_header, (size_t)size);
        back->extradata_size = ok ? size : 0;
    }
    if (back)
        back->pkt_timebase = t->stream->time_base;
    avcodec_parameters_free(&p);
    ksr_ffmpeg_clear_message();
    const int result = ok ? avcodec_open2(back, NULL, NULL) : AVERROR(ENOMEM);
    if (result < 0)
        avcodec_free_context(&back);
    *out = back;
    return ksr_ffmpeg_starved(result) ? ksr_fail_memory(ctx) : KSR_OK;
}

// What the container says of a cue beside its text: place and name.
static bool has_settings(const AVPacket *p)
{
    return av_packet_get_side_data(p, AV_PKT_DATA_WEBVTT_SETTINGS, NULL) ||
           av_packet_get_side_data(p, AV_PKT_DATA_WEBVTT_IDENTIFIER, NULL) ||
           av_packet_get_side_data(p, AV_PKT_DATA_SUBTITLE_POSITION, NULL);
}

static ksr_status same_meaning(ksr_context *ctx, ksr_text *t, AVCodecContext *back,
                               const AVPacket *packet, AVPacket *made, bool *same)
{
    char *before = ksr_text_meaning(t->decoder, packet);
    ksr_status status = before ? ksr_text_convert(ctx, t, packet, made) : ksr_fail_memory(ctx);
    char *after = status == KSR_OK ? ksr_text_meaning(back, made) : NULL;
    if (status == KSR_OK && !after)
        status = ksr_fail_memory(ctx);
    *same = before && after && strcmp(before, after) == 0 && !has_settings(packet);
    free(before);
    free(after);
    return status;
}

ksr_status ksr_text_lossless(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             int stream, const char *codec, bool *yes)
{
    struct ksr_input input;
    ksr_text *t = NULL;
    bool look = false;
    *yes = false;
    ksr_status status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status != KSR_OK)
        return status;
    ksr_input_select(&input, stream);
    status = ksr_text_open(ctx, input.format->streams[stream], codec, &t);
    if (status == KSR_OK)
        status = has_look(ctx, t->stream, t->decoder, &look);
    AVCodecContext *back = NULL;
    if (status == KSR_OK)
        status = open_back(ctx, t, &back);
    AVPacket *packet = av_packet_alloc(), *made = av_packet_alloc();
    if (status == KSR_OK && (!packet || !made))
        status = ksr_fail_memory(ctx);
    *yes = status == KSR_OK && back && (!look || t->encoder->codec_id == AV_CODEC_ID_ASS);
    while (status == KSR_OK && *yes) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(input.format, packet);
        if (ksr_ffmpeg_starved(result))
            status = ksr_fail_memory(ctx);
        if (result < 0)
            break;
        if (packet->stream_index == stream)
            status = same_meaning(ctx, t, back, packet, made, yes);
        av_packet_unref(packet);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    av_packet_free(&packet);
    av_packet_free(&made);
    avcodec_free_context(&back);
    ksr_text_close(&t);
    ksr_input_close(&input);
    return status;
}
