// Bit rates; see bit_rates.h.

#include "media/compare/bit_rates.h"

#include <math.h>
#include <stdlib.h>

#include "media/input/input.h"
#include "media/mux/packets.h"

ksr_status ksr_media_rates(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           float **rates, size_t *count)
{
    struct ksr_input input;
    const struct ksr_film_frame *last = &film->frames[film->frame_count - 1];
    const double start = ksr_film_seconds(film, film->frames[0].time);
    const double length = ksr_film_seconds(film, last->time + last->duration) - start;
    *count = (size_t)fmax(ceil(length - 0.01), 1);
    *rates = calloc(*count, sizeof(**rates));
    if (!*rates)
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_input_open(ctx, path, true, &input);
    if (status != KSR_OK)
        return status;
    const struct ksr_cut cut = ksr_cut_of(film);
    AVPacket *packet = av_packet_alloc();
    ksr_packets *packets = NULL;
    ksr_input_select(&input, film->stream);
    status = packet ? ksr_packets_create(ctx, &input, &cut, &packets) : ksr_fail_memory(ctx);
    while (status == KSR_OK && ksr_packets_next(packets, packet)) {
        const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
        const double at = ksr_film_seconds(film, time) - start;
        if (packet->stream_index == film->stream && time != AV_NOPTS_VALUE && at >= 0 &&
            at < (double)*count)
            (*rates)[(size_t)at] += (float)packet->size * 8 / 1000;
        av_packet_unref(packet);
        status = ksr_check_cancel(ctx);
    }
    if (status == KSR_OK && ksr_packets_starved(packets))
        status = ksr_fail_memory(ctx);
    // The last second may be a short one.
    const double rest = length - (double)(*count - 1);
    if (rest > 0.01 && rest < 1)
        (*rates)[*count - 1] /= (float)rest;
    ksr_packets_destroy(&packets);
    av_packet_free(&packet);
    ksr_input_close(&input);
    return status;
}
