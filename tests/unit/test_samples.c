// The hash of samples: one for all pixel formats that keep the same ones, another for any other.

#include "unit.h"

#include <libavutil/imgutils.h>

#include <stdlib.h>
#include <string.h>

#include "media/av/samples.h"

enum { WIDTH = 7, HEIGHT = 5 };

static int sample(int component, int x, int y, int bits)
{
    return ((component * 37 + y * 11 + x * 5) * 257 + 3) & ((1 << bits) - 1);
}

// A frame of a format whose samples are the same in all formats. Written by FFmpeg, whatever it is.
static AVFrame *make(const char *format)
{
    AVFrame *f = av_frame_alloc();
    assert_non_null(f);
    f->format = av_get_pix_fmt(format);
    f->width = WIDTH;
    f->height = HEIGHT;
    assert_int_equal(av_frame_get_buffer(f, 0), 0);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
    for (int i = 0; i < 4 && f->buf[i]; i++)
        memset(f->buf[i]->data, 0xa5, f->buf[i]->size); // what is padding must not count
    for (int i = 0; i < 4 && f->data[i]; i++)
        for (int y = 0; y < HEIGHT; y++)
            memset(f->data[i] + y * f->linesize[i], 0,
                   (size_t)av_image_get_linesize(f->format, WIDTH, i));
    for (int c = 0; c < d->nb_components; c++) {
        const bool chroma = !(d->flags & AV_PIX_FMT_FLAG_RGB) && (c == 1 || c == 2);
        const int width = AV_CEIL_RSHIFT(WIDTH, chroma ? d->log2_chroma_w : 0);
        const int height = AV_CEIL_RSHIFT(HEIGHT, chroma ? d->log2_chroma_h : 0);
        for (int y = 0; y < height; y++) {
            uint16_t row[WIDTH];
            for (int x = 0; x < width; x++)
                row[x] = (uint16_t)sample(c, x, y, d->comp[c].depth);
            av_write_image_line(row, f->data, f->linesize, d, 0, y, c, width);
        }
    }
    return f;
}

static void hash(const AVFrame *f, char out[KSR_HASH_TEXT])
{
    ksr_hasher *hasher = ksr_hasher_create();
    assert_non_null(hasher);
    assert_true(ksr_samples_add(hasher, f));
    ksr_hasher_text(hasher, out);
    ksr_hasher_destroy(&hasher);
}

static void hash_format(const char *format, char out[KSR_HASH_TEXT])
{
    AVFrame *f = make(format);
    hash(f, out);
    av_frame_free(&f);
}

static void test_alike(void **state)
{
    static const char *const same[][2] = {
        {"yuv420p", "nv12"},
        {"yuv420p", "nv21"},
        {"yuv420p", "yuvj420p"},
        {"yuv420p10le", "p010le"},
        {"yuv420p10le", "yuv420p10be"},
        {"yuv420p10le", "p010be"},
        {"gbrp", "rgb24"},
        {"gbrp", "bgr0"},
        {"gbrap", "bgra"},
        {"yuv422p", "yuyv422"},
        {"gbrp10le", "x2rgb10le"},
        {"gray16le", "gray16be"},
        {"gbrp16le", "rgb48be"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        char a[KSR_HASH_TEXT], b[KSR_HASH_TEXT];
        hash_format(same[i][0], a);
        hash_format(same[i][1], b);
        if (strcmp(a, b) != 0)
            fail_msg("%s and %s have the same samples", same[i][0], same[i][1]);
        assert_true(ksr_samples_alike(same[i][0], same[i][1]));
    }
    assert_false(ksr_samples_alike("yuv420p", "yuv420p10le"));
    assert_false(ksr_samples_alike("yuv420p", "yuv422p"));
    assert_false(ksr_samples_alike("yuv444p", "gbrp"));
    assert_false(ksr_samples_alike("yuv444p", "yuva444p"));
    assert_false(ksr_samples_alike("yuv444p", "no such"));
}

// Any single sample counts, and nothing else.
static void test_differs(void **state)
{
    static const char *const formats[] = {"yuv420p", "nv12", "p010le",
                                          "gbrap",   "bgra", "x2rgb10le"};
    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        AVFrame *f = make(formats[i]);
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
        for (int c = 0; c < d->nb_components; c++) {
            char before[KSR_HASH_TEXT], after[KSR_HASH_TEXT];
            uint16_t row[WIDTH];
            hash(f, before);
            const int x = c == 1 || c == 2 ? 2 : 4, y = 2;
            av_read_image_line(row, (const uint8_t **)(void *)f->data, f->linesize, d, x, y, c, 1,
                               0);
            row[0] = (uint16_t)((1 << d->comp[c].depth) - 1); // FFmpeg only adds bits
            av_write_image_line(row, f->data, f->linesize, d, x, y, c, 1);
            hash(f, after);
            if (strcmp(before, after) == 0)
                fail_msg("%s: component %d does not count", formats[i], c);
        }
        av_frame_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
