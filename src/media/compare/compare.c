// Whether the streams of an output are those of its input; see inspect.h.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/av/audio_config.h"
#include "media/compare/extent.h"
#include "media/compare/inspect.h"
#include "media/container/containers.h"
#include "media/encode/text_subtitles.h"
#include "media/input/input.h"
#include "media/mux/packets.h"

// --- Pairing ---

static bool same_attachment(const AVStream *a, const AVStream *b)
{
    return a->codecpar->extradata_size == b->codecpar->extradata_size &&
           (a->codecpar->extradata_size == 0 ||
            memcmp(a->codecpar->extradata, b->codecpar->extradata,
                   (size_t)a->codecpar->extradata_size) == 0);
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

// What streams are told apart by: attached ones are of one kind, whatever their type.
static unsigned kind_of(const AVStream *s)
{
    const enum AVMediaType type = s->codecpar->codec_type;
    return ksr_stream_is_attached(s) ? 0 : 1 + (unsigned)(type < 0 ? AVMEDIA_TYPE_NB : type);
}

// The next stream of a kind that is not taken. MPEG-PS lists first what begins first: there,
// streams of a codec have their order by their numbers.
static const AVStream *take_stream(const AVFormatContext *f, unsigned kind, bool *taken)
{
    const bool numbered = ksr_container_read_by(f->iformat->name)->incomplete_times;
    const AVStream *best = NULL;
    for (unsigned i = 0; i < f->nb_streams; i++) {
        const AVStream *s = f->streams[i];
        if (!taken[i] && kind_of(s) == kind &&
            (!best ||
             (numbered && s->codecpar->codec_id == best->codecpar->codec_id && s->id < best->id)))
            best = s;
    }
    if (best)
        taken[best->index] = true;
    return best;
}

// Outputs were made in the order of the inputs, less those dropped, which streams of a kind keep.
// taken: all false; guessed: so it seems.
static void match_by_plan(const AVFormatContext *input, const AVFormatContext *output,
                          const enum ksr_carry *carry, bool guessed, bool *taken,
                          struct ksr_stream_match *matches)
{
    for (unsigned i = 0; i < input->nb_streams; i++) {
        const bool kept = carry[i] != KSR_CARRY_DROP;
        const unsigned kind = kind_of(input->streams[i]);
        fill_match(&matches[i], input->streams[i], kept ? take_stream(output, kind, taken) : NULL);
        matches[i].expected = kept;
        matches[i].encoded = carry[i] == KSR_CARRY_ENCODE;
        matches[i].converted = carry[i] == KSR_CARRY_CONVERT;
        matches[i].guessed = guessed;
    }
}

ksr_status ksr_media_match_streams(ksr_context *ctx, const char *input_path,
                                   const struct ksr_film *film, const struct ksr_made *made,
                                   const enum ksr_carry *carry, bool guessed,
                                   struct ksr_stream_match **out, int *count)
{
    struct ksr_input input = {0}, output = {0};
    *out = NULL;
    *count = 0;
    ksr_status status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status == KSR_OK)
        status = ksr_input_open_film(ctx, made->path, made->film, &output);
    if (status == KSR_OK) {
        *count = (int)input.format->nb_streams;
        bool *taken = calloc((size_t)output.format->nb_streams + 1, sizeof(*taken));
        *out = calloc((size_t)*count, sizeof(**out));
        if (!*out || !taken)
            status = ksr_fail_memory(ctx);
        else
            match_by_plan(input.format, output.format, carry, guessed, taken, *out);
        free(taken);
    }
    ksr_input_close(&input);
    ksr_input_close(&output);
    return status;
}

// --- Comparing ---

// One stream of a file, read packet by packet.
struct side {
    struct ksr_input input;
    ksr_packets *packets;
    AVStream *stream;
    AVCodecContext *decoder; // of converted subtitles
    AVPacket *packet;
    const uint8_t *data; // of the packet, less a transport header
    int size;
    bool end;
};

// Reads one stream of an input that is open.
static ksr_status begin_side(ksr_context *ctx, struct side *s, int stream,
                             const struct ksr_cut *cut)
{
    ksr_input_select(&s->input, stream);
    s->stream = s->input.format->streams[stream];
    s->packet = av_packet_alloc();
    return s->packet ? ksr_packets_create(ctx, &s->input, cut, &s->packets) : ksr_fail_memory(ctx);
}

static void close_side(struct side *s)
{
    av_packet_free(&s->packet);
    avcodec_free_context(&s->decoder);
    ksr_packets_destroy(&s->packets);
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
        s->end = s->end || !ksr_packets_next(s->packets, s->packet);
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

// What one comparison allows and how far it goes.
struct terms {
    double allowed; // difference of times, in milliseconds
    double shift;   // how much later all of the output is; NAN = as the first packet says
    int64_t limit;  // packets; what follows is not looked at
    bool rises;     // decode times are the times: what falls was moved, as output.c warns
    double latest;  // of the input, so far
};

// Notes the difference of two times; fails the comparison when it is too large.
static void compare_times(struct terms *t, double in, double out, struct ksr_stream_comparison *c)
{
    t->latest = fmax(t->latest, in);
    in = t->rises ? t->latest : in;
    if (isnan(t->shift))
        t->shift = out - in;
    const double off = fabs(out - in - t->shift);
    if (off > c->worst_ms)
        c->worst_ms = off;
    if (off > t->allowed)
        differ(c, "time differs", c->packets);
}

static void compare_ends(struct side *in, struct side *out, const struct terms *t,
                         struct ksr_stream_comparison *c)
{
    if (c->equal && c->packets < t->limit && in->end != out->end)
        differ(c, in->end ? "more packets than in the input" : "packets are missing", c->packets);
}

// Whether the format changes here in the input, and the output has no headers that could say so.
static bool change_lost(const struct side *in, const struct side *out, int first)
{
    return first && ksr_audio_config(out->stream, out->packet) == 0 &&
           ksr_audio_config_changes(in->stream, in->packet, first);
}

static void compare_copied(ksr_context *ctx, struct side *in, struct side *out, struct terms *t,
                           struct ksr_stream_comparison *c)
{
    const int config = in->end ? 0 : ksr_audio_config(in->stream, in->packet);
    c->equal = true;
    while (c->equal && !in->end && !out->end && c->packets < t->limit &&
           ksr_check_cancel(ctx) == KSR_OK) {
        const bool lost = change_lost(in, out, config);
        if (lost || (!same_data(in, out) && !data_may_change(in))) {
            differ(c, lost ? "format changes without notice" : "data differs", c->packets);
            return;
        }
        if (in->packet->pts != AV_NOPTS_VALUE && out->packet->pts != AV_NOPTS_VALUE &&
            !ksr_stream_is_cover(in->stream))
            compare_times(t, milliseconds(in, in->packet->pts), milliseconds(out, out->packet->pts),
                          c);
        c->packets++;
        next_packet(in);
        next_packet(out);
    }
    compare_ends(in, out, t, c);
}

// Raw samples have no packets of their own: containers cut them as they like. Compared are the
// samples one after the other, and the time at every cut of the output.
static void compare_samples(ksr_context *ctx, struct side *in, struct side *out, struct terms *t,
                            struct ksr_stream_comparison *c)
{
    const AVCodecParameters *p = in->stream->codecpar;
    const double per_ms = (double)p->ch_layout.nb_channels * p->sample_rate *
                          av_get_bits_per_sample(p->codec_id) / 8000;
    int in_at = 0, out_at = 0;
    c->equal = true;
    while (c->equal && !in->end && !out->end && c->packets < t->limit &&
           ksr_check_cancel(ctx) == KSR_OK) {
        const int in_left = in->size - in_at, out_left = out->size - out_at;
        const int n = in_left < out_left ? in_left : out_left;
        if (memcmp(in->data + in_at, out->data + out_at, (size_t)n) != 0)
            differ(c, "data differs", c->packets);
        else if (out_at == 0)
            compare_times(t, milliseconds(in, in->packet->pts) + in_at / per_ms,
                          milliseconds(out, out->packet->pts), c);
        in_at += n;
        out_at += n;
        if (in_at == in->size) {
            c->packets++;
            next_packet(in);
            in_at = 0;
        }
        if (out_at == out->size) {
            next_packet(out);
            out_at = 0;
        }
    }
    compare_ends(in, out, t, c);
}

// The next packet that shows something. *meaning: to be freed; NULL at the end.
static void next_shown(struct side *s, char **meaning)
{
    for (*meaning = NULL; !s->end; next_packet(s)) {
        *meaning = ksr_text_meaning(s->decoder, s->packet);
        if (!*meaning || **meaning)
            return;
        free(*meaning);
        *meaning = NULL;
    }
}

static ksr_status compare_converted(ksr_context *ctx, struct side *in, struct side *out,
                                    struct terms *t, struct ksr_stream_comparison *c)
{
    ksr_status status = ksr_stream_open_decoder(ctx, in->stream, &in->decoder);
    if (status == KSR_OK)
        status = ksr_stream_open_decoder(ctx, out->stream, &out->decoder);
    c->equal = status == KSR_OK;
    c->converted = true;
    while (c->equal && c->packets < t->limit && ksr_check_cancel(ctx) == KSR_OK) {
        char *before, *after;
        next_shown(in, &before);
        next_shown(out, &after);
        if (in->end || out->end)
            compare_ends(in, out, t, c);
        else if (!before || !after)
            status = ksr_fail_memory(ctx);
        else if (strcmp(before, after) != 0)
            differ(c, "text differs", c->packets);
        else
            compare_times(t, milliseconds(in, in->packet->pts), milliseconds(out, out->packet->pts),
                          c);
        free(before);
        free(after);
        if (status != KSR_OK || in->end || out->end)
            break;
        c->packets++;
        next_packet(in);
        next_packet(out);
    }
    return ksr_is_unreadable(status) ? KSR_OK : status; // what does not decode is not equal
}

// Decodes what is left of a stream, up to `limit` packets.
static ksr_status measure_extent(ksr_context *ctx, struct side *s, int64_t limit,
                                 struct ksr_extent *extent)
{
    struct ksr_extent_meter meter;
    ksr_status status =
        ksr_extent_open(NULL, s->stream, &meter); // what has no decoder has no frames
    if (status == KSR_E_NOMEM)
        ksr_fail_memory(ctx);
    for (bool more = true; status == KSR_OK && more;) {
        more = !s->end && limit-- > 0;
        status = ksr_extent_send(ctx, &meter, more ? s->packet : NULL);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
        if (more)
            next_packet(s);
    }
    *extent = meter.extent;
    ksr_extent_close(&meter);
    return ksr_is_unreadable(status) ? KSR_OK : status;
}

// What audio_encoder.c takes for rounding of times, not for a hole.
#define ROUNDING_MS 10

// Nothing of the input may be missing. Encoders put up to two of their frames of priming before the
// start, and fill the last one; how long those are depends on the encoder and the sample rate.
static bool extents_fit(const struct ksr_extent *in, const struct ksr_extent *out, bool avi,
                        double shift, double tick, struct ksr_stream_comparison *c)
{
    const double slack = ROUNDING_MS + tick, filling = 2 * out->longest + slack;
    const double late = c->start_ms - shift, longer = c->end_ms - shift;
    // AVI has no late starts, silence comes first; and no early ones, what is before 0 is cut off.
    const bool padded = avi && late < 0;
    const bool cut_off = avi && in->start + shift < 0 && fabs(out->start) <= filling;
    return (padded || cut_off || (late <= slack && late >= -filling)) && longer >= -slack &&
           longer <= filling;
}

// A packet that is missing leaves a hole of a frame, where the container has times. What we
// re-encode has none, because the input's are filled with silence; other programs may leave those
// as they are.
static bool has_hole(const struct ksr_extent *in, const struct ksr_extent *out, bool ours,
                     double tick)
{
    const double least = fmin(ROUNDING_MS, out->longest / 2) + tick;
    return out->hole > least && (ours || out->hole > in->hole + least);
}

static ksr_status compare_extents(ksr_context *ctx, struct side *in, struct side *out,
                                  const struct ksr_stream_match *match, const struct terms *t,
                                  struct ksr_stream_comparison *c)
{
    struct ksr_extent before = {0}, after = {0};
    const bool filled = ksr_container_read_by(out->input.format->iformat->name)->no_audio_times;
    const double tick = milliseconds(out, 1);
    ksr_status status = measure_extent(ctx, in, t->limit, &before);
    if (status == KSR_OK)
        status = measure_extent(ctx, out, INT64_MAX, &after);
    c->encoded_anew = true;
    c->start_ms = after.start - before.start;
    c->end_ms = after.end - before.end;
    const double shift = isnan(t->shift) ? fmax(c->start_ms, 0) : t->shift;
    c->hole_ms = has_hole(&before, &after, match->encoded, tick) ? after.hole : 0;
    c->equal = before.frames == 0 || after.frames == 0
                   ? before.frames == after.frames
                   : extents_fit(&before, &after, filled, shift, tick, c) && c->hole_ms == 0;
    return status;
}

static bool is_pcm(const struct side *s)
{
    const AVCodecParameters *p = s->stream->codecpar;
    return p->codec_type == AVMEDIA_TYPE_AUDIO && av_get_exact_bits_per_sample(p->codec_id) > 0 &&
           strncmp(avcodec_get_name(p->codec_id), "pcm_", 4) == 0 && p->sample_rate > 0 &&
           p->ch_layout.nb_channels > 0;
}

// Whether audio whose history nobody knows was re-encoded, as the first packets tell. Raw samples
// may be cut into packets of other sizes.
static bool looks_encoded(const struct side *in, const struct side *out)
{
    if (in->stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO || in->end || out->end)
        return false;
    const int common = in->size < out->size ? in->size : out->size;
    return is_pcm(in) ? memcmp(in->data, out->data, (size_t)common) != 0 : !same_data(in, out);
}

static ksr_status compare_sides(ksr_context *ctx, struct side *in, struct side *out,
                                const struct ksr_stream_match *match, double shift_ms,
                                int64_t limit, struct ksr_stream_comparison *c)
{
    // A tick of either side, but nobody is to hear it: AVI has ticks as long as its packets.
    const double ticks = milliseconds(in, 1) + milliseconds(out, 1) + 1e-6;
    const bool audio = in->stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    struct terms t = {.allowed = audio && ticks > 2 ? 2 : ticks,
                      .shift = shift_ms,
                      .limit = limit,
                      .rises = in->stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO,
                      .latest = -INFINITY};
    next_packet(in);
    next_packet(out);
    const bool encoded = match->encoded || (match->guessed && looks_encoded(in, out));
    ksr_status status = KSR_OK;
    if (match->converted)
        status = compare_converted(ctx, in, out, &t, c);
    else if (!encoded && is_pcm(in))
        compare_samples(ctx, in, out, &t, c);
    else if (encoded)
        status = compare_extents(ctx, in, out, match, &t, c);
    else
        compare_copied(ctx, in, out, &t, c);
    if (status == KSR_OK && (ksr_packets_starved(in->packets) || ksr_packets_starved(out->packets)))
        status = ksr_fail_memory(ctx);
    return status == KSR_OK ? ksr_check_cancel(ctx) : status;
}

// Compares one stream of the input with one of an output that is open, and closes that.
static ksr_status compare_with(ksr_context *ctx, const char *input_path,
                               const struct ksr_film *film, struct side *out,
                               const struct ksr_stream_match *match, double shift_ms, int64_t limit,
                               struct ksr_stream_comparison *c)
{
    struct side in = {0};
    const struct ksr_cut cut = ksr_cut_of(film), whole = {0};
    ksr_status status = ksr_input_open_film(ctx, input_path, film, &in.input);
    if (status == KSR_OK)
        status = begin_side(ctx, &in, match->input, &cut);
    if (status == KSR_OK)
        status = begin_side(ctx, out, match->output, &whole);
    if (status == KSR_OK)
        status = compare_sides(ctx, &in, out, match, shift_ms, limit, c);
    close_side(&in);
    close_side(out);
    return status;
}

ksr_status ksr_media_compare(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             const struct ksr_made *made, const struct ksr_stream_match *match,
                             double shift_ms, struct ksr_stream_comparison *c)
{
    struct side out = {0};
    memset(c, 0, sizeof(*c));
    const ksr_status status = ksr_input_open_film(ctx, made->path, made->film, &out.input);
    return status == KSR_OK
               ? compare_with(ctx, input_path, film, &out, match, shift_ms, INT64_MAX, c)
               : status;
}

ksr_status ksr_media_compare_bytes(ksr_context *ctx, const char *input_path,
                                   const struct ksr_film *film, const uint8_t *bytes, int64_t size,
                                   const char *format, const struct ksr_stream_match *match,
                                   double shift_ms, int64_t limit, struct ksr_stream_comparison *c)
{
    struct side out = {0};
    memset(c, 0, sizeof(*c));
    const ksr_status status = ksr_input_open_bytes(ctx, bytes, size, format, &out.input);
    return status == KSR_OK ? compare_with(ctx, input_path, film, &out, match, shift_ms, limit, c)
                            : status;
}
