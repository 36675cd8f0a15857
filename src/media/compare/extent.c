// Measuring where audio begins and ends; see extent.h.
//
// A frame stands where audio_encoder.c would place it: at its time, or right behind the frame
// before where it has none or one that is off by no more than rounding.

#include "media/compare/extent.h"

#include <math.h>
#include <string.h>

#define ROUNDING_MS 10

ksr_status ksr_extent_open(ksr_context *ctx, const AVStream *stream, struct ksr_extent_meter *meter)
{
    memset(meter, 0, sizeof(*meter));
    meter->tick = av_q2d(stream->time_base) * 1000;
    if (stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO)
        return KSR_E_INPUT;
    meter->frame = av_frame_alloc();
    return meter->frame ? ksr_stream_open_decoder(ctx, stream, &meter->decoder)
                        : ksr_fail_memory(ctx);
}

void ksr_extent_close(struct ksr_extent_meter *meter)
{
    av_frame_free(&meter->frame);
    avcodec_free_context(&meter->decoder);
}

static void add_frame(struct ksr_extent_meter *m)
{
    struct ksr_extent *e = &m->extent;
    const AVFrame *f = m->frame;
    if (f->sample_rate <= 0)
        return;
    const double length = f->nb_samples * 1000.0 / f->sample_rate;
    const bool timed = f->best_effort_timestamp != AV_NOPTS_VALUE &&
                       (e->frames == 0 || f->best_effort_timestamp != m->time);
    double time = timed ? (double)f->best_effort_timestamp * m->tick : e->end;
    if (e->frames++ == 0)
        e->start = e->end = m->next = time;
    e->hole = fmax(e->hole, time - m->next);
    m->next = time + length;
    if (fabs(time - e->end) <= ROUNDING_MS)
        time = e->end;
    e->end = fmax(e->end, time + length);
    m->time = f->best_effort_timestamp;
    e->longest = fmax(e->longest, length);
}

ksr_status ksr_extent_send(ksr_context *ctx, struct ksr_extent_meter *meter, const AVPacket *packet)
{
    ksr_status status = ksr_stream_send(ctx, meter->decoder, packet, NULL);
    for (bool got = true; status == KSR_OK && got;) {
        status = ksr_stream_receive(ctx, meter->decoder, meter->frame, &got);
        if (status == KSR_OK && got)
            add_frame(meter);
        av_frame_unref(meter->frame);
    }
    return status;
}
