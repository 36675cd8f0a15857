// Frames as RGB pictures: numbers, times, colours, seeking, and what is refused. The films are
// written here, uncompressed, so every sample is known.

#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "kizunasr/decoder.h"

enum { WIDTH = 5, HEIGHT = 3, FRAMES = 6 };

static char path[64];
static ksr_context *ctx;
static char last_error[256];

static void keep_error(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level == KSR_LOG_ERROR)
        snprintf(last_error, sizeof(last_error), "%s", message);
}

static void write_plane(FILE *f, int value)
{
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        fputc(value, f);
}

// Frame i is the grey 16 + 40 * i; the last one is saturated red.
static int write_film(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/kizunasr-test-%ld.y4m", (long)getpid());
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fprintf(f, "YUV4MPEG2 W%d H%d F24000:1001 Ip A1:1 C444\n", WIDTH, HEIGHT);
    for (int i = 0; i < FRAMES; i++) {
        const bool red = i == FRAMES - 1;
        fputs("FRAME\n", f);
        write_plane(f, red ? 81 : 16 + 40 * i);
        write_plane(f, red ? 90 : 128);
        write_plane(f, red ? 240 : 128);
    }
    fclose(f);
    const struct ksr_callbacks callbacks = {.log = keep_error};
    return ksr_context_create(&ctx, &callbacks);
}

static int remove_film(void **state)
{
    (void)state;
    ksr_context_destroy(&ctx);
    return unlink(path);
}

static ksr_decoder *open_film(int bits)
{
    ksr_decoder *decoder = NULL;
    const struct ksr_decoder_params params = {.bits = bits};
    assert_int_equal(ksr_decoder_open(&decoder, ctx, path, &params), KSR_OK);
    return decoder;
}

static const struct ksr_picture *next(ksr_decoder *decoder)
{
    const struct ksr_picture *picture = NULL;
    assert_int_equal(ksr_decoder_next(decoder, &picture), KSR_OK);
    return picture;
}

static int sample(const struct ksr_picture *p, int x, int y, int channel)
{
    const uint8_t *row = (const uint8_t *)p->data + y * p->stride;
    return p->bits == 16 ? ((const uint16_t *)(const void *)row)[3 * x + channel]
                         : row[3 * x + channel];
}

static void assert_colour(const struct ksr_picture *p, int r, int g, int b)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            assert_int_equal(sample(p, x, y, 0), r);
            assert_int_equal(sample(p, x, y, 1), g);
            assert_int_equal(sample(p, x, y, 2), b);
        }
}

static void film_is_described(void **state)
{
    (void)state;
    ksr_decoder *decoder = open_film(0);
    const struct ksr_decoder_info *info = ksr_decoder_info(decoder);
    assert_int_equal(info->total_frames, FRAMES);
    assert_int_equal(info->width, WIDTH);
    assert_int_equal(info->height, HEIGHT);
    assert_string_equal(info->pixel_format, "yuv444p");
    assert_int_equal(info->frame_rate_num, 24000);
    assert_int_equal(info->frame_rate_den, 1001);
    assert_int_equal(info->time_base_num, 1001);
    assert_int_equal(info->time_base_den, 24000);
    assert_int_equal(info->sample_aspect_num, 1);
    ksr_decoder_destroy(&decoder);
    assert_null(decoder);
    ksr_decoder_destroy(&decoder);
    ksr_decoder_destroy(NULL);
    assert_null(ksr_decoder_info(NULL));
}

static void frames_come_in_order_with_their_colours(void **state)
{
    (void)state;
    ksr_decoder *decoder = open_film(8);
    for (int i = 0; i < FRAMES; i++) {
        const struct ksr_picture *p = next(decoder);
        assert_non_null(p);
        assert_int_equal(p->frame_index, i);
        assert_int_equal(p->pts, i);
        assert_int_equal(p->duration, 1);
        assert_int_equal(p->width, WIDTH);
        assert_int_equal(p->height, HEIGHT);
        assert_int_equal(p->bits, 8);
        assert_false(p->damaged);
        assert_true(p->stride >= WIDTH * 3);
        const int grey = (40 * i * 255 * 2 + 219) / (219 * 2);
        if (i < FRAMES - 1)
            assert_colour(p, grey, grey, grey);
        else
            assert_colour(p, 254, 0, 0); // BT.601: 1.1644 * 65 + 1.5960 * 112 = 254.4
    }
    assert_null(next(decoder));
    assert_null(next(decoder));
    ksr_decoder_destroy(&decoder);
}

static void sixteen_bits_are_not_eight_made_longer(void **state)
{
    (void)state;
    ksr_decoder *decoder = open_film(16);
    for (int i = 0; i < FRAMES - 1; i++) {
        const struct ksr_picture *p = next(decoder);
        assert_int_equal(p->bits, 16);
        assert_true(p->stride >= WIDTH * 6);
        const int exact = (int)(40 * i * 65535LL / 219);
        // The stages count in 15 bits: within two of their steps.
        assert_in_range(sample(p, 4, 2, 1) + 4, exact, exact + 8);
    }
    ksr_decoder_destroy(&decoder);
}

static void seeking_goes_to_any_frame_and_back(void **state)
{
    (void)state;
    static const int places[] = {3, 0, 5, 2, 2, 4};
    ksr_decoder *decoder = open_film(0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(ksr_decoder_seek(decoder, places[i]), KSR_OK);
        const struct ksr_picture *p = next(decoder);
        assert_non_null(p);
        assert_int_equal(p->frame_index, places[i]);
    }
    assert_int_equal(next(decoder)->frame_index, 5);
    assert_int_equal(ksr_decoder_seek(decoder, FRAMES), KSR_OK);
    assert_null(next(decoder));
    assert_int_equal(ksr_decoder_seek(decoder, 1), KSR_OK);
    assert_int_equal(ksr_decoder_seek(decoder, FRAMES + 1), KSR_E_PARAM);
    assert_string_equal(last_error, "frame_index: '7' is not valid (0 to 6)");
    assert_int_equal(ksr_decoder_seek(decoder, -1), KSR_E_PARAM);
    assert_int_equal(next(decoder)->frame_index, 1);
    ksr_decoder_destroy(&decoder);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    const struct ksr_decoder_params params = {.bits = 10};
    ksr_decoder *decoder = NULL;
    assert_int_equal(ksr_decoder_open(&decoder, ctx, path, &params), KSR_E_PARAM);
    assert_string_equal(last_error, "bits: '10' is not valid (8 or 16)");
    assert_int_equal(ksr_decoder_open(&decoder, ctx, "/nowhere/film.mkv", NULL), KSR_E_NOT_FOUND);
    assert_string_equal(last_error, "input file not found: /nowhere/film.mkv");
    assert_null(decoder);
    assert_int_equal(ksr_decoder_open(NULL, ctx, path, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_decoder_open(&decoder, ctx, NULL, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_decoder_next(NULL, NULL), KSR_E_PARAM);
    assert_int_equal(ksr_decoder_seek(NULL, 0), KSR_E_PARAM);
}

static void cancelled_reading_stops(void **state)
{
    (void)state;
    ksr_context *other = NULL;
    ksr_decoder *decoder = NULL;
    assert_int_equal(ksr_context_create(&other, NULL), KSR_OK);
    assert_int_equal(ksr_decoder_open(&decoder, other, path, NULL), KSR_OK);
    ksr_context_cancel(other);
    const struct ksr_picture *picture;
    assert_int_equal(ksr_decoder_next(decoder, &picture), KSR_E_CANCELLED);
    ksr_decoder_destroy(&decoder);
    assert_int_equal(ksr_decoder_open(&decoder, other, path, NULL), KSR_E_CANCELLED);
    assert_null(decoder);
    ksr_context_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(film_is_described),
        cmocka_unit_test(frames_come_in_order_with_their_colours),
        cmocka_unit_test(sixteen_bits_are_not_eight_made_longer),
        cmocka_unit_test(seeking_goes_to_any_frame_and_back),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(cancelled_reading_stops),
    };
    return cmocka_run_group_tests(tests, write_film, remove_film);
}
