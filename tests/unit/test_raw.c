// Planes of decoders and encoders as they are described hold what their rows hold, in every pixel
// format that can be described.

#include "unit.h"

#include <libavutil/imgutils.h>

#include "../golden/raw.h"
#include "media/av/pixel_format.h"
#include "media/av/pixels.h"

enum { WIDTH = 2051, HEIGHT = 5 }; // chroma, too, is wider than what is gathered at once

static AVFrame *picture_of(enum AVPixelFormat format)
{
    AVFrame *picture = av_frame_alloc();
    assert_non_null(picture);
    picture->format = format;
    picture->width = WIDTH;
    picture->height = HEIGHT;
    assert_true(av_frame_get_buffer(picture, 0) >= 0);
    for (int i = 0; i < AV_NUM_DATA_POINTERS && picture->buf[i]; i++)
        memset(picture->buf[i]->data, 0, picture->buf[i]->size);
    return picture;
}

// Whether pictures of the format can be read and described.
static bool is_described(enum AVPixelFormat format, struct ksr_video_format *out,
                         struct ksr_layout *layout)
{
    int bits;
    struct ksr_raw_frame raw;
    const char *name = av_get_pix_fmt_name(format);
    if (!name || !ksr_pixfmt_supported(av_pix_fmt_desc_get(format)))
        return false;
    *out = (struct ksr_video_format){.width = WIDTH, .height = HEIGHT};
    snprintf(out->pixel_format, sizeof(out->pixel_format), "%s", name);
    AVFrame *picture = picture_of(format);
    const bool described = ksr_pixels_layout(out, layout, &bits) &&
                           ksr_pixfmt_raw(av_pix_fmt_desc_get(format), picture, &raw);
    av_frame_free(&picture);
    return described;
}

// Puts random rows into a picture by its sink's rows, or by its planes.
static AVFrame *write_picture(const struct ksr_video_format *format, const struct ksr_frame *from,
                              bool by_planes)
{
    struct ksr_pixel_writer *writer;
    AVFrame *picture = picture_of(av_get_pix_fmt(format->pixel_format));
    assert_int_equal(
        ksr_pixel_writer_create(NULL, format, &from->layout, picture->format, NULL, true, &writer),
        KSR_OK);
    const struct ksr_row_sink sink = ksr_pixels_write(writer, picture);
    assert_non_null(sink.raw);
    if (by_planes)
        write_raw(sink.raw, from);
    for (int i = 0; !by_planes && i < from->layout.planes; i++)
        sink.rows(sink.opaque, i, &from->plane[i], 0, from->plane[i].height);
    assert_int_equal(ksr_pixels_finish(NULL, writer, NULL), KSR_OK);
    ksr_pixel_writer_destroy(&writer);
    return picture;
}

static void assert_pictures_equal(const AVFrame *a, const AVFrame *b)
{
    uint8_t bytes[2][WIDTH * HEIGHT * 8];
    const AVFrame *pictures[2] = {a, b};
    int size = 0;
    for (int i = 0; i < 2; i++)
        size = av_image_copy_to_buffer(bytes[i], sizeof(bytes[i]),
                                       (const uint8_t *const *)pictures[i]->data,
                                       pictures[i]->linesize, a->format, WIDTH, HEIGHT, 1);
    assert_true(size > 0);
    assert_memory_equal(bytes[0], bytes[1], (size_t)size);
}

static void check_format(const struct ksr_video_format *format, const struct ksr_layout *layout)
{
    struct ksr_frame from = unit_frame(*layout), rows = unit_frame(*layout),
                     planes = unit_frame(*layout);
    struct ksr_pixel_reader *reader = ksr_pixel_reader_create();
    struct ksr_row_source source;
    uint32_t seed = 7;
    for (int i = 0; i < layout->planes; i++)
        unit_fill_random(&from.plane[i], &seed, 0);
    AVFrame *a = write_picture(format, &from, false), *b = write_picture(format, &from, true);
    assert_pictures_equal(a, b);
    assert_int_equal(ksr_pixels_read(NULL, reader, a, layout, &source), KSR_OK);
    assert_non_null(source.raw);
    read_raw(source.raw, &planes);
    for (int i = 0; i < layout->planes; i++) {
        source.rows(source.opaque, i, &rows.plane[i], 0, rows.plane[i].height);
        unit_assert_equal(&planes.plane[i], &rows.plane[i]);
    }
    const struct ksr_row_source described = ksr_raw_source(source.raw);
    for (int i = 0; i < layout->planes && !source.raw->rgb; i++) {
        unit_fill(&rows.plane[i], 12345);
        described.rows(described.opaque, i, &rows.plane[i], 0, rows.plane[i].height);
        unit_assert_equal(&planes.plane[i], &rows.plane[i]);
    }
    av_frame_free(&a);
    av_frame_free(&b);
    ksr_pixel_reader_destroy(&reader);
    ksr_frame_free(&from);
    ksr_frame_free(&rows);
    ksr_frame_free(&planes);
}

static void planes_equal_rows(void **state)
{
    (void)state;
    static const char *const must[] = {"yuv420p", "nv12",   "p010le", "yuv444p16le", "yuva420p10le",
                                       "gray",    "ya16le", "rgb24",  "gbrap12le",   "rgba64le"};
    char names[8192] = " ";
    for (enum AVPixelFormat format = 0; av_pix_fmt_desc_get(format); format++) {
        struct ksr_video_format f;
        struct ksr_layout layout;
        if (!is_described(format, &f, &layout))
            continue;
        check_format(&f, &layout);
        strcat(strcat(names, f.pixel_format), " ");
    }
    for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
        char name[40];
        snprintf(name, sizeof(name), " %s ", must[i]);
        if (!strstr(names, name))
            fail_msg("%s is not described", must[i]);
    }
    assert_null(strstr(names, " bgr0 "));
    assert_null(strstr(names, " yuyv422 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(planes_equal_rows)};
    return cmocka_run_group_tests_name("raw", tests, NULL, NULL);
}
