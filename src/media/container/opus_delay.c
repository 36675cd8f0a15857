// Finding out what the Matroska muxer does; see opus_delay.h.

#include "media/container/opus_delay.h"

#include <pthread.h>
#include <string.h>

#include "media/av/memory.h"

#define DELAY_SAMPLES 480 // 10 ms at 48 kHz

// An Opus head with that pre-skip: version 1, one channel, 48 kHz.
static const uint8_t opus_head[19] = {
    'O',  'p',  'u', 's', 'H', 'e', 'a', 'd', 1, 1, DELAY_SAMPLES & 255, DELAY_SAMPLES >> 8,
    0x80, 0xbb, 0,   0,   0,   0,   0};

static bool set_parameters(AVCodecParameters *p)
{
    p->codec_type = AVMEDIA_TYPE_AUDIO;
    p->codec_id = AV_CODEC_ID_OPUS;
    p->sample_rate = 48000;
    p->initial_padding = DELAY_SAMPLES;
    av_channel_layout_default(&p->ch_layout, 1);
    p->extradata = av_mallocz(sizeof(opus_head) + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!p->extradata)
        return false;
    memcpy(p->extradata, opus_head, sizeof(opus_head));
    p->extradata_size = sizeof(opus_head);
    return true;
}

// Writes a file of one packet at time 0. Returns its size, 0 on failure.
static int write_file(uint8_t **bytes)
{
    AVFormatContext *f = NULL;
    AVPacket *packet = av_packet_alloc();
    bool ok = packet && av_new_packet(packet, 3) >= 0 &&
              avformat_alloc_output_context2(&f, NULL, "matroska", NULL) >= 0 &&
              avio_open_dyn_buf(&f->pb) >= 0;
    AVStream *stream = ok ? avformat_new_stream(f, NULL) : NULL;
    ok = stream && set_parameters(stream->codecpar);
    if (ok) {
        f->avoid_negative_ts = 0;
        memset(packet->data, 0xf8, 3);
        packet->pts = packet->dts = 0;
        packet->duration = 20;
        packet->flags = AV_PKT_FLAG_KEY;
        ok = avformat_write_header(f, NULL) >= 0 && av_write_frame(f, packet) >= 0 &&
             av_write_trailer(f) >= 0;
    }
    const int size = f && f->pb ? avio_close_dyn_buf(f->pb, bytes) : 0;
    avformat_free_context(f);
    av_packet_free(&packet);
    return ok ? size : 0;
}

// Returns the time of the file's first packet, AV_NOPTS_VALUE on failure.
static int64_t read_time(const uint8_t *bytes, int size)
{
    struct ksr_memory *memory = ksr_memory_read(bytes, size);
    AVFormatContext *f = avformat_alloc_context();
    AVPacket *packet = av_packet_alloc();
    int64_t time = AV_NOPTS_VALUE;
    if (memory && f && packet) {
        f->pb = memory->io;
        if (avformat_open_input(&f, "delay.mkv", av_find_input_format("matroska"), NULL) >= 0 &&
            av_read_frame(f, packet) >= 0)
            time = packet->pts;
    }
    av_packet_free(&packet);
    avformat_close_input(&f);
    ksr_memory_close(&memory);
    return time;
}

// What was found: -1 = nothing yet.
static int adds_delay = -1;
static pthread_mutex_t adds_delay_lock = PTHREAD_MUTEX_INITIALIZER;

static int find_out(void)
{
    uint8_t *bytes = NULL;
    const int size = write_file(&bytes);
    const int64_t time = size > 0 ? read_time(bytes, size) : AV_NOPTS_VALUE;
    av_free(bytes);
    return time == AV_NOPTS_VALUE ? -1 : time == 0;
}

ksr_status ksr_matroska_adds_delay(ksr_context *ctx, bool *adds)
{
    ksr_ffmpeg_init();
    pthread_mutex_lock(&adds_delay_lock);
    if (adds_delay < 0)
        adds_delay = find_out();
    const int found = adds_delay;
    pthread_mutex_unlock(&adds_delay_lock);
    *adds = found == 1;
    // So small a file fails for want of memory only.
    return found < 0 ? ksr_fail_memory(ctx) : KSR_OK;
}
