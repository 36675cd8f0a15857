// Distances of frames; see spacing.h.

#include "media/index/spacing.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/input/input.h"

#define NEVER_MIND 3  // frames that are too near
#define PER_CENT   2  // likewise
#define PAUSE      10 // seconds: no distance, but a hole

struct steps {
    int64_t *list; // positive ones, in the order of the file
    size_t count, capacity;
    int64_t last;
};

static bool note_step(struct steps *s, const AVPacket *packet, AVRational base)
{
    const int64_t time = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
    const int64_t before = s->last;
    s->last = time;
    if (time == AV_NOPTS_VALUE || before == AV_NOPTS_VALUE || time <= before ||
        (double)time - (double)before > PAUSE / av_q2d(base))
        return true;
    if (!ksr_array_reserve((void **)&s->list, &s->capacity, s->count + 1, sizeof(s->list[0])))
        return false;
    s->list[s->count++] = time - before;
    return true;
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void conclude(struct steps *s, AVRational base, struct ksr_spacing *out)
{
    if (s->count == 0)
        return;
    qsort(s->list, s->count, sizeof(s->list[0]), by_value);
    const int64_t usual = s->list[s->count / 2];
    out->frames = s->count;
    out->usual = (double)usual * av_q2d(base);
    while (out->close < s->count && s->list[out->close] < (usual + 3) / 4)
        out->close++;
}

ksr_status ksr_media_spacing(ksr_context *ctx, const char *path, int stream,
                             struct ksr_spacing *out)
{
    struct ksr_input input;
    struct steps steps = {.last = AV_NOPTS_VALUE};
    AVPacket *packet = NULL;
    memset(out, 0, sizeof(*out));
    ksr_status status = ksr_input_open(ctx, path, true, &input);
    if (status != KSR_OK)
        return status;
    packet = av_packet_alloc();
    status = packet ? KSR_OK : ksr_fail_memory(ctx);
    ksr_input_select(&input, stream);
    while (status == KSR_OK) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read_own(input.format, packet);
        if (ksr_ffmpeg_starved(result))
            status = ksr_fail_memory(ctx);
        if (result < 0)
            break;
        if (status == KSR_OK && packet->stream_index == stream &&
            !note_step(&steps, packet, input.format->streams[stream]->time_base))
            status = ksr_fail_memory(ctx);
        av_packet_unref(packet);
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    if (status == KSR_OK)
        conclude(&steps, input.format->streams[stream]->time_base, out);
    free(steps.list);
    av_packet_free(&packet);
    ksr_input_close(&input);
    return status;
}

size_t ksr_film_count_close(const struct ksr_film *film, double seconds)
{
    size_t close = 0;
    for (size_t i = 1; i < film->frame_count; i++) {
        const double step = ksr_film_seconds(film, film->frames[i].time) -
                            ksr_film_seconds(film, film->frames[i - 1].time);
        close += step > 0 && step < seconds;
    }
    return close;
}

size_t ksr_spacing_limit(size_t before, size_t frames)
{
    const size_t share = frames * PER_CENT / 100;
    return before + (share > NEVER_MIND ? share : NEVER_MIND);
}
