// Memory of decoded frames: rows as decoders ask for them, zeroed, taken again.

#include "unit.h"

#include <string.h>

#include "core/mem.h"
#include "media/av/buffers.h"

struct asking {
    AVCodecContext *decoder;
    struct ksr_buffers *buffers;
};

static struct asking begin(enum AVCodecID codec)
{
    struct asking a = {.decoder = avcodec_alloc_context3(avcodec_find_decoder(codec))};
    assert_non_null(a.decoder);
    a.buffers = ksr_buffers_use(a.decoder);
    assert_non_null(a.buffers);
    return a;
}

static void end(struct asking *a)
{
    avcodec_free_context(&a->decoder);
    ksr_buffers_free(&a->buffers);
}

static AVFrame *ask(struct asking *a, enum AVPixelFormat format, int width, int height)
{
    AVFrame *frame = av_frame_alloc();
    assert_non_null(frame);
    a->decoder->pix_fmt = frame->format = format;
    frame->width = width;
    frame->height = height;
    assert_int_equal(a->decoder->get_buffer2(a->decoder, frame, 0), 0);
    return frame;
}

// Rows of the frame, as many as the decoder may write, lie in the buffer, zeroed, one plane behind
// the other, with room to read behind each.
static void check_frame(struct asking *a, const AVFrame *frame)
{
    int align[AV_NUM_DATA_POINTERS], width = frame->width, height = frame->height;
    avcodec_align_dimensions2(a->decoder, &width, &height, align);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);
    const int planes = av_pix_fmt_count_planes(frame->format);
    const uint8_t *free_from = frame->buf[0]->data;
    assert_null(frame->buf[1]);
    for (int i = 0; i < planes; i++) {
        const bool chroma = (i == 1 || i == 2) && !(d->flags & AV_PIX_FMT_FLAG_RGB);
        const int rows = chroma ? AV_CEIL_RSHIFT(height, d->log2_chroma_h) : height;
        const size_t size = (size_t)frame->linesize[i] * (size_t)rows;
        assert_int_equal(frame->linesize[i] % align[i], 0);
        assert_int_equal((uintptr_t)frame->data[i] % KSR_ALIGN, 0);
        assert_true(frame->data[i] >= free_from);
        free_from = frame->data[i] + size + KSR_ALIGN;
        for (size_t k = 0; k < size; k++)
            if (frame->data[i][k] != 0)
                fail_msg("byte %zu of plane %d is %d", k, i, frame->data[i][k]);
    }
    for (int i = planes; i < 4; i++)
        assert_null(frame->data[i]);
    assert_true(free_from <= frame->buf[0]->data + frame->buf[0]->size);
}

static void frames_of_any_format_have_room(void **state)
{
    (void)state;
    static const enum AVPixelFormat formats[] = {
        AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P10LE, AV_PIX_FMT_YUV411P, AV_PIX_FMT_YUVA444P,
        AV_PIX_FMT_NV12,    AV_PIX_FMT_GBRP,        AV_PIX_FMT_GRAY8,   AV_PIX_FMT_RGB24};
    static const int sizes[][2] = {{1, 1}, {17, 5}, {64, 48}, {1918, 1078}};
    struct asking a = begin(AV_CODEC_ID_H264);
    for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++)
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            AVFrame *frame = ask(&a, formats[f], sizes[s][0], sizes[s][1]);
            check_frame(&a, frame);
            av_frame_free(&frame);
        }
    end(&a);
}

static void memory_is_taken_again(void **state)
{
    (void)state;
    struct asking a = begin(AV_CODEC_ID_H264);
    AVFrame *frame = ask(&a, AV_PIX_FMT_YUV420P, 320, 240);
    const uint8_t *first = frame->data[0];
    memset(frame->data[0], 9, 320);
    av_frame_free(&frame);
    frame = ask(&a, AV_PIX_FMT_YUV420P, 320, 240);
    assert_ptr_equal(frame->data[0], first);
    assert_int_equal(frame->data[0][0], 9); // decoders do not count on zeroes then, as in FFmpeg
    AVFrame *larger = ask(&a, AV_PIX_FMT_YUV420P, 640, 480);
    check_frame(&a, larger);
    end(&a); // frames live on
    memset(larger->data[2], 1, (size_t)larger->linesize[2]);
    assert_int_equal(frame->data[0][0], 9);
    av_frame_free(&frame);
    av_frame_free(&larger);
}

static void palettes_are_left_to_ffmpeg(void **state)
{
    (void)state;
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_PNG);
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    struct ksr_buffers *buffers = ksr_buffers_use(decoder);
    assert_non_null(buffers);
    assert_int_equal(avcodec_open2(decoder, codec, NULL), 0);
    struct asking a = {decoder, buffers};
    AVFrame *frame = ask(&a, AV_PIX_FMT_PAL8, 30, 20);
    assert_non_null(frame->data[1]); // the palette
    av_frame_free(&frame);
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_any_format_have_room),
        cmocka_unit_test(memory_is_taken_again),
        cmocka_unit_test(palettes_are_left_to_ffmpeg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
