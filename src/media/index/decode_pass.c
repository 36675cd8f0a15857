// Decoding a whole file for its index; see decode_pass.h.

#include "media/index/decode_pass.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/index/audio_timestamps.h"
#include "media/index/kinds.h"
#include "media/index/repair.h"

// --- Packets ---

void ksr_pass_report(const struct ksr_pass *pass, int64_t size)
{
    const int64_t at = pass->input->format->pb ? avio_tell(pass->input->format->pb) : 0;
    ksr_report_progress(pass->ctx, &(struct ksr_progress){.phase = KSR_PHASE_PLAN,
                                                          .done = at < size ? at : size,
                                                          .total = size});
}

// Says what a file that ends in the middle means: a failure, or a warning.
static ksr_status ends_early(const struct ksr_pass *pass, int result)
{
    char text[256];
    const char *reason = ksr_ffmpeg_error(result, text);
    if (!pass->tolerant)
        return ksr_fail(pass->ctx, KSR_E_INPUT,
                        "input file is damaged or ends early: %s (%s); use "
                        "{on_frame_error=repeat|skip} to keep the readable part",
                        pass->input->format->url + strlen("file:"), reason);
    ksr_log(pass->ctx, KSR_LOG_WARNING, "the input ends early (%s); going on with what is there",
            reason);
    return KSR_OK;
}

ksr_status ksr_pass_read(struct ksr_pass *pass, AVPacket *packet, bool *end)
{
    *end = false;
    ksr_ffmpeg_clear_message();
    const int result = ksr_input_read(pass->input->format, packet);
    if (result >= 0) {
        pass->corrupt = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
        return KSR_OK;
    }
    if (ksr_check_cancel(pass->ctx) != KSR_OK)
        return KSR_E_CANCELLED;
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(pass->ctx);
    *end = true;
    const bool cut = strstr(ksr_ffmpeg_message(), "prematurely") != NULL;
    const bool whole = !cut && ksr_input_ended(pass->input->format, result, pass->corrupt);
    return whole ? KSR_OK : ends_early(pass, result);
}

// --- Frames ---

// Is given the frames of a walk. sent: timestamp of the packet that the decoder was given last,
// AV_NOPTS_VALUE after the end. Returns whether to go on.
typedef bool frame_visitor(void *opaque, AVFrame *frame, int64_t sent);

struct walk {
    frame_visitor *visit;
    void *opaque;
    AVFrame *frame;
    bool go_on;
    int64_t sent;
};

// Takes what the decoder has ready.
static ksr_status visit_ready(ksr_context *ctx, struct ksr_input *input, struct walk *walk)
{
    ksr_status status = KSR_OK;
    for (bool got = true; status == KSR_OK && walk->go_on && got;) {
        status = ksr_stream_receive(ctx, input->decoder, walk->frame, &got);
        walk->go_on = !got || walk->visit(walk->opaque, walk->frame, walk->sent);
        av_frame_unref(walk->frame);
    }
    return status;
}

static ksr_status walk_packet(ksr_context *ctx, struct ksr_input *input, const AVPacket *packet,
                              struct walk *walk)
{
    ksr_status status = KSR_OK;
    if (packet && ksr_input_renews(input, packet)) {
        status = ksr_stream_send(ctx, input->decoder, NULL, NULL);
        if (status == KSR_OK)
            status = visit_ready(ctx, input, walk);
        avcodec_flush_buffers(input->decoder);
    }
    walk->sent = packet ? packet->pts : AV_NOPTS_VALUE;
    if (status == KSR_OK && walk->go_on)
        status = ksr_stream_send(ctx, input->decoder, packet, NULL);
    return status == KSR_OK ? visit_ready(ctx, input, walk) : status;
}

// Decodes linearly from the start.
static ksr_status walk_frames(ksr_context *ctx, struct ksr_input *input,
                              const struct ksr_film *film, frame_visitor *visit, void *opaque)
{
    struct ksr_pass pass = {ctx, input, true, false};
    AVPacket *packet = av_packet_alloc();
    struct walk walk = {visit, opaque, av_frame_alloc(), true};
    ksr_mender *mender =
        ksr_mender_create(film->jumps, film->jump_count, (int)input->format->nb_streams);
    ksr_status status = packet && walk.frame && mender ? KSR_OK : ksr_fail_memory(ctx);
    const int64_t size = input->format->pb ? avio_size(input->format->pb) : 0;
    bool end = false;
    for (int i = 0; status == KSR_OK && walk.go_on && !end; i++) {
        status = ksr_pass_read(&pass, packet, &end);
        if (status != KSR_OK)
            break;
        if (!end)
            ksr_mender_apply(mender, packet);
        if (end || packet->stream_index == input->video->index)
            status = walk_packet(ctx, input, end ? NULL : packet, &walk);
        av_packet_unref(packet);
        if (i % 64 == 0)
            ksr_pass_report(&pass, size);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    ksr_mender_destroy(&mender);
    av_packet_free(&packet);
    av_frame_free(&walk.frame);
    return status;
}

struct first_look {
    const struct ksr_input *input;
    struct ksr_video_format *format;
    bool seen;
};

static bool look_once(void *opaque, AVFrame *frame, int64_t sent)
{
    struct first_look *look = opaque;
    (void)sent;
    ksr_film_describe(look->input, frame, look->format);
    look->seen = true;
    return false;
}

struct linear_index {
    struct first_look look;
    struct ksr_film *film;
    size_t capacity, key_capacity, sent_capacity;
    int64_t *sent; // by frame: the packet that brought it out of the decoder
    size_t falls;  // timestamps below the one before
    bool out_of_memory;
};

// Describes a frame of a film that is indexed by decoding.
static bool note_kind(struct linear_index *index, AVFrame *frame)
{
    struct ksr_film *film = index->film;
    struct ksr_video_format format;
    ksr_film_describe(index->look.input, frame, &format);
    if (format.interlaced && !film->format.interlaced && !film->turns_interlaced) {
        film->turns_interlaced = true;
        film->interlaced_from = (int64_t)film->frame_count;
    }
    return ksr_kinds_add(film, (int64_t)film->frame_count, &format);
}

static bool note_damage(struct ksr_film *film, const AVFrame *frame)
{
    if (!ksr_frame_damaged(frame))
        return true;
    if (!ksr_array_reserve((void **)&film->damaged, &film->damaged_capacity,
                           film->damaged_count + 1, sizeof(film->damaged[0])))
        return false;
    film->damaged[film->damaged_count++] = (int64_t)film->frame_count;
    return true;
}

static bool note_frame(void *opaque, AVFrame *frame, int64_t sent)
{
    struct linear_index *index = opaque;
    struct ksr_film *film = index->film;
    const size_t i = film->frame_count;
    if (!index->look.seen)
        look_once(&index->look, frame, sent);
    if (!ksr_array_reserve((void **)&film->frames, &index->capacity, i + 1,
                           sizeof(film->frames[0])) ||
        !ksr_array_reserve((void **)&film->keys, &index->key_capacity, film->key_count + 1,
                           sizeof(film->keys[0])) ||
        !ksr_array_reserve((void **)&index->sent, &index->sent_capacity, i + 1,
                           sizeof(index->sent[0])) ||
        !note_kind(index, frame) || !note_damage(film, frame)) {
        index->out_of_memory = true;
        return false;
    }
    const int64_t time = ksr_frame_time(frame);
    if (ksr_av_frame_key(frame))
        film->keys[film->key_count++] = (struct ksr_film_key){i, time, -1};
    index->falls += i > 0 && time != AV_NOPTS_VALUE && time < film->frames[i - 1].time;
    index->sent[i] = sent;
    film->frames[i] = (struct ksr_film_frame){time, time, ksr_av_frame_duration(frame)};
    film->frame_count++;
    return true;
}

// Whether most durations are about half the distance to the next frame.
static bool lasts_a_field(const struct ksr_film *film)
{
    size_t halves = 0;
    for (size_t i = 1; i < film->frame_count; i++) {
        const struct ksr_film_frame *f = &film->frames[i - 1];
        halves += f->time != AV_NOPTS_VALUE && f[1].time != AV_NOPTS_VALUE && f->duration > 0 &&
                  f->duration < (f[1].time - f->time) * 0.6;
    }
    return halves > film->frame_count / 2;
}

// Where the file gives the rate of fields, frames get theirs: of what the file says and its half
// that which is nearer to their distance; where packets are fields, usual rates are likely too.
// Durations are then those of fields.
static ksr_status set_frame_rate(ksr_context *ctx, struct ksr_film *film, bool fields)
{
    const struct ksr_rational said = film->format.frame_rate;
    const struct ksr_rational likely[] = {
        said, {said.num, said.den * 2}, {25, 1}, {30000, 1001}, {24000, 1001}};
    const int64_t usual = ksr_film_usual_step(film);
    const double step = ksr_film_seconds(film, usual);
    double nearest = 0.02;
    for (size_t i = 0; i < (fields ? 5 : 2); i++) {
        const double length = likely[i].num > 0 ? (double)likely[i].den / likely[i].num : step * 2;
        const double off = length > step ? length / step - 1 : step / length - 1;
        if (off >= nearest)
            continue;
        nearest = off;
        film->format.frame_rate = likely[i];
        fields = fields || i > 0;
    }
    fields = fields || lasts_a_field(film);
    for (size_t i = 0; i < film->frame_count && fields; i++)
        film->frames[i].duration = 0; // to the next frame
    return usual > 0 ? KSR_OK : ksr_fail_memory(ctx);
}

// Makes times and durations of decoded frames out of what packets of fields, or packets with decode
// times, gave them.
static ksr_status settle_times(ksr_context *ctx, const struct ksr_decode_hints *hints,
                               const struct linear_index *index)
{
    struct ksr_film *film = index->film;
    const bool decode_times = index->falls > hints->falls;
    for (size_t i = 0; i < film->frame_count && decode_times; i++)
        film->frames[i].time = index->sent[i];
    const ksr_status status = set_frame_rate(ctx, film, hints->fields > 0);
    if (!decode_times)
        return status;
    ksr_log(ctx, KSR_LOG_WARNING,
            "timestamps are those of decoding, not of display: each frame is shown when the "
            "decoder gives it");
    const int64_t usual = ksr_film_usual_step(film);
    for (size_t i = 1; i < film->frame_count; i++) // what comes out at the end
        if (film->frames[i].time == AV_NOPTS_VALUE && film->frames[i - 1].time != AV_NOPTS_VALUE)
            film->frames[i].time = film->frames[i - 1].time + usual;
    return status;
}

ksr_status ksr_index_decode(ksr_context *ctx, const char *path,
                            const struct ksr_decode_hints *hints, struct ksr_film *film)
{
    struct ksr_input input;
    ksr_status status = ksr_input_open_video(ctx, path, film->known, film->stream, &input);
    if (status != KSR_OK)
        return status;
    ksr_input_select(&input, film->stream);
    input.no_samples = true;
    struct linear_index index = {.look = {.input = &input, .format = &film->format}, .film = film};
    status = ksr_input_open_decoder(ctx, &input);
    if (status == KSR_OK)
        status = film->linear ? walk_frames(ctx, &input, film, note_frame, &index)
                              : walk_frames(ctx, &input, film, look_once, &index.look);
    ksr_input_close(&input);
    if (status == KSR_OK && index.out_of_memory)
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK && !index.look.seen)
        status = ksr_fail(ctx, KSR_E_INPUT, "no frame of %s can be decoded", path);
    if (status == KSR_OK && film->linear)
        status = settle_times(ctx, hints, &index);
    free(index.sent);
    return status;
}
