// The table of video encoders: media/encode/codecs.c, beside FFmpeg's encoders and what
// docs/determinism.md says of those that are promised.

#include "unit.h"

#include <stdio.h>
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
        // Those of other libraries may be missing in a build of FFmpeg.
        if (row->name && !encoder && strncmp(row->name, "lib", 3) != 0)
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
        assert_option(row, row->max_crf > 0 ? "crf" : NULL);
        assert_option(row, row->presets ? "preset" : NULL);
        for (size_t place = 0; row->speeds && ksr_preset_at(place); place++) {
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
        cmocka_unit_test(test_names),         cmocka_unit_test(test_members),
        cmocka_unit_test(test_lookup),        cmocka_unit_test(test_quality),
        cmocka_unit_test(test_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
