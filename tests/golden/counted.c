// The program, with a count of what FFmpeg does when files are opened.
//
//   KSR_COUNTS=FILE counted ARGUMENTS...
//
// Linked before the libraries of FFmpeg, which call these functions among themselves, too. At its
// end FILE has the lines `opened N` (files, other than those in memory), `looked N` (of them, those
// of which FFmpeg decoded video to find out what it is) and `packets N` (of video sent to decoders,
// by whomever).

#include <dlfcn.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int opened, looked, packets;
static _Thread_local int looking, decoded; // within FFmpeg's look; video packets in it

static void write_counts(void)
{
    const char *path = getenv("KSR_COUNTS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "opened %d\nlooked %d\npackets %d\n", opened, looked, packets);
    fclose(file);
}

static void *real(const char *name)
{
    static atomic_flag begun = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&begun))
        atexit(write_counts);
    return dlsym(RTLD_NEXT, name);
}

int avformat_open_input(AVFormatContext **format, const char *url, const AVInputFormat *demuxer,
                        AVDictionary **options)
{
    int (*next)(AVFormatContext **, const char *, const AVInputFormat *, AVDictionary **);
    *(void **)&next = real("avformat_open_input");
    opened += url && *url;
    return next(format, url, demuxer, options);
}

int avformat_find_stream_info(AVFormatContext *format, AVDictionary **options)
{
    int (*next)(AVFormatContext *, AVDictionary **);
    *(void **)&next = real("avformat_find_stream_info");
    const int file = format->url && *format->url;
    looking = 1;
    decoded = 0;
    const int result = next(format, options);
    looking = 0;
    looked += file && decoded > 0;
    return result;
}

int avcodec_send_packet(AVCodecContext *decoder, const AVPacket *packet)
{
    int (*next)(AVCodecContext *, const AVPacket *);
    *(void **)&next = real("avcodec_send_packet");
    if (decoder->codec_type == AVMEDIA_TYPE_VIDEO && packet && packet->size > 0 &&
        decoder->skip_frame < AVDISCARD_ALL) {
        packets++;
        decoded += looking;
    }
    return next(decoder, packet);
}
