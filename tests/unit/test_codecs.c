// The table of video encoders: media/encode/codecs.c, beside FFmpeg's encoders and what
// docs/determinism.md says of those that are promised.

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/av/ffmpeg.h"
#include "media/encode/codecs.h"

#define EACH_ROW(row, i)                                                                           \
    const struct ksr_codec *row;                                                                   \
    for (size_t i = 0; (row = ksr_codec_at(i)); i++)

static void test_names(void **state)
{
    (void)state;
    EACH_ROW(row, i)
    {
        const AVCodec *encoder = row->name ? avcodec_find_encoder_by_name(row->name) : NULL;
        if (row->name && ksr_codec_of(row->name) != row)
            fail_msg("%s has two rows", row->name);
        // Those of other libraries and of hardware may be missing in a build of FFmpeg.
        if (row->name && !encoder && strncmp(row->name, "lib", 3) != 0 && !row->hardware)
            fail_msg("%s is no encoder", row->name);
        if (encoder && (int)encoder->id != row->id)
            fail_msg("%s makes %s", row->name, avcodec_get_name(encoder->id));
        if (!row->name && !avcodec_descriptor_get((enum AVCodecID)row->id))
            fail_msg("%d is no codec", row->id);
    }
}

static void assert_option(const struct ksr_codec *row, const char *name)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(row->name);
    const AVClass *general = avcodec_get_class();
    if (name && encoder &&
        !av_opt_find((void *)&encoder->priv_class, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ) &&
        !av_opt_find((void *)&general, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ))
        fail_msg("%s has no option '%s'", row->name, name);
}

// Members that belong together, and options that the encoder has.
static void test_members(void **state)
{
    (void)state;
    EACH_ROW(row, i)
    {
        if (!row->name)
            continue;
        assert_option(row, row->params_key);
        assert_option(row, row->options[0].name);
        assert_option(row, row->options[1].name);
        assert_option(row, row->crf_zero.name);
        assert_option(row, row->unordered.name);
        assert_option(row, row->max_crf > 0 && !row->hardware ? "crf" : NULL);
        assert_option(row, row->presets ? "preset" : NULL);
        for (size_t place = 0; row->speeds && !row->hardware && ksr_preset_at(place); place++) {
            assert_option(row, row->speeds[place][0].name);
            assert_option(row, row->speeds[place][1].name);
        }
        const bool listed = row->pins || row->plain_c || row->pool || row->crf_zero_params ||
                            row->rate_params || row->level_key || row->mastering_params ||
                            row->light_params;
        if (listed && !row->params_key)
            fail_msg("%s has no list for its parameters", row->name);
        if ((row->level_key != NULL) != (row->sets != KSR_SETS_OTHER))
            fail_msg("%s: a level is read from parameter sets and set by a key", row->name);
        if (row->lossless && (row->max_crf > 0 || row->crf_zero.name))
            fail_msg("%s is lossless, with a crf", row->name);
    }
}

// Whether FFmpeg's own table takes a value for an option; the encoder is not opened.
static void assert_value(const struct ksr_codec *row, const char *name, const char *value)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(row->name);
    AVCodecContext *c = avcodec_alloc_context3(encoder);
    assert_non_null(c);
    if (av_opt_set(c, name, value, AV_OPT_SEARCH_CHILDREN) < 0)
        fail_msg("%s does not take %s=%s", row->name, name, value);
    avcodec_free_context(&c);
}

static void assert_scale(const struct ksr_codec *row, const struct ksr_codec_scale *scale)
{
    char value[16];
    int last = ksr_codec_scaled(scale, 0);
    for (int crf = 0; crf <= row->max_crf; crf++) {
        const int now = ksr_codec_scaled(scale, crf);
        assert_in_range(now, scale->least, scale->most);
        assert_true(scale->percent > 0 ? now >= last : now <= last);
        snprintf(value, sizeof(value), "%d", now);
        if (scale->name)
            assert_value(row, scale->name, value);
        last = now;
    }
    // The whole of the scale is used: not more than a tenth of it is cut off.
    const int used = abs(ksr_codec_scaled(scale, row->max_crf) - ksr_codec_scaled(scale, 0));
    if (scale->name && strncmp(row->name, "m", 1) != 0) // those of MPEG have wider ones
        assert_true(used * 10 >= (scale->most - scale->least) * 9);
}

// Every encoder in hardware that this FFmpeg has takes what stands for presets and qualities, and
// nobody can know more without the hardware.
static void test_hardware(void **state)
{
    int seen = 0;
    (void)state;
    EACH_ROW(row, i)
    {
        if (!row->hardware || !avcodec_find_encoder_by_name(row->name))
            continue;
        seen++;
        assert_false(row->promised);
        if (row->constant.name)
            assert_value(row, row->constant.name, row->constant.value);
        if (row->crf_zero.name)
            assert_value(row, row->crf_zero.name, row->crf_zero.value);
        for (int s = 0; s < KSR_CODEC_SCALES && row->scales[s].name; s++)
            assert_scale(row, &row->scales[s]);
        if (row->quality.percent)
            assert_scale(row, &row->quality);
        for (size_t place = 0; row->speeds && ksr_preset_at(place); place++) {
            const struct ksr_codec_option *speed = &row->speeds[place][0];
            // Some came with later versions of FFmpeg; the preset itself is in all.
            if (speed->name && strcmp(speed->name, "prio_speed") != 0)
                assert_value(row, speed->name, speed->value);
        }
    }
    if (seen == 0)
        skip();
}

// The surfaces exist, and the encoder lists them, unless it takes those of its device alone.
static void test_surfaces(void **state)
{
    (void)state;
    EACH_ROW(row, i)
    {
        const AVCodec *encoder = row->name ? avcodec_find_encoder_by_name(row->name) : NULL;
        const char *names = row->surfaces;
        char name[32];
        for (int used; names && sscanf(names, " %31s%n", name, &used) == 1; names += used) {
            const enum AVPixelFormat format = av_get_pix_fmt(name);
            const enum AVPixelFormat *f = encoder ? ksr_av_pixel_formats(encoder) : NULL;
            if (format == AV_PIX_FMT_NONE)
                fail_msg("%s: '%s' is no pixel format", row->name, name);
            while (f && *f != AV_PIX_FMT_NONE && *f != format)
                f++;
            if (f && *f != format && !row->uploads)
                fail_msg("%s does not list %s", row->name, name);
        }
        assert_true(!row->uploads || (row->surfaces && row->device));
    }
}

static void test_software(void **state)
{
    (void)state;
    assert_null(ksr_codec_in_software("libx264"));
    assert_null(ksr_codec_in_software("no such"));
    if (avcodec_find_encoder_by_name("h264_vaapi"))
        assert_string_equal(ksr_codec_in_software("h264_vaapi"), "libx264");
    if (avcodec_find_encoder_by_name("mjpeg_vaapi"))
        assert_string_equal(ksr_codec_in_software("mjpeg_vaapi"), "mjpeg");
    if (avcodec_find_encoder_by_name("h264_v4l2m2m")) // which has no row
        assert_string_equal(ksr_codec_in_software("h264_v4l2m2m"), "libx264");
}

static void test_lookup(void **state)
{
    (void)state;
    assert_true(ksr_codec_of("libx264")->promised);
    assert_null(ksr_codec_of("libx264rgb")->name); // by its codec
    assert_int_equal(ksr_codec_of("libx264rgb")->grey, KSR_GREY_LIMITED);
    assert_false(ksr_codec_of("mpeg4")->few_rates);
    assert_true(ksr_codec_of("mpeg1video")->few_rates);
    assert_int_equal(ksr_codec_of("no such")->id, 0);
}

static void test_quality(void **state)
{
    (void)state;
    assert_int_equal(ksr_codec_quality(ksr_codec_of("mpeg4"), 17), 4);
    assert_int_equal(ksr_codec_quality(ksr_codec_of("libtheora"), 17), 8);
    assert_int_equal(
        ksr_codec_quality(&(struct ksr_codec){.quality_base = 100, .quality_step = -1}, 17), 83);
    // VideoToolbox, by SSIM: crf 18, 23, 28.
    const struct ksr_codec *h264 = ksr_codec_of("h264_videotoolbox");
    const struct ksr_codec *hevc = ksr_codec_of("hevc_videotoolbox");
    assert_int_equal(ksr_codec_quality(h264, 18), 75);
    assert_int_equal(ksr_codec_quality(h264, 23), 64);
    assert_int_equal(ksr_codec_quality(h264, 28), 53);
    assert_int_equal(ksr_codec_quality(hevc, 18), 78);
    assert_int_equal(ksr_codec_quality(hevc, 23), 68);
    assert_int_equal(ksr_codec_quality(hevc, 28), 58);
    assert_int_equal(ksr_codec_quality(hevc, 0), 100);
    assert_int_equal(ksr_preset_place("ultrafast"), 0);
    assert_int_equal(ksr_preset_place("placebo"), 9);
    assert_int_equal(ksr_preset_place("fastest"), -1);
    assert_string_equal(ksr_preset_at(5), "medium");
    assert_null(ksr_preset_at(10));
}

// Each promised encoder has a line in the page's table, and what the line quotes is pinned.
static void test_documentation(void **state)
{
    char page[16384], begin[64];
    (void)state;
    FILE *file = fopen(KSR_DOCS_SOURCE "/determinism.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = 0;
    fclose(file);
    EACH_ROW(row, i)
    {
        if (!row->promised)
            continue;
        snprintf(begin, sizeof(begin), "\n| %s | ", row->name);
        const char *line = strstr(page, begin);
        if (!line)
            fail_msg("determinism.md does not say what is pinned of %s", row->name);
        line += strlen(begin);
        const char *end = strchr(line, '|');
        for (const char *c = line; c && (c = strchr(c, '`')) && c < end;
             c = strchr(c + 1, '`') + 1) {
            char pin[64];
            snprintf(pin, sizeof(pin), "%.*s", (int)strcspn(c + 1, "`"), c + 1);
            char *value = strchr(pin, '=');
            const bool in_list = row->pins && strstr(row->pins, pin);
            *value = 0;
            const bool option = row->options[0].name && strcmp(row->options[0].name, pin) == 0 &&
                                strcmp(row->options[0].value, value + 1) == 0;
            if (!in_list && !option)
                fail_msg("determinism.md says that %s of %s is pinned to %s", pin, row->name,
                         value + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),    cmocka_unit_test(test_members),
        cmocka_unit_test(test_hardware), cmocka_unit_test(test_surfaces),
        cmocka_unit_test(test_software), cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_quality),  cmocka_unit_test(test_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
