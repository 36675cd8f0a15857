// Indexing a film; see index.h.

#include "media/index/index.h"

#include <stdlib.h>
#include <string.h>

#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/av/alpha.h"
#include "media/av/audio_config.h"
#include "media/av/intra_refresh.h"
#include "media/index/audio_timestamps.h"
#include "media/index/decode_pass.h"
#include "media/index/kinds.h"
#include "media/index/late.h"
#include "media/index/packet_index.h"
#include "media/index/repair.h"
#include "media/input/external.h"
#include "media/input/filter.h"
#include "media/input/input.h"

#define MOST_HELD 16 // frames by which H.264 and its kin reorder at most

// A video packet as the demuxer gives it, in decode order.
struct packet_note {
    int64_t pts, time, duration, position; // time: pts in the timeline
    bool key;
};

struct packet_list {
    struct packet_note *notes;
    size_t count, capacity;
    int delay;              // frames that the decoder may hold back
    size_t packets;         // all of them; hidden frames of VP9 and AV1 are not among `notes`
    size_t shown;           // frames that they hold, as far as headers tell
    size_t fields;          // packets that are fields
    size_t falls;           // timestamps below the one before, in decode order
    const char *why_decode; // why packets alone are no index; NULL = they are
    struct ksr_kind_hints kinds;
};

// Lengthens an array of one entry per stream; what is new is zero.
static bool lengthen(void **array, size_t size, int from, int to)
{
    char *longer = realloc(*array, (size_t)to * size);
    if (!longer)
        return false;
    memset(longer + (size_t)from * size, 0, (size_t)(to - from) * size);
    *array = longer;
    return true;
}

static bool lengthen_all(struct ksr_film *film, int count)
{
    const int was = film->stream_count;
    const bool ok = lengthen((void **)&film->corrupt, sizeof(*film->corrupt), was, count) &&
                    lengthen((void **)&film->changing, sizeof(*film->changing), was, count) &&
                    lengthen((void **)&film->packets, sizeof(*film->packets), was, count) &&
                    lengthen((void **)&film->falling, sizeof(*film->falling), was, count);
    if (ok)
        film->stream_count = count;
    return ok;
}

ksr_status ksr_film_add_subs(ksr_context *ctx, const char *path, const char *subs,
                             struct ksr_film *film)
{
    struct ksr_input input;
    if (!subs || !*subs)
        return KSR_OK;
    film->subs = strdup(subs);
    if (!film->subs)
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_input_open_film(ctx, path, film, &input);
    if (status != KSR_OK)
        return status;
    const int count = film->stream_count + ksr_external_count(input.format);
    if ((int)input.format->nb_streams != count)
        status = ksr_fail(ctx, KSR_E_INPUT, "the input has changed: %s", path);
    else if (!lengthen_all(film, count))
        status = ksr_fail_memory(ctx);
    else
        status = ksr_external_count_packets(ctx, input.format, film->packets);
    ksr_input_close(&input);
    return status;
}

// Notes a packet of which `shown` frames are shown (packet_index.h).
static bool note_packet(struct packet_list *list, const AVCodecParameters *video,
                        const AVPacket *packet, int shown)
{
    const bool discarded = (packet->flags & AV_PKT_FLAG_DISCARD) != 0;
    const bool key =
        (packet->flags & AV_PKT_FLAG_KEY) != 0 && !ksr_packet_is_refresh(video, packet);
    list->packets++;
    list->shown += discarded ? 0 : (size_t)shown;
    if (shown == 0 && !key && !discarded &&
        (video->codec_id == AV_CODEC_ID_VP9 || video->codec_id == AV_CODEC_ID_AV1))
        return true;
    if (!ksr_array_reserve((void **)&list->notes, &list->capacity, list->count + 1,
                           sizeof(list->notes[0])) ||
        !ksr_kinds_note(&list->kinds, video, packet))
        return false;
    if (!ksr_film_is_time(packet->pts))
        list->why_decode = "timestamps are missing";
    else if (discarded)
        list->why_decode = "some packets are marked as not shown";
    else if (shown == 0)
        list->why_decode = "packets hold what is not shown";
    else if (list->count == 0 && !key)
        list->why_decode = "it does not begin with a keyframe";
    list->notes[list->count++] =
        (struct packet_note){packet->pts, packet->pts, packet->duration, packet->pos, key};
    return true;
}

// Notes of a stream what its packets tell beside their times. configs: per stream, what the first
// header said.
static void note_stream(struct ksr_film *film, const AVStream *stream, const AVPacket *packet,
                        int *configs)
{
    const int i = packet->stream_index;
    film->packets[i]++;
    film->corrupt[i] |= (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    film->changing[i] |= ksr_audio_config_changes(stream, packet, configs[i]);
    if (configs[i] == 0)
        configs[i] = ksr_audio_config(stream, packet);
}

// Notes the times of a packet, and the frames of one of the video stream.
static ksr_status note_times(ksr_context *ctx, const struct ksr_input *input,
                             const AVPacket *packet, ksr_coded *coded, ksr_jumps *jumps,
                             struct packet_list *list)
{
    if (packet->stream_index == input->video->index) {
        const int shown = ksr_coded_note(coded, packet);
        if (ksr_memory_ran_out() || !note_packet(list, input->video->codecpar, packet, shown))
            return ksr_fail_memory(ctx);
    }
    return ksr_jumps_note(jumps, packet) ? KSR_OK : ksr_fail_memory(ctx);
}

static ksr_status read_packets(ksr_context *ctx, struct ksr_input *input, bool tolerant,
                               struct ksr_film *film, struct packet_list *list,
                               struct ksr_late *late)
{
    struct ksr_pass pass = {ctx, input, tolerant, false};
    AVPacket *packet = av_packet_alloc();
    ksr_jumps *jumps = ksr_jumps_create(input->format, film->stream);
    ksr_coded *coded = ksr_coded_create(input->video);
    const int64_t size = input->format->pb ? avio_size(input->format->pb) : 0;
    int *configs = calloc((size_t)film->stream_count, sizeof(*configs));
    ksr_status status = packet && jumps && coded && configs ? KSR_OK : ksr_fail_memory(ctx);
    bool end = false;
    for (int i = 0; status == KSR_OK; i++) {
        status = ksr_pass_read(&pass, packet, &end);
        if (status != KSR_OK || end)
            break;
        ksr_late_note(late, input->format, packet);
        if (packet->stream_index < film->stream_count)
            note_stream(film, input->format->streams[packet->stream_index], packet, configs);
        status = note_times(ctx, input, packet, coded, jumps, list);
        av_packet_unref(packet);
        if (i % 256 == 0) {
            ksr_pass_report(&pass, size);
            if (status == KSR_OK)
                status = ksr_check_cancel(ctx);
        }
    }
    if (status == KSR_OK && !ksr_jumps_judge(jumps, film))
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        const char *reason = ksr_coded_reason(coded);
        list->why_decode = reason ? reason : list->why_decode;
        if (ksr_alpha_is_beside(input->video))
            list->why_decode = "alpha may have other keyframes";
        else if (input->video->codecpar->codec_id == AV_CODEC_ID_VP8)
            list->why_decode = "VP8 has packets that are not shown";
        list->fields = ksr_coded_fields(coded);
    }
    ksr_coded_destroy(&coded);
    ksr_jumps_destroy(&jumps);
    av_packet_free(&packet);
    free(configs);
    return status;
}

// Frames in presentation order from packets in decode order. Sets list->why_decode when two
// timestamps are equal.
static bool frames_from_packets(struct ksr_film *film, struct packet_list *list)
{
    film->frames = calloc(list->count, sizeof(film->frames[0]));
    if (!film->frames)
        return false;
    film->frame_count = list->count;
    for (size_t i = 0; i < list->count; i++)
        film->frames[i] = (struct ksr_film_frame){list->notes[i].pts, list->notes[i].time,
                                                  list->notes[i].duration};
    ksr_film_sort(film);
    for (size_t i = 1; i < film->frame_count; i++)
        if (film->frames[i].source == film->frames[i - 1].source ||
            film->frames[i].time <= film->frames[i - 1].time)
            list->why_decode = "timestamps repeat or fall";
    const int64_t usual = ksr_film_usual_step(film);
    if (!list->why_decode && list->delay > 0 && ksr_film_looks_misplaced(film, usual))
        list->why_decode = "timestamps look misplaced";
    return usual > 0;
}

// Whether the frames cannot be shown in the order of their timestamps, or should not: a decoder
// holds back at most `delay` frames to put them in order.
static bool is_out_of_order(const struct packet_list *list)
{
    int64_t held[MOST_HELD + 1], shown = INT64_MIN;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t at = count++;
        for (; at > 0 && held[at - 1] > list->notes[i].time; at--)
            held[at] = held[at - 1];
        held[at] = list->notes[i].time;
        if (held[0] <= shown)
            return true;
        if (count > (size_t)list->delay) {
            shown = held[0];
            memmove(held, held + 1, --count * sizeof(held[0]));
        }
    }
    return false;
}

static bool keys_from_packets(struct ksr_film *film, struct packet_list *list)
{
    size_t capacity = 0;
    int64_t key_time = INT64_MIN;
    for (size_t i = 0; i < list->count; i++) {
        const struct packet_note *note = &list->notes[i];
        if (note->pts < key_time) {
            film->open_gop = true;
            if (film->key_count == 1)
                list->why_decode = "frames before the first keyframe";
        }
        if (!note->key)
            continue;
        key_time = note->pts;
        if (!ksr_array_reserve((void **)&film->keys, &capacity, film->key_count + 1,
                               sizeof(film->keys[0])))
            return false;
        film->keys[film->key_count++] =
            (struct ksr_film_key){ksr_film_find(film, note->pts, false), note->pts, note->position};
    }
    // Keyframes come in presentation order in every sane file; where not, they are no borders.
    for (size_t i = 1; i < film->key_count; i++)
        if (film->keys[i].frame <= film->keys[i - 1].frame)
            list->why_decode = "keyframes are out of order";
    return true;
}

// Puts the packets' timestamps in the timeline.
static void mend_notes(const struct ksr_film *film, struct packet_list *list)
{
    for (size_t k = 0; k < film->jump_count; k++) {
        const struct ksr_film_jump *jump = &film->jumps[k];
        for (int64_t i = jump->first; jump->stream == film->stream && i < jump->first + jump->count;
             i++)
            if (i < (int64_t)list->count && ksr_film_is_time(list->notes[i].pts))
                list->notes[i].time += jump->by;
    }
    for (size_t k = 0; k < film->jump_count && !list->why_decode; k++)
        if (film->jumps[k].stream == film->stream &&
            (film->jumps[k].back || list->count < list->packets)) // jumps count every packet
            list->why_decode = "timestamps jump and return";
    if (!list->why_decode && is_out_of_order(list))
        list->why_decode = "timestamps are out of order";
}

static ksr_status index_packets(ksr_context *ctx, const char *path, int video, bool tolerant,
                                struct ksr_film *film, struct packet_list *list,
                                struct ksr_late *late)
{
    struct ksr_input input;
    ksr_status status = ksr_input_open_far(ctx, path, film->probe, video, &input);
    if (status != KSR_OK)
        return status;
    film->stream = input.video->index;
    film->probe = input.probe;
    film->known = input.known;
    input.known = NULL;
    const AVRational base = input.video->time_base;
    film->time_base = (struct ksr_rational){base.num, base.den};
    film->stream_count = (int)input.format->nb_streams;
    film->corrupt = calloc((size_t)film->stream_count, sizeof(film->corrupt[0]));
    film->falling = calloc((size_t)film->stream_count, sizeof(film->falling[0]));
    film->changing = calloc((size_t)film->stream_count, sizeof(film->changing[0]));
    film->packets = calloc((size_t)film->stream_count, sizeof(film->packets[0]));
    ksr_late_begin(late, input.format);
    list->delay = FFMIN(input.video->codecpar->video_delay, MOST_HELD);
    status = film->corrupt && film->falling && film->changing && film->packets
                 ? read_packets(ctx, &input, tolerant, film, list, late)
                 : ksr_fail_memory(ctx);
    ksr_input_close(&input);
    if (status == KSR_OK && list->packets == 0)
        return ksr_fail(ctx, KSR_E_INPUT, "no video in %s", path);
    if (status == KSR_OK)
        mend_notes(film, list);
    for (size_t i = 1; i < list->count; i++)
        list->falls += list->notes[i].time < list->notes[i - 1].time;
    if (status == KSR_OK && !list->why_decode &&
        (!frames_from_packets(film, list) || !keys_from_packets(film, list)))
        status = ksr_fail_memory(ctx);
    return status;
}

// Indexes the packets of all streams; anew where some of them come late.
static ksr_status index_streams(ksr_context *ctx, const char *path, int video, bool tolerant,
                                struct ksr_film *film, struct packet_list *list)
{
    struct ksr_late late;
    ksr_status status = index_packets(ctx, path, video, tolerant, film, list, &late);
    while (status == KSR_OK && ksr_late_probe(&late, film->probe) > 0) {
        const int64_t probe = ksr_late_probe(&late, film->probe);
        ksr_film_free(film);
        free(list->notes);
        free(list->kinds.list);
        memset(list, 0, sizeof(*list));
        film->probe = probe;
        status = index_packets(ctx, path, video, tolerant, film, list, &late);
    }
    if (status == KSR_OK)
        ksr_late_warn(ctx, &late);
    return status;
}

// The first frame at or after a time of the film.
static size_t first_at(const struct ksr_film *film, int64_t microseconds)
{
    const AVRational base = {film->time_base.num, film->time_base.den}, micro = {1, 1000000};
    size_t i = 0;
    while (i < film->frame_count && av_compare_ts(film->frames[i].time - film->frames[0].time, base,
                                                  microseconds, micro) < 0)
        i++;
    return i;
}

// Keys before the cut lead to its frame 0; where a filter must have seen frames before that, those
// too near are no use.
static void cut_keys(struct ksr_film *film, size_t first, size_t end)
{
    const size_t lead = ksr_filter_warmup(film);
    size_t kept = 0;
    for (size_t k = 0; k < film->key_count && film->keys[k].frame < end; k++) {
        struct ksr_film_key key = film->keys[k];
        if (k > 0 && key.frame <= first && key.frame + lead > first)
            continue;
        key.frame = key.frame > first ? key.frame - first : 0;
        film->keys[kept++] = key;
    }
    film->key_count = kept;
}

void ksr_film_focus(struct ksr_film *film, int64_t start, int64_t duration)
{
    ksr_kinds_choose(film, first_at(film, start),
                     duration < 0 ? film->frame_count : first_at(film, start + duration));
}

ksr_status ksr_film_cut(ksr_context *ctx, struct ksr_film *film, int64_t start, int64_t duration)
{
    const size_t first = first_at(film, start);
    const size_t end = duration < 0 ? film->frame_count : first_at(film, start + duration);
    if (first >= end)
        return ksr_fail(ctx, KSR_E_PARAM, "%s: no frame of the input is in this range",
                        first >= film->frame_count ? "start" : "duration");
    film->cut = true;
    film->skipped = first;
    film->offset = film->frames[first].time;
    film->frame_count = end - first;
    memmove(film->frames, film->frames + first, film->frame_count * sizeof(film->frames[0]));
    for (size_t i = 0; i < film->frame_count; i++)
        film->frames[i].time -= film->offset;
    cut_keys(film, first, end);
    return KSR_OK;
}

// A film indexed by decoding has only the frames that decode: what became of the others is said.
static void warn_undecoded(ksr_context *ctx, const struct packet_list *list, struct ksr_film *film)
{
    if (!film->linear || list->shown <= film->frame_count)
        return;
    film->undecoded = list->shown - film->frame_count;
    ksr_log(ctx, KSR_LOG_WARNING, "%zu of %zu frames cannot be decoded and are dropped",
            film->undecoded, list->shown);
}

// What all frames look like, not the first alone.
static ksr_status find_kinds(ksr_context *ctx, const char *path, struct ksr_film *film,
                             const struct ksr_kind_hints *hints)
{
    ksr_status status = KSR_OK;
    if (!ksr_kinds_add(film, film->linear ? 0 : film->frames[0].source, &film->format))
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK && !film->linear)
        status = ksr_kinds_find(ctx, path, film, hints);
    return status;
}

void ksr_film_set_rate(struct ksr_film *film, struct ksr_rational rate)
{
    film->time_base = (struct ksr_rational){rate.den, rate.num};
    film->format.frame_rate = rate;
}

static void warn_of_times(ksr_context *ctx, const struct ksr_film *film)
{
    const struct ksr_timeline *t = &film->timeline;
    const int closed = t->restarts + t->alone;
    if (closed > 0)
        ksr_log(ctx, KSR_LOG_WARNING,
                "the timestamps of %s restart or jump in %d place%s, first at %.3f s: what follows "
                "continues there without a gap",
                t->restarts > 0 ? "all streams" : "one stream", closed, closed == 1 ? "" : "s",
                t->first);
    if (t->holes > 0)
        ksr_log(ctx, KSR_LOG_WARNING,
                "there is no video or audio from %.3f s on for %.3f s, according to the timestamps "
                "(%d such pause%s)",
                t->hole, t->pause, t->holes, t->holes == 1 ? "" : "s");
    if (film->repaired > 0)
        ksr_log(ctx, KSR_LOG_WARNING, "%d timestamp%s missing, equal or out of order: repaired",
                film->repaired, film->repaired == 1 ? " was" : "s were");
}

ksr_status ksr_film_index(ksr_context *ctx, const char *path, bool tolerant, struct ksr_film *out)
{
    return ksr_film_index_video(ctx, path, 0, tolerant, out);
}

ksr_status ksr_film_index_video(ksr_context *ctx, const char *path, int video, bool tolerant,
                                struct ksr_film *out)
{
    struct packet_list list = {0};
    memset(out, 0, sizeof(*out));
    ksr_status status = index_streams(ctx, path, video, tolerant, out, &list);
    if (status == KSR_OK && list.why_decode) {
        ksr_log(ctx, KSR_LOG_DEBUG, "indexing by decoding: %s", list.why_decode);
        out->linear = true;
        ksr_known_free(&out->known);
        out->frame_count = out->key_count = 0;
        free(out->frames);
        free(out->keys);
        out->frames = NULL;
        out->keys = NULL;
    }
    free(list.notes);
    list.notes = NULL;
    const struct ksr_decode_hints hints = {list.fields, list.falls};
    if (status == KSR_OK)
        status = ksr_index_decode(ctx, path, &hints, out);
    if (status == KSR_OK)
        status = find_kinds(ctx, path, out, &list.kinds);
    free(list.kinds.list);
    if (status == KSR_OK)
        warn_undecoded(ctx, &list, out);
    if (status != KSR_OK) {
        ksr_film_free(out);
        return status;
    }
    if (ksr_sequence_is(path))
        ksr_film_set_rate(out, (struct ksr_rational){24, 1});
    for (size_t i = 0; i < out->jump_count; i++)
        if (out->jumps[i].stream == out->stream && out->jumps[i].back)
            out->repaired += (int)out->jumps[i].count;
    if (!ksr_film_repair(out)) {
        ksr_film_free(out);
        return ksr_fail_memory(ctx);
    }
    ksr_kinds_choose(out, 0, out->frame_count);
    warn_of_times(ctx, out);
    return KSR_OK;
}
