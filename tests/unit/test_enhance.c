// Stage 4: neutral is identity, halos are limited, lines and nothing else get darker.

#include "unit.h"

#include "stages/enhance.h"

static struct ksr_pipeline_config neutral(void)
{
    return (struct ksr_pipeline_config){.contrast_boost = 1, .saturation_boost = 1};
}

static void run(const struct ksr_frame *dst, const struct ksr_frame *src,
                const struct ksr_pipeline_config *config, bool full_range)
{
    const struct ksr_enhance_params p = ksr_enhance_params_make(config, full_range);
    ksr_enhance_luma_rows(&dst->plane[0], &src->plane[0], &p, 0, src->plane[0].height);
}

static void neutral_is_identity(void **state)
{
    (void)state;
    uint32_t seed = 2;
    const struct ksr_pipeline_config config = neutral();
    struct ksr_frame a = unit_grey(271, 9), b = unit_grey(271, 9);
    for (int full = 0; full < 2; full++) {
        const struct ksr_enhance_params p = ksr_enhance_params_make(&config, full);
        assert_false(ksr_enhance_luma_active(&p));
        assert_false(ksr_enhance_chroma_active(&p));
        unit_fill_random(&a.plane[0], &seed, full);
        run(&b, &a, &config, full);
        unit_assert_equal(&a.plane[0], &b.plane[0]);
        ksr_enhance_chroma_rows(&b.plane[0], &a.plane[0], &p, 0, 9);
        unit_assert_equal(&a.plane[0], &b.plane[0]);
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static void flat_areas_stay_flat(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(37, 11), b = unit_grey(37, 11);
    for (int k = 0; k < 9; k++) {
        const struct ksr_pipeline_config config = {.sharpening = k * 0.25,
                                                   .line_darkening = k / 8.0,
                                                   .contrast_boost = 1,
                                                   .saturation_boost = 1};
        for (int v = 0; v <= 32767; v += 1057) {
            unit_fill(&a.plane[0], (uint16_t)v);
            run(&b, &a, &config, k & 1);
            unit_assert_flat(&b.plane[0], v);
        }
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static void ramps_stay_ramps(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(90, 40), b = unit_grey(90, 40);
    const struct ksr_pipeline_config config = {
        .sharpening = 2, .line_darkening = 1, .contrast_boost = 1, .saturation_boost = 1};
    unit_fill_ramp(&a.plane[0], 9000, 113, -71);
    run(&b, &a, &config, false);
    for (int y = 4; y < 36; y++)
        for (int x = 4; x < 86; x++)
            assert_int_equal(*unit_at(&b.plane[0], x, y), *unit_at(&a.plane[0], x, y));
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// A soft edge gets steeper, and passes its ends by a sixteenth of its height per unit at most.
static void sharpening_is_halo_limited(void **state)
{
    (void)state;
    static const uint16_t edge[6] = {8000, 10000, 14000, 18000, 22000, 24000};
    struct ksr_frame a = unit_grey(40, 9), b = unit_grey(40, 9);
    for (int y = 0; y < 9; y++)
        for (int x = 0; x < 40; x++)
            *unit_at(&a.plane[0], x, y) = x < 17 ? 8000 : x > 22 ? 24000 : edge[x - 17];
    struct ksr_pipeline_config config = neutral();
    int slope = 4000;
    for (config.sharpening = 0.5; config.sharpening <= 2; config.sharpening += 0.5) {
        run(&b, &a, &config, true);
        int low = 32767, high = 0, steepest = 0;
        for (int x = 1; x < 40; x++) {
            const int v = *unit_at(&b.plane[0], x, 4), d = v - *unit_at(&b.plane[0], x - 1, 4);
            low = v < low ? v : low;
            high = v > high ? v : high;
            steepest = d > steepest ? d : steepest;
        }
        assert_true(low >= 8000 - (int)(config.sharpening * 2000 / 16) - 1);
        assert_true(high <= 24000 + (int)(config.sharpening * 2000 / 16) + 1);
        assert_true(steepest > slope);
        slope = steepest;
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// What a picture of 60x60 with a line of `width` at x = 30, from dark to dark at x >= 45, loses.
static void draw_line(const struct ksr_plane *p, int width)
{
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 60; x++)
            *unit_at(p, x, y) = (x >= 30 && x < 30 + width) || x >= 45 ? 6000 : 22000;
}

static void darkening_follows_thin_lines_only(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(60, 60), b = unit_grey(60, 60);
    struct ksr_pipeline_config config = neutral();
    config.line_darkening = 0.5;
    for (int width = 1; width <= 4; width++) {
        draw_line(&a.plane[0], width);
        run(&b, &a, &config, true);
        for (int x = 0; x < 60; x++) {
            const int before = *unit_at(&a.plane[0], x, 30), after = *unit_at(&b.plane[0], x, 30);
            if (x >= 30 && x < 30 + width)
                assert_int_equal(after, 6000 - (16000 - 128) / 4);
            else
                assert_int_equal(after, before); // ground, dark area, and the side of its edge
        }
    }
    draw_line(&a.plane[0], 12); // an area, not a line
    run(&b, &a, &config, true);
    unit_assert_equal(&a.plane[0], &b.plane[0]);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static int one_luma(int value, double contrast, bool full_range)
{
    struct ksr_frame a = unit_grey(1, 1), b = unit_grey(1, 1);
    struct ksr_pipeline_config config = neutral();
    config.contrast_boost = contrast;
    *unit_at(&a.plane[0], 0, 0) = (uint16_t)value;
    run(&b, &a, &config, full_range);
    const int v = *unit_at(&b.plane[0], 0, 0);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    return v;
}

static void contrast_turns_around_mid_grey_and_keeps_the_levels(void **state)
{
    (void)state;
    const int black = 16 << 7, white = 235 << 7, mid = (black + white) / 2;
    for (double k = 0; k <= 4; k += 0.5) {
        assert_int_equal(one_luma(mid, k, false), mid);
        assert_int_equal(one_luma(16384, k, true), 16384);
    }
    assert_int_equal(one_luma(mid + 1000, 1.5, false), mid + 1500);
    assert_int_equal(one_luma(mid - 1000, 0.5, false), mid - 500);
    assert_int_equal(one_luma(mid + 1000, 0, false), mid);
    assert_int_equal(one_luma(white - 100, 4, false), white);
    assert_int_equal(one_luma(black + 100, 4, false), black);
    assert_int_equal(one_luma(black - 300, 4, false), black - 300); // it was beyond before
    assert_int_equal(one_luma(white + 300, 4, false), white + 300);
    assert_int_equal(one_luma(100, 4, true), 0);
    assert_int_equal(one_luma(32000, 4, true), 32767);
}

static void saturation_turns_around_grey_and_keeps_the_levels(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(5, 1);
    static const uint16_t in[5] = {16384, 17384, 15384, 30000, 3000};
    static const struct {
        double k;
        bool full;
        uint16_t out[5];
    } known[] = {
        {0, false, {16384, 16384, 16384, 16384, 16384}},
        {0.5, false, {16384, 16884, 15884, 23192, 9692}},
        {1.5, false, {16384, 17884, 14884, 240 << 7, 16 << 7}},
        {4, true, {16384, 20384, 12384, 32767, 0}},
    };
    for (int k = 0; k < 4; k++) {
        struct ksr_pipeline_config config = neutral();
        config.saturation_boost = known[k].k;
        const struct ksr_enhance_params p = ksr_enhance_params_make(&config, known[k].full);
        assert_true(ksr_enhance_chroma_active(&p));
        memcpy(a.plane[0].data, in, sizeof(in));
        ksr_enhance_chroma_rows(&a.plane[0], &a.plane[0], &p, 0, 1); // in place
        for (int i = 0; i < 5; i++)
            assert_int_equal(*unit_at(&a.plane[0], i, 0), known[k].out[i]);
    }
    ksr_frame_free(&a);
}

static void extremes_stay_in_range_at_every_size_and_band(void **state)
{
    (void)state;
    uint32_t seed = 31;
    const struct ksr_pipeline_config config = {
        .sharpening = 2, .line_darkening = 1, .contrast_boost = 4, .saturation_boost = 4};
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 9; h++) {
            const int width = w == 17 ? 523 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            const struct ksr_enhance_params p = ksr_enhance_params_make(&config, h & 1);
            unit_fill_random(&a.plane[0], &seed, true);
            unit_fill(&b.plane[0], 54321);
            ksr_enhance_luma_rows(&b.plane[0], &a.plane[0], &p, 0, h);
            for (int y = 0; y < h; y++) {
                ksr_enhance_luma_rows(&c.plane[0], &a.plane[0], &p, y, y + 1);
                for (int x = 0; x < b.plane[0].stride; x++)
                    assert_true(x < width ? *unit_at(&b.plane[0], x, y) <= 32767
                                          : *unit_at(&b.plane[0], x, y) == 54321);
            }
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neutral_is_identity),
        cmocka_unit_test(flat_areas_stay_flat),
        cmocka_unit_test(ramps_stay_ramps),
        cmocka_unit_test(sharpening_is_halo_limited),
        cmocka_unit_test(darkening_follows_thin_lines_only),
        cmocka_unit_test(contrast_turns_around_mid_grey_and_keeps_the_levels),
        cmocka_unit_test(saturation_turns_around_grey_and_keeps_the_levels),
        cmocka_unit_test(extremes_stay_in_range_at_every_size_and_band),
    };
    return cmocka_run_group_tests_name("enhance", tests, NULL, NULL);
}
