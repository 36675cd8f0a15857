// Frames whose parameters change midway, and the headers of packets that tell of it, under
// libFuzzer: tests/fuzz/meson.build has how to build it.
//
// The input chooses a target and a run of frames of any format and size, which are converted one
// after the other and read as rows; then it is taken for a packet of every codec whose headers are
// known.

#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"
#include "media/av/headers.h"
#include "media/av/pixels.h"
#include "media/av/units.h"
#include "media/index/kinds.h"
#include "media/input/conform.h"

#define MOST_FRAMES 6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at;
    size_t left;
};

static int take(struct bytes *b)
{
    if (b->left == 0)
        return 0;
    b->left--;
    return *b->at++;
}

// A format of few samples; all pixel formats of FFmpeg come up.
static struct ksr_video_format take_format(struct bytes *b)
{
    const AVPixFmtDescriptor *d = NULL;
    int number = take(b);
    struct ksr_video_format f = {.width = 1 + take(b) % 70, .height = 1 + take(b) % 40};
    for (d = av_pix_fmt_desc_next(NULL); d && number > 0; number--)
        d = av_pix_fmt_desc_next(d);
    snprintf(f.pixel_format, sizeof(f.pixel_format), "%s", d ? d->name : "yuv420p");
    const int tags = take(b), colour = take(b);
    f.color_range = tags % 3;
    f.interlaced = tags & 4;
    f.chroma_location = (tags >> 3) % 7;
    f.color_space = colour % 15;
    return f;
}

// Allocates exactly what the format needs, so that a sanitizer sees what is read behind it.
static AVFrame *make_frame(struct bytes *b, const struct ksr_video_format *f)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame)
        abort();
    frame->format = av_get_pix_fmt(f->pixel_format);
    frame->width = f->width;
    frame->height = f->height;
    if (av_frame_get_buffer(frame, 1) < 0) {
        av_frame_free(&frame);
        return NULL;
    }
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
        memset(frame->buf[i]->data, take(b), frame->buf[i]->size);
    ksr_av_frame_set_fields(frame, f->interlaced, true);
    return frame;
}

// What comes out must be readable with the layout of the target.
static void read_frame(const AVFrame *frame, const struct ksr_video_format *to)
{
    struct ksr_layout layout;
    struct ksr_row_source source;
    struct ksr_frame rows;
    int bits;
    struct ksr_pixel_reader *reader = ksr_pixel_reader_create();
    if (!reader || !ksr_pixels_layout(to, &layout, &bits) || !ksr_frame_alloc(&rows, &layout))
        abort();
    if (ksr_pixels_read(NULL, reader, frame, &layout, &source) != KSR_OK)
        abort();
    for (int i = 0; i < layout.planes; i++)
        source.rows(source.opaque, i, &rows.plane[i], 0, rows.plane[i].height);
    ksr_frame_free(&rows);
    ksr_pixel_reader_destroy(&reader);
}

// Without a conversion, a frame of another kind is refused, or reads within its planes.
static void read_as_other(const AVFrame *frame, const struct ksr_video_format *to)
{
    struct ksr_layout layout;
    struct ksr_row_source source;
    struct ksr_frame rows;
    int bits;
    struct ksr_pixel_reader *reader = ksr_pixel_reader_create();
    if (!reader || !ksr_pixels_layout(to, &layout, &bits) || !ksr_frame_alloc(&rows, &layout))
        abort();
    if (ksr_pixels_read(NULL, reader, frame, &layout, &source) == KSR_OK)
        for (int i = 0; i < layout.planes; i++)
            source.rows(source.opaque, i, &rows.plane[i], 0, rows.plane[i].height);
    ksr_frame_free(&rows);
    ksr_pixel_reader_destroy(&reader);
}

static void convert_frames(struct bytes *b)
{
    struct ksr_video_format to = take_format(b);
    ksr_conform *conform = ksr_conform_create();
    if (!conform)
        abort();
    ksr_conform_carrier(&to);
    for (int i = 0; b->left > 0 && i < MOST_FRAMES && ksr_conform_supported(&to); i++) {
        const struct ksr_video_format from = take_format(b);
        AVFrame *frame = make_frame(b, &from);
        bool ok = false;
        if (!frame)
            continue;
        read_as_other(frame, &to);
        if (ksr_conform_frame(NULL, conform, &from, &to, frame, &ok) != KSR_OK)
            abort();
        if (ok)
            read_frame(frame, &to);
        char text[400];
        ksr_kinds_text(&from, &to, text, sizeof(text));
        av_frame_free(&frame);
    }
    ksr_conform_destroy(&conform);
}

static void read_packets(const uint8_t *data, size_t size)
{
    static const enum AVCodecID codecs[] = {
        AV_CODEC_ID_H264, AV_CODEC_ID_HEVC,  AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4,
        AV_CODEC_ID_VC1,  AV_CODEC_ID_AV1,   AV_CODEC_ID_VP9,        AV_CODEC_ID_MJPEG,
        AV_CODEC_ID_PNG,  AV_CODEC_ID_PRORES};
    uint8_t extra[32] = {1};
    memcpy(extra + 1, data, size < 30 ? size : 30);
    for (size_t i = 0; i < 2 * sizeof(codecs) / sizeof(codecs[0]); i++) {
        AVCodecParameters p = {.codec_id = codecs[i / 2]};
        if (i % 2) {
            p.extradata = extra;
            p.extradata_size = 31;
        }
        uint8_t *copy = malloc(size > 0 ? size : 1); // nothing behind it is readable
        AVPacket *packet = av_packet_alloc();
        if (!copy || !packet)
            abort();
        memcpy(copy, data, size);
        packet->data = copy;
        packet->size = (int)size;
        packet->flags = AV_PKT_FLAG_KEY;
        (void)!ksr_packet_headers(&p, packet);
        av_packet_free(&packet);
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 6 || size > 4096)
        return 0;
    struct bytes b = {data, size};
    convert_frames(&b);
    read_packets(data, size);
    return 0;
}
