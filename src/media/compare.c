// Whether the streams of an output are those of its input; see inspect.h.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/input.h"
#include "media/inspect.h"

// --- Pairing ---

static bool same_attachment(const AVStream *a, const AVStream *b)
{
    return a->codecpar->extradata_size == b->codecpar->extradata_size &&
           (a->codecpar->extradata_size == 0 ||
            memcmp(a->codecpar->extradata, b->codecpar->extradata,
                   (size_t)a->codecpar->extradata_size) == 0);
}

// The first output stream not taken yet of the same type and codec, else of the same type if
// that type can be encoded anew.
static int guess_partner(const AVStream *in, const AVFormatContext *output, const bool *taken,
                         int output_video)
{
    const AVCodecParameters *p = in->codecpar;
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < output->nb_streams; i++) {
            const AVCodecParameters *q = output->streams[i]->codecpar;
            if (taken[i] || (int)i == output_video || q->codec_type != p->codec_type)
                continue;
            if (q->codec_id == p->codec_id || (pass == 1 && p->codec_type == AVMEDIA_TYPE_AUDIO))
                return (int)i;
        }
    return -1;
}

static void fill_match(struct ksr_stream_match *m, const AVStream *in, const AVStream *out)
{
    const char *type = av_get_media_type_string(in->codecpar->codec_type);
    m->input = in->index;
    m->output = out ? out->index : -1;
    snprintf(m->type, sizeof(m->type), "%s",
             ksr_stream_is_cover(in) ? "cover"
             : type                  ? type
                                     : "unknown");
    snprintf(m->codec, sizeof(m->codec), "%s", avcodec_get_name(in->codecpar->codec_id));
    m->attachment = in->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT;
    m->same_attachment = out && same_attachment(in, out);
}

// With a plan: outputs were made in the order of the inputs, less those dropped.
static void match_by_plan(const AVFormatContext *input, const AVFormatContext *output,
                          const enum ksr_carry *carry, struct ksr_stream_match *matches)
{
    unsigned next = 0;
    for (unsigned i = 0; i < input->nb_streams; i++) {
        const bool kept = carry[i] != KSR_CARRY_DROP;
        const AVStream *out = kept && next < output->nb_streams ? output->streams[next] : NULL;
        next += kept;
        fill_match(&matches[i], input->streams[i], out);
        matches[i].expected = kept;
        matches[i].encoded = carry[i] == KSR_CARRY_ENCODE;
    }
}

static ksr_status match_by_guess(ksr_context *ctx, const AVFormatContext *input,
                                 const AVFormatContext *output, const char *output_path,
                                 int video_stream, int output_video,
                                 struct ksr_stream_match *matches)
{
    const AVOutputFormat *muxer = av_guess_format(NULL, output_path, NULL);
    bool *taken = calloc(output->nb_streams + 1, sizeof(*taken));
    if (!taken)
        return ksr_fail_memory(ctx);
    for (unsigned i = 0; i < input->nb_streams; i++) {
        const AVStream *in = input->streams[i];
        const int partner =
            (int)i == video_stream ? output_video : guess_partner(in, output, taken, output_video);
        fill_match(&matches[i], in, partner < 0 ? NULL : output->streams[partner]);
        matches[i].guessed = true;
        matches[i].expected = !muxer || avformat_query_codec(muxer, in->codecpar->codec_id,
                                                             FF_COMPLIANCE_NORMAL) == 1;
        if (partner >= 0) {
            taken[partner] = true;
            matches[i].encoded =
                output->streams[partner]->codecpar->codec_id != in->codecpar->codec_id;
        }
    }
    free(taken);
    return KSR_OK;
}

ksr_status ksr_media_match_streams(ksr_context *ctx, const char *input_path,
                                   const char *output_path, int video_stream,
                                   const enum ksr_carry *carry, struct ksr_stream_match **out,
                                   int *count)
{
    struct ksr_input input = {0}, output = {0};
    *out = NULL;
    *count = 0;
    ksr_status status = ksr_input_open(ctx, input_path, true, &input);
    if (status == KSR_OK)
        status = ksr_input_open(ctx, output_path, true, &output);
    if (status == KSR_OK) {
        *count = (int)input.format->nb_streams;
        *out = calloc((size_t)*count, sizeof(**out));
        if (!*out)
            status = ksr_fail_memory(ctx);
        else if (carry)
            match_by_plan(input.format, output.format, carry, *out);
        else
            status = match_by_guess(ctx, input.format, output.format, output_path, video_stream,
                                    output.video->index, *out);
    }
    ksr_input_close(&input);
    ksr_input_close(&output);
    return status;
}

// --- Comparing ---

// One stream of a file, read packet by packet.
struct side {
    struct ksr_input input;
    AVStream *stream;
    AVPacket *packet;
    const uint8_t *data; // of the packet, less a transport header
    int size;
    bool end;
};

static ksr_status open_side(ksr_context *ctx, struct side *s, const char *path, int stream)
{
    const ksr_status status = ksr_input_open(ctx, path, false, &s->input);
    if (status != KSR_OK)
        return status;
    ksr_input_select(&s->input, stream);
    s->stream = s->input.format->streams[stream];
    s->packet = av_packet_alloc();
    return s->packet ? KSR_OK : ksr_fail_memory(ctx);
}

static void close_side(struct side *s)
{
    av_packet_free(&s->packet);
    ksr_input_close(&s->input);
}

// AAC in transport streams carries an ADTS header in every packet that other containers don't.
static int adts_header_size(const struct side *s)
{
    const AVPacket *p = s->packet;
    if (s->stream->codecpar->codec_id != AV_CODEC_ID_AAC || p->size < 9 || p->data[0] != 0xff ||
        (p->data[1] & 0xf6) != 0xf0)
        return 0;
    return p->data[1] & 1 ? 7 : 9;
}

static void next_packet(struct side *s)
{
    av_packet_unref(s->packet);
    do {
        s->end = s->end || av_read_frame(s->input.format, s->packet) < 0;
        if (!s->end && s->packet->stream_index == s->stream->index) {
            const int header = adts_header_size(s);
            s->data = s->packet->data + header;
            s->size = s->packet->size - header;
            return;
        }
        av_packet_unref(s->packet);
    } while (!s->end);
}

static double milliseconds(const struct side *s, int64_t time)
{
    return (double)time * av_q2d(s->stream->time_base) * 1000;
}

static bool same_data(const struct side *a, const struct side *b)
{
    return a->size == b->size && memcmp(a->data, b->data, (size_t)a->size) == 0;
}

static void differ(struct ksr_stream_comparison *out, const char *what, int64_t packet)
{
    out->equal = false;
    snprintf(out->difference, sizeof(out->difference), "%s at packet %lld", what,
             (long long)packet);
}

// The H.264 and H.265 of a second video stream are framed anew by some containers.
static bool data_may_change(const struct side *s)
{
    return s->stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(s->stream);
}

static void compare_copied(ksr_context *ctx, struct side *in, struct side *out, double allowed,
                           bool may_shift, struct ksr_stream_comparison *c)
{
    double shift = 0;
    c->equal = true;
    while (c->equal && !in->end && !out->end && ksr_check_cancel(ctx) == KSR_OK) {
        if (!same_data(in, out) && !data_may_change(in)) {
            differ(c, "data differs", c->packets);
            return;
        }
        if (in->packet->pts != AV_NOPTS_VALUE && out->packet->pts != AV_NOPTS_VALUE &&
            !ksr_stream_is_cover(in->stream)) {
            const double off =
                milliseconds(out, out->packet->pts) - milliseconds(in, in->packet->pts);
            if (may_shift && c->packets == 0)
                shift = off;
            if (fabs(off - shift) > c->worst_ms)
                c->worst_ms = fabs(off - shift);
        }
        if (c->worst_ms > allowed)
            differ(c, "time differs", c->packets);
        c->packets++;
        next_packet(in);
        next_packet(out);
    }
    if (c->equal && in->end != out->end)
        differ(c, in->end ? "more packets than in the input" : "packets are missing", c->packets);
}

// Start and end of what is left of a stream, in milliseconds.
static void measure_extent(struct side *s, double *start, double *end)
{
    bool first = true;
    for (; !s->end; next_packet(s)) {
        if (s->packet->pts == AV_NOPTS_VALUE)
            continue;
        const double from = milliseconds(s, s->packet->pts);
        const double to = from + milliseconds(s, s->packet->duration);
        if (first || from < *start)
            *start = from;
        if (first || to > *end)
            *end = to;
        first = false;
    }
}

// Encoders put up to two of their frames of priming before the start, and fill the last one.
#define ENCODED_TOLERANCE_MS 100

static void compare_extents(struct side *in, struct side *out, bool may_shift,
                            struct ksr_stream_comparison *c)
{
    double in_start = 0, in_end = 0, out_start = 0, out_end = 0;
    measure_extent(in, &in_start, &in_end);
    measure_extent(out, &out_start, &out_end);
    c->encoded_anew = true;
    c->start_ms = out_start - in_start;
    c->end_ms = out_end - in_end;
    const double shift = may_shift ? c->start_ms : 0;
    c->equal = fabs(c->start_ms - shift) <= ENCODED_TOLERANCE_MS &&
               fabs(c->end_ms - shift) <= ENCODED_TOLERANCE_MS;
}

ksr_status ksr_media_compare(ksr_context *ctx, const char *input_path, const char *output_path,
                             const struct ksr_stream_match *match, struct ksr_stream_comparison *c)
{
    struct side in = {0}, out = {0};
    memset(c, 0, sizeof(*c));
    ksr_status status = open_side(ctx, &in, input_path, match->input);
    if (status == KSR_OK)
        status = open_side(ctx, &out, output_path, match->output);
    if (status == KSR_OK) {
        const double ticks = milliseconds(&in, 1) + milliseconds(&out, 1);
        const bool may_shift = strcmp(out.input.format->iformat->name, "mpegts") == 0;
        next_packet(&in);
        next_packet(&out);
        if (match->encoded || (match->guessed && !in.end && !out.end && !same_data(&in, &out) &&
                               in.stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO))
            compare_extents(&in, &out, may_shift, c);
        else
            compare_copied(ctx, &in, &out, ticks, may_shift, c);
        status = ksr_check_cancel(ctx);
    }
    close_side(&in);
    close_side(&out);
    return status;
}
