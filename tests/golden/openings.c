// Is a file that is opened again, with what is known of its video (media/av/known.h), the file that
// was opened first?
//
//   openings FILE [OTHER]
//
// Indexes the file, opens it once with FFmpeg looking at everything and once as the film's readers
// do, and compares streams and packets, also after a seek, and frames with those of a decoder in
// FFmpeg's own memory. Ends with `known, N packets equal` or
// `nothing known` (status 0), or says what differs (status 1). OTHER: what is opened has become
// another file since it was indexed; ends with `looked at again, N packets equal`.

#include <inttypes.h>
#include <libavutil/imgutils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "media/index/index.h"
#include "media/input/input.h"

static int differences;
static bool learnt; // the film's file is looked at again

static void print_line(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level <= KSR_LOG_WARNING)
        fprintf(stderr, "openings: %s\n", message);
}

static void compare(const char *what, int stream, int64_t a, int64_t b)
{
    if (a == b)
        return;
    if (differences++ < 20)
        printf("stream %d: %s is %" PRId64 " instead of %" PRId64 "\n", stream, what, b, a);
}

static void compare_parameters(int i, const AVCodecParameters *a, const AVCodecParameters *b)
{
    compare("type", i, a->codec_type, b->codec_type);
    compare("codec", i, a->codec_id, b->codec_id);
    compare("tag", i, a->codec_tag, b->codec_tag);
    compare("size of extradata", i, a->extradata_size, b->extradata_size);
    if (a->extradata_size == b->extradata_size && a->extradata_size > 0)
        compare("extradata", i, 0, memcmp(a->extradata, b->extradata, (size_t)a->extradata_size));
    compare("format", i, a->format, b->format);
    compare("bit rate", i, a->bit_rate, b->bit_rate);
    compare("bits", i, a->bits_per_coded_sample, b->bits_per_coded_sample);
    compare("raw bits", i, a->bits_per_raw_sample, b->bits_per_raw_sample);
    compare("profile", i, a->profile, b->profile);
    compare("level", i, a->level, b->level);
    compare("width", i, a->width, b->width);
    compare("height", i, a->height, b->height);
    compare("aspect", i, a->sample_aspect_ratio.num, b->sample_aspect_ratio.num);
    compare("aspect", i, a->sample_aspect_ratio.den, b->sample_aspect_ratio.den);
    compare("field order", i, a->field_order, b->field_order);
    compare("range", i, a->color_range, b->color_range);
    compare("matrix", i, a->color_space, b->color_space);
    compare("primaries", i, a->color_primaries, b->color_primaries);
    compare("transfer", i, a->color_trc, b->color_trc);
    compare("chroma location", i, a->chroma_location, b->chroma_location);
    compare("delay", i, a->video_delay, b->video_delay);
    compare("sample rate", i, a->sample_rate, b->sample_rate);
    compare("channels", i, a->ch_layout.nb_channels, b->ch_layout.nb_channels);
    compare("frame size", i, a->frame_size, b->frame_size);
}

static void compare_stream(int i, const AVStream *a, const AVStream *b)
{
    compare_parameters(i, a->codecpar, b->codecpar);
    compare("time base", i, a->time_base.den, b->time_base.den);
    compare("start", i, a->start_time, b->start_time);
    compare("duration", i, a->duration, b->duration);
    compare("frames", i, a->nb_frames, b->nb_frames);
    compare("disposition", i, a->disposition, b->disposition);
    compare("rate", i, a->r_frame_rate.num, b->r_frame_rate.num);
    compare("rate", i, a->r_frame_rate.den, b->r_frame_rate.den);
    compare("average rate", i, a->avg_frame_rate.num, b->avg_frame_rate.num);
    compare("average rate", i, a->avg_frame_rate.den, b->avg_frame_rate.den);
    compare("tags", i, av_dict_count(a->metadata), av_dict_count(b->metadata));
}

static void compare_files(const AVFormatContext *a, const AVFormatContext *b)
{
    compare("number of streams", -1, a->nb_streams, b->nb_streams);
    compare("start", -1, a->start_time, b->start_time);
    compare("duration", -1, a->duration, b->duration);
    compare("bit rate", -1, a->bit_rate, b->bit_rate);
    for (unsigned i = 0; i < a->nb_streams && i < b->nb_streams; i++)
        compare_stream((int)i, a->streams[i], b->streams[i]);
}

static void compare_packets(const AVPacket *a, const AVPacket *b, bool own)
{
    const int i = a->stream_index;
    compare("packet's stream", i, i, b->stream_index);
    compare("timestamp", i, a->pts, b->pts);
    if (!own || b->dts != AV_NOPTS_VALUE)
        compare("decode timestamp", i, a->dts, b->dts);
    if (!own || b->duration > 0)
        compare("duration", i, a->duration, b->duration);
    compare("flags", i, a->flags, b->flags);
    compare("position", i, a->pos, b->pos);
    compare("size", i, a->size, b->size);
    if (a->size == b->size && a->size > 0)
        compare("data", i, (int64_t)(ksr_hash64(a->data, (size_t)a->size) >> 1),
                (int64_t)(ksr_hash64(b->data, (size_t)b->size) >> 1));
    compare("side data", i, a->side_data_elems, b->side_data_elems);
}

// The next packet, of one stream alone unless that is negative.
static bool read_packet(AVFormatContext *format, AVPacket *packet, int alone)
{
    while (ksr_input_read(format, packet) >= 0) {
        if (alone < 0 || packet->stream_index == alone)
            return true;
        av_packet_unref(packet);
    }
    return false;
}

// Returns how many packets there are.
static int compare_rest(AVFormatContext *a, AVFormatContext *b, int stream, int alone)
{
    AVPacket *p = av_packet_alloc(), *q = av_packet_alloc();
    int count = 0;
    for (;;) {
        const bool x = read_packet(a, p, alone), y = read_packet(b, q, alone);
        compare("end", -1, !x, !y);
        if (!x || !y)
            break;
        compare_packets(p, q, p->stream_index == stream);
        av_packet_unref(p);
        av_packet_unref(q);
        count++;
    }
    av_packet_free(&p);
    av_packet_free(&q);
    return count;
}

static void seek(AVFormatContext *f, const struct ksr_film *film)
{
    const struct ksr_film_key *key = &film->keys[film->key_count / 2];
    compare("seek", -1, 1, av_seek_frame(f, film->stream, key->time, AVSEEK_FLAG_BACKWARD) >= 0);
}

// alone: opened for the frames of the film's stream.
static int compare_openings(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            bool alone)
{
    struct ksr_input full, again;
    const int stream = film->stream, only = alone ? stream : -1;
    if (ksr_input_open(ctx, path, true, &full) != KSR_OK ||
        (alone ? ksr_input_open_video(ctx, path, film->known, stream, &again)
               : ksr_input_open_film(ctx, path, film, &again)) != KSR_OK)
        exit(1);
    learnt = again.known != NULL;
    if (alone)
        compare_stream(stream, full.format->streams[stream], again.format->streams[stream]);
    else
        compare_files(full.format, again.format);
    int count = compare_rest(full.format, again.format, stream, only);
    if (film->key_count > 1) {
        seek(full.format, film);
        seek(again.format, film);
        count += compare_rest(full.format, again.format, stream, only);
    }
    ksr_input_close(&full);
    ksr_input_close(&again);
    return count;
}

// A decoder whose frames are in FFmpeg's own memory; the rest as input.h has it.
static AVCodecContext *plain_decoder(const AVStream *stream)
{
    const AVCodec *codec = avcodec_find_decoder(stream->codecpar->codec_id);
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    avcodec_parameters_to_context(decoder, stream->codecpar);
    decoder->thread_count = 1;
    decoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_UNALIGNED;
    if (avcodec_open2(decoder, codec, NULL) < 0)
        exit(1);
    return decoder;
}

static uint64_t hash_frame(const AVFrame *frame)
{
    const int size = av_image_get_buffer_size(frame->format, frame->width, frame->height, 1);
    uint8_t *bytes = av_malloc((size_t)size);
    av_image_copy_to_buffer(bytes, size, (const uint8_t *const *)frame->data, frame->linesize,
                            frame->format, frame->width, frame->height, 1);
    const uint64_t hash = ksr_hash64(bytes, (size_t)size);
    av_free(bytes);
    return hash;
}

// Returns how many frames there are.
static int compare_frames(AVCodecContext *ours, AVCodecContext *plain, AVFrame *p, AVFrame *q)
{
    int count = 0;
    for (;; count++) {
        const bool x = avcodec_receive_frame(ours, p) >= 0,
                   y = avcodec_receive_frame(plain, q) >= 0;
        compare("frame", -1, x, y);
        if (!x || !y)
            return count;
        compare("frame's memory", -1, p->buf[0] && !p->buf[1], true);
        compare("frame's samples", -1, (int64_t)(hash_frame(p) >> 1),
                (int64_t)(hash_frame(q) >> 1));
    }
}

// Returns how many frames the file has, the same in the memory that decoders are given (buffers.h).
static int compare_decoders(ksr_context *ctx, const char *path, const struct ksr_film *film)
{
    struct ksr_input input;
    if (ksr_input_open_video(ctx, path, film->known, film->stream, &input) != KSR_OK ||
        ksr_input_open_decoder(ctx, &input) != KSR_OK)
        exit(1);
    AVCodecContext *plain = plain_decoder(input.video);
    AVPacket *packet = av_packet_alloc();
    AVFrame *p = av_frame_alloc(), *q = av_frame_alloc();
    int count = 0;
    bool end = false;
    while (!end) {
        end = !read_packet(input.format, packet, film->stream);
        avcodec_send_packet(input.decoder, end ? NULL : packet);
        avcodec_send_packet(plain, end ? NULL : packet);
        count += compare_frames(input.decoder, plain, p, q);
        av_packet_unref(packet);
    }
    av_frame_free(&p);
    av_frame_free(&q);
    av_packet_free(&packet);
    avcodec_free_context(&plain);
    ksr_input_close(&input);
    return count;
}

int main(int argc, char **argv)
{
    const struct ksr_callbacks callbacks = {.log = print_line};
    ksr_context *ctx;
    struct ksr_film film;
    if (argc < 2 || argc > 3 || ksr_context_create(&ctx, &callbacks) != KSR_OK ||
        ksr_film_index(ctx, argv[1], true, &film) != KSR_OK)
        return 1;
    int count = 0;
    const int frames = compare_decoders(ctx, argv[1], &film);
    compare("number of frames", -1, frames, (int64_t)film.frame_count);
    if (film.known)
        count = compare_openings(ctx, argv[argc - 1], &film, true) +
                compare_openings(ctx, argv[argc - 1], &film, false);
    if (differences == 0 && film.known)
        printf("%s, %d packets equal\n", learnt ? "looked at again" : "known", count);
    else if (differences == 0)
        printf("nothing known\n");
    ksr_film_free(&film);
    ksr_context_destroy(&ctx);
    return differences > 0;
}
