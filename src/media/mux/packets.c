// Packets of the other streams; see packets.h.

#include "media/mux/packets.h"

#include <stdlib.h>

#include "core/mem.h"
#include "media/index/audio_timestamps.h"
#include "media/input/external.h"

struct ksr_packets {
    struct ksr_input *input;
    struct ksr_cut cut;
    AVPacket **shown; // per stream: the subtitle without a length that is shown when the cut begins
    bool *begun;      // per stream: a packet of it has been given out
    ksr_mender *mender;
    AVPacket *next; // read already, when `holding`
    bool holding, starved;
    int streams;
};

struct ksr_cut ksr_cut_of(const struct ksr_film *film)
{
    const struct ksr_film_frame *last = &film->frames[film->frame_count - 1];
    return (struct ksr_cut){film->cut,    {film->time_base.num, film->time_base.den},
                            film->offset, film->offset + last->time + last->duration,
                            film->jumps,  film->jump_count};
}

ksr_status ksr_packets_create(ksr_context *ctx, struct ksr_input *input, const struct ksr_cut *cut,
                              ksr_packets **out)
{
    ksr_packets *k = *out = calloc(1, sizeof(*k));
    if (!k)
        return ksr_fail_memory(ctx);
    k->input = input;
    k->cut = *cut;
    k->streams = (int)input->format->nb_streams;
    k->shown = calloc((size_t)k->streams, sizeof(k->shown[0]));
    k->begun = calloc((size_t)k->streams, sizeof(k->begun[0]));
    k->mender = ksr_mender_create(cut->jumps, cut->jump_count, k->streams);
    k->next = av_packet_alloc();
    if (!k->shown || !k->begun || !k->mender || !k->next) {
        ksr_packets_destroy(out);
        return ksr_fail_memory(ctx);
    }
    return KSR_OK;
}

void ksr_packets_destroy(ksr_packets **packets)
{
    ksr_packets *k = *packets;
    if (!k)
        return;
    for (int i = 0; k->shown && i < k->streams; i++)
        av_packet_free(&k->shown[i]);
    free(k->shown);
    free(k->begun);
    ksr_mender_destroy(&k->mender);
    av_packet_free(&k->next);
    free(k);
    *packets = NULL;
}

// Keeps a subtitle until it is known whether another one follows before the cut begins.
static void keep_shown(ksr_packets *k, AVPacket *p)
{
    AVPacket **slot = &k->shown[p->stream_index];
    if (!*slot)
        *slot = av_packet_alloc();
    if (!*slot) {
        k->starved = true;
        return;
    }
    av_packet_unref(*slot);
    av_packet_move_ref(*slot, p);
}

static void shorten(AVPacket *p, int64_t from, int64_t to)
{
    const int64_t end = p->duration > 0 ? p->pts + p->duration : p->pts;
    if (p->pts < from)
        p->pts = p->dts = from;
    if (p->duration > 0)
        p->duration = (end < to ? end : to) - p->pts;
}

// Cuts a packet; returns whether it stays.
static bool cut_packet(ksr_packets *k, AVPacket *p)
{
    const AVStream *s = k->input->format->streams[p->stream_index];
    const enum AVMediaType type = s->codecpar->codec_type;
    if (!k->cut.on || ksr_stream_is_cover(s) || p->pts == AV_NOPTS_VALUE)
        return true;
    const int64_t from = av_rescale_q(k->cut.from, k->cut.base, s->time_base);
    const int64_t to = av_rescale_q(k->cut.to, k->cut.base, s->time_base);
    const bool before = p->pts < from && p->pts + p->duration <= from;
    if (type == AVMEDIA_TYPE_SUBTITLE && p->duration <= 0 && p->pts < from) {
        keep_shown(k, p);
        return false;
    }
    if (before || p->pts >= to)
        return false;
    if (type == AVMEDIA_TYPE_VIDEO && !k->begun[s->index] && !(p->flags & AV_PKT_FLAG_KEY))
        return false;
    if (type == AVMEDIA_TYPE_SUBTITLE || type == AVMEDIA_TYPE_DATA)
        shorten(p, from, to);
    p->pts -= from;
    if (p->dts != AV_NOPTS_VALUE)
        p->dts -= from;
    return true;
}

// Gives out the subtitle that stands when the cut begins, if there is one.
static bool take_shown(ksr_packets *k, int stream, AVPacket *out)
{
    AVPacket *shown = k->shown[stream];
    k->begun[stream] = true;
    if (!shown || !shown->data)
        return false;
    av_packet_move_ref(out, shown);
    out->pts = out->dts = 0;
    return true;
}

// Corrects the timestamps of a packet; returns whether it stays.
static bool mend(ksr_packets *k, AVPacket *p)
{
    const int64_t before = p->pts;
    const bool stays = ksr_mender_apply(k->mender, p);
    ksr_external_follow(k->input->format, p, before);
    return stays;
}

// Makes k->next the next packet that stays. Returns false at the end.
static bool hold_next(ksr_packets *k)
{
    while (!k->holding) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(k->input->format, k->next);
        k->starved = k->starved || ksr_ffmpeg_starved(result);
        if (result < 0 || k->starved)
            return false;
        if (k->next->stream_index < k->streams)
            k->holding = mend(k, k->next) && cut_packet(k, k->next);
        if (!k->holding)
            av_packet_unref(k->next);
    }
    return true;
}

bool ksr_packets_starved(const ksr_packets *k)
{
    return k->starved;
}

bool ksr_packets_next(ksr_packets *k, AVPacket *out)
{
    if (hold_next(k)) {
        const int stream = k->next->stream_index;
        if (!k->begun[stream] && take_shown(k, stream, out))
            return true;
        av_packet_move_ref(out, k->next);
        k->holding = false;
        return true;
    }
    for (int i = 0; i < k->streams; i++)
        if (!k->begun[i] && take_shown(k, i, out))
            return true;
    return false;
}
