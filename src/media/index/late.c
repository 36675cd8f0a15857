// Finding streams that come late; see late.h.

#include "media/index/late.h"

#include <string.h>

#define BEHIND  5000000            // bytes from a first packet on, as FFmpeg looks by default
#define MAX_GAP (INT64_C(1) << 30) // bytes: an opening keeps in memory what it looks at

// Whether something is not known of a stream without which it cannot go along.
static bool is_incomplete(const AVCodecParameters *p)
{
    if (p->codec_type == AVMEDIA_TYPE_AUDIO)
        return p->sample_rate <= 0 || p->ch_layout.nb_channels < 1;
    return p->codec_type == AVMEDIA_TYPE_VIDEO && (p->width <= 0 || p->height <= 0);
}

void ksr_late_begin(struct ksr_late *late, const AVFormatContext *input)
{
    memset(late, 0, sizeof(*late));
    late->known = (int)input->nb_streams;
    for (int i = 0; i < late->known && i < KSR_MAX_STREAMS; i++)
        late->incomplete[i] = is_incomplete(input->streams[i]->codecpar);
}

static void note_lost(struct ksr_late *late, const AVStream *s, const AVPacket *packet)
{
    const char *kind = av_get_media_type_string(s->codecpar->codec_type);
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    const size_t room = sizeof(late->labels) / sizeof(late->labels[0]);
    if (late->lost < (int)room)
        snprintf(late->labels[late->lost], sizeof(late->labels[0]),
                 "%s stream %d (%s, from %.1f s on)", kind ? kind : "unknown", s->index,
                 avcodec_get_name(s->codecpar->codec_id),
                 time == AV_NOPTS_VALUE ? 0.0 : (double)time * av_q2d(s->time_base));
    late->lost++;
}

void ksr_late_note(struct ksr_late *late, const AVFormatContext *input, const AVPacket *packet)
{
    const int i = packet->stream_index;
    const AVStream *s = input->streams[i];
    if (i >= KSR_MAX_STREAMS || late->seen[i])
        return;
    late->seen[i] = true;
    const int64_t at = input->pb ? avio_tell(input->pb) : 0;
    const bool known = i < late->known;
    if (known && !late->incomplete[i])
        return;
    if (at <= MAX_GAP && at > late->needed)
        late->needed = at;
    if (!known)
        note_lost(late, s, packet);
}

int64_t ksr_late_probe(const struct ksr_late *late, int64_t probe)
{
    return late->needed > 0 && late->needed + BEHIND > probe ? late->needed + BEHIND : 0;
}

void ksr_late_warn(ksr_context *ctx, const struct ksr_late *late)
{
    const int named = (int)(sizeof(late->labels) / sizeof(late->labels[0]));
    for (int i = 0; i < late->lost && i < named; i++)
        ksr_log(ctx, KSR_LOG_WARNING, "%s begins too late and is dropped", late->labels[i]);
    if (late->lost > named)
        ksr_log(ctx, KSR_LOG_WARNING, "%d more streams begin too late and are dropped",
                late->lost - named);
}
