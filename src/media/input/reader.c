// Decoding chosen frames; see reader.h.
//
// A decoder is opened anew for every seek, so that what it gives depends on the packets from
// there on and on nothing that happened before.

#include "media/input/reader.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/headers.h"
#include "media/av/hevc_quantizer.h"
#include "media/av/pixels.h"
#include "media/container/containers.h"
#include "media/input/conform.h"
#include "media/input/filter.h"
#include "media/input/input.h"

struct ksr_reader {
    char *path;
    const struct ksr_film *film;
    struct ksr_input input;
    struct ksr_known *known; // of it, from the first time that it was opened; NULL: see film->known
    AVPacket *packet;
    AVFrame *frame; // out of the decoder, or of the filter
    AVFrame *taken; // by the caller
    struct ksr_pixel_reader *pixels;
    ksr_turner *turner; // once a picture has been taken, if the film has a geometry
    ksr_conform *conform;
    struct ksr_video_format format; // of `frame`, as it was decoded
    bool keep_kinds, quantizers, no_samples, no_grain;
    bool sent, has_quantizer; // a packet, since the last seek; it told this:
    int quantizer;
    ksr_filter *filter; // once the first frame has come, if the film has one
    bool filter_ended;  // the filter has been told that no frame follows
    size_t first;       // frames before it are decoded and dropped
    size_t position;    // number of the next frame out of the decoder
    bool pending;       // `packet` is the keyframe, not sent yet
    bool draining;      // the decoder has been told that no packet follows
    bool renewing;      // it was told so, but `packet` with other headers follows
};

ksr_status ksr_reader_create(ksr_context *ctx, const char *path, const struct ksr_film *film,
                             ksr_reader **out)
{
    ksr_reader *r = calloc(1, sizeof(*r));
    *out = NULL;
    if (!r)
        return ksr_fail_memory(ctx);
    r->path = strdup(path);
    r->film = film;
    r->packet = av_packet_alloc();
    r->frame = av_frame_alloc();
    r->taken = av_frame_alloc();
    r->pixels = ksr_pixel_reader_create();
    r->conform = ksr_conform_create();
    if (!r->path || !r->packet || !r->frame || !r->taken || !r->pixels || !r->conform) {
        ksr_reader_destroy(&r);
        return ksr_fail_memory(ctx);
    }
    *out = r;
    return KSR_OK;
}

void ksr_reader_destroy(ksr_reader **reader)
{
    if (!reader || !*reader)
        return;
    ksr_input_close(&(*reader)->input);
    ksr_known_free(&(*reader)->known);
    ksr_filter_close(&(*reader)->filter);
    av_packet_free(&(*reader)->packet);
    av_frame_free(&(*reader)->frame);
    av_frame_free(&(*reader)->taken);
    ksr_pixel_reader_destroy(&(*reader)->pixels);
    ksr_turner_destroy(&(*reader)->turner);
    ksr_conform_destroy(&(*reader)->conform);
    free((*reader)->path);
    free(*reader);
    *reader = NULL;
}

struct ksr_film_key ksr_reader_entry(const struct ksr_film *film, size_t frame)
{
    size_t found = 0;
    const size_t lead = ksr_filter_warmup(film);
    frame = frame > lead ? frame - lead : 0;
    for (size_t k = 0; k < film->key_count && film->keys[k].frame <= frame; k++)
        found = k;
    if (film->linear || film->key_count == 0)
        return ksr_film_start(film);
    if (film->open_gop && found > 0)
        found--;
    return film->keys[found];
}

static ksr_status open_input(ksr_context *ctx, ksr_reader *r)
{
    const struct ksr_known *known = r->film->known ? r->film->known : r->known;
    ksr_input_close(&r->input);
    const ksr_status status = ksr_input_open_video(ctx, r->path, r->film->linear ? NULL : known,
                                                   r->film->stream, &r->input);
    if (status != KSR_OK)
        return status;
    if (r->input.known && !known) { // a film out of a manifest
        r->known = r->input.known;
        r->input.known = NULL;
    }
    r->input.no_grain = r->no_grain || r->film->no_grain;
    r->input.quantizers = r->quantizers;
    r->input.no_samples = r->no_samples;
    ksr_input_select(&r->input, r->film->stream);
    return KSR_OK;
}

// Reads on to the packet of the keyframe and leaves it pending: r->pending is false when it is not
// ahead, or not before another keyframe with a later time.
static ksr_status find_key(ksr_context *ctx, ksr_reader *r, const struct ksr_film_key *from)
{
    r->pending = false;
    ksr_status status = ksr_check_cancel(ctx);
    for (; status == KSR_OK && !r->pending; status = ksr_check_cancel(ctx)) {
        av_packet_unref(r->packet);
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(r->input.format, r->packet);
        if (ksr_ffmpeg_starved(result))
            return ksr_fail_memory(ctx);
        if (result < 0)
            return KSR_OK;
        const AVPacket *p = r->packet;
        if (p->stream_index != r->film->stream || !(p->flags & AV_PKT_FLAG_KEY))
            continue;
        r->pending = p->pts == from->time;
        if (p->pts != AV_NOPTS_VALUE && p->pts > from->time)
            return KSR_OK;
    }
    return status;
}

static bool seek_to(ksr_reader *r, const struct ksr_film_key *from)
{
    AVFormatContext *format = r->input.format;
    if (ksr_container_read_by(format->iformat->name)->seeks_by_byte && from->position >= 0)
        return av_seek_frame(format, -1, from->position, AVSEEK_FLAG_BYTE) >= 0;
    return av_seek_frame(format, r->film->stream, from->time, AVSEEK_FLAG_BACKWARD) >= 0;
}

static ksr_status seek_key(ksr_context *ctx, ksr_reader *r, const struct ksr_film_key *from)
{
    ksr_status status = open_input(ctx, r);
    const bool ahead = from->frame > 0 || r->film->skipped > 0;
    if (status == KSR_OK && ahead && seek_to(r, from))
        status = find_key(ctx, r, from);
    if (status == KSR_OK && ahead && !r->pending) {
        ksr_log(ctx, KSR_LOG_DEBUG, "no exact seek in %s: reading from the start", r->path);
        status = open_input(ctx, r);
    }
    if (status == KSR_OK && !r->pending)
        status = find_key(ctx, r, from);
    if (status == KSR_OK && !r->pending)
        status = ksr_fail(ctx, KSR_E_PROCESS, "keyframe at %.3f s not found in %s",
                          ksr_film_seconds(r->film, from->time), r->path);
    return status;
}

ksr_status ksr_reader_seek(ksr_context *ctx, ksr_reader *r, size_t first,
                           const struct ksr_film_key *from)
{
    const bool linear = r->film->linear;
    ksr_status status = KSR_OK;
    const bool ahead = first >= r->first;
    r->first = first;
    if (linear && r->input.decoder && ahead)
        return KSR_OK;
    ksr_filter_close(&r->filter);
    r->pending = r->draining = r->renewing = r->filter_ended = false;
    r->sent = r->has_quantizer = false;
    r->position = 0;
    status = linear ? open_input(ctx, r) : seek_key(ctx, r, from);
    if (status == KSR_OK)
        status = ksr_input_open_decoder(ctx, &r->input);
    return status;
}

ksr_status ksr_reader_open(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           ksr_reader **out)
{
    const struct ksr_film_key start = ksr_film_start(film);
    ksr_status status = ksr_reader_create(ctx, path, film, out);
    if (status == KSR_OK)
        status = ksr_reader_seek(ctx, *out, 0, film->key_count > 0 ? &film->keys[0] : &start);
    if (status != KSR_OK)
        ksr_reader_destroy(out);
    return status;
}

static void look_at_packet(ksr_reader *r)
{
    const AVCodecParameters *p = r->input.video->codecpar;
    if (r->quantizers && !r->sent && p->codec_id == AV_CODEC_ID_HEVC)
        r->has_quantizer = ksr_hevc_quantizer(p, r->packet, &r->quantizer);
    r->sent = true;
}

// Sends one more packet to the decoder, or the end of the stream.
static ksr_status feed(ksr_context *ctx, ksr_reader *r)
{
    while (!r->pending && !r->draining) {
        av_packet_unref(r->packet);
        // A damaged tail ends the film as plan saw it; frames that are then missing are counted
        // by the caller.
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(r->input.format, r->packet);
        if (ksr_ffmpeg_starved(result))
            return ksr_fail_memory(ctx);
        if (result < 0)
            r->draining = true;
        else if (r->packet->stream_index == r->film->stream)
            r->pending = true;
        const ksr_status status = ksr_check_cancel(ctx);
        if (status != KSR_OK)
            return status;
    }
    if (r->pending && ksr_input_renews(&r->input, r->packet)) {
        r->renewing = true;
        return ksr_stream_send(ctx, r->input.decoder, NULL, NULL);
    }
    if (r->pending)
        look_at_packet(r);
    const ksr_status status =
        ksr_stream_send(ctx, r->input.decoder, r->pending ? r->packet : NULL, NULL);
    av_packet_unref(r->packet);
    r->pending = false;
    return status;
}

// Plan's description of a frame goes before what its decoder says: a decoder that has seen the
// frames before may remember tags of them.
static void describe_frame(ksr_reader *r, int64_t source)
{
    const struct ksr_video_format *planned = r->keep_kinds ? NULL : ksr_kinds_at(r->film, source);
    const char *name = av_get_pix_fmt_name(r->frame->format);
    if (planned && name && ksr_kinds_same_name(planned->pixel_format, name) &&
        planned->width == r->frame->width && planned->height == r->frame->height)
        r->format = *planned;
    else
        ksr_film_describe(&r->input, r->frame, &r->format);
}

// Makes the decoded frame one of the kind that all of the film are.
static ksr_status conform_frame(ksr_context *ctx, ksr_reader *r, int64_t source)
{
    const struct ksr_video_format *to = &r->film->decoded;
    const enum AVPixelFormat format = av_get_pix_fmt(to->pixel_format);
    bool ok = true;
    describe_frame(r, source);
    if (r->keep_kinds || !ksr_kinds_differ(&r->format, to))
        return KSR_OK;
    if (!ksr_conform_needed(&r->format, to)) {
        r->frame->format = format; // yuvj420p or yuv420p
        return KSR_OK;
    }
    ksr_status status = ksr_conform_frame(ctx, r->conform, &r->format, to, r->frame, &ok);
    if (status == KSR_OK && !ok)
        status = ksr_conform_blank(ctx, to, r->frame);
    return status;
}

// Decodes the next frame. *source: what the film knows it by. *end: there is none.
static ksr_status decode_next(ksr_context *ctx, ksr_reader *r, int64_t *source, bool *end)
{
    *end = false;
    for (;;) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_stream_take(r->input.decoder, r->frame);
        if (ksr_ffmpeg_starved(result) || ksr_memory_ran_out())
            return ksr_fail_memory(ctx);
        if (result < 0 && r->renewing && result != AVERROR(EAGAIN)) {
            avcodec_flush_buffers(r->input.decoder);
            r->renewing = false;
            continue;
        }
        if (result == AVERROR_EOF || (result < 0 && r->draining && result != AVERROR(EAGAIN))) {
            *end = true;
            return KSR_OK;
        }
        if (result >= 0) {
            *source = r->film->linear ? (int64_t)r->position : ksr_frame_time(r->frame);
            r->position++;
            return conform_frame(ctx, r, *source);
        }
        const ksr_status status = feed(ctx, r);
        if (status != KSR_OK)
            return status;
    }
}

// The same, through the film's filter.
static ksr_status filter_next(ksr_context *ctx, ksr_reader *r, int64_t *source, bool *second,
                              bool *end)
{
    bool ready = false, ended = false;
    ksr_status status = KSR_OK;
    while (status == KSR_OK && !ready && !*end) {
        if (r->filter)
            status = ksr_filter_receive(ctx, r->filter, r->frame, source, second, &ready);
        if (status != KSR_OK || ready)
            break;
        *end = r->filter_ended;
        if (*end)
            break;
        status = decode_next(ctx, r, source, &ended);
        if (status == KSR_OK && !ended && !r->filter)
            status = ksr_filter_open(ctx, r->film, r->frame, &r->filter);
        if (status == KSR_OK && r->filter)
            status = ksr_filter_send(ctx, r->filter, ended ? NULL : r->frame, *source);
        r->filter_ended = ended;
    }
    return status;
}

ksr_status ksr_reader_next(ksr_context *ctx, ksr_reader *r, size_t *index, bool *damaged)
{
    *index = SIZE_MAX;
    *damaged = false;
    for (;;) {
        int64_t source = 0;
        bool second = false, end = false;
        av_frame_unref(r->frame);
        const ksr_status status = r->film->filter[0] ? filter_next(ctx, r, &source, &second, &end)
                                                     : decode_next(ctx, r, &source, &end);
        if (status != KSR_OK || end)
            return status;
        const size_t i = ksr_film_find(r->film, source, second);
        if (i == SIZE_MAX || i < r->first)
            continue;
        r->first = i + 1;
        *index = i;
        *damaged = ksr_frame_damaged(r->frame);
        return KSR_OK;
    }
}

void ksr_reader_keep_kinds(ksr_reader *r)
{
    r->keep_kinds = true;
}

void ksr_reader_leave_grain(ksr_reader *r)
{
    r->no_grain = true;
}

void ksr_reader_leave_samples(ksr_reader *r)
{
    r->no_samples = true;
}

void ksr_reader_export_quantizers(ksr_reader *r)
{
    r->quantizers = true;
}

bool ksr_reader_quantizer(const ksr_reader *r, int *qp)
{
    *qp = r->quantizer;
    return r->has_quantizer;
}

const char *ksr_reader_codec(const ksr_reader *r)
{
    return r->input.video ? avcodec_get_name(r->input.video->codecpar->codec_id) : "";
}

bool ksr_reader_is_grey(const ksr_reader *reader)
{
    return ksr_headers_grey(reader->input.video->codecpar);
}

const struct ksr_video_format *ksr_reader_format(const ksr_reader *r)
{
    return &r->format;
}

const AVFrame *ksr_reader_frame(const ksr_reader *r)
{
    return r->frame;
}

AVFrame *ksr_reader_share(const ksr_reader *r)
{
    return av_frame_clone(r->taken);
}

void ksr_reader_release(AVFrame **frame)
{
    av_frame_free(frame);
}

size_t ksr_reader_decoded(const ksr_reader *r)
{
    return r->position;
}

ksr_status ksr_reader_take(ksr_context *ctx, ksr_reader *r, const struct ksr_layout *layout,
                           ksr_pool *pool, struct ksr_row_source *source)
{
    av_frame_unref(r->taken);
    av_frame_move_ref(r->taken, r->frame);
    const struct ksr_geometry *g = &r->film->geometry;
    if (g->width == 0)
        return ksr_pixels_read(ctx, r->pixels, r->taken, layout, source);
    struct ksr_layout all;
    struct ksr_row_source whole;
    ksr_geometry_whole(g, layout, &all);
    const ksr_status status = ksr_pixels_read(ctx, r->pixels, r->taken, &all, &whole);
    if (status == KSR_OK && !r->turner)
        r->turner = ksr_turner_create(g, layout, pool);
    if (status == KSR_OK && !r->turner)
        return ksr_fail_memory(ctx);
    if (status == KSR_OK)
        *source = ksr_turner_run(r->turner, &whole);
    return status;
}
