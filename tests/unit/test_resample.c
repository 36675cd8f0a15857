// Scaling down to a size: sizes, flatness, place of samples, limits, threads.

#include "unit.h"

#include <math.h>

#include "frame/resample.h"

static void run(const struct ksr_frame *src, const struct ksr_frame *dst, int threads)
{
    ksr_pool *pool = ksr_pool_create(threads);
    ksr_resampler *fit = ksr_resampler_create(&src->layout, &dst->layout, pool);
    assert_non_null(fit);
    const struct ksr_row_sink in = ksr_resampler_sink(fit), out = ksr_frame_sink(dst);
    for (int i = 0; i < src->layout.planes; i++)
        in.rows(in.opaque, i, &src->plane[i], 0, src->plane[i].height);
    ksr_resampler_run(fit, &out);
    ksr_resampler_destroy(&fit);
    ksr_pool_destroy(&pool);
}

static void sizes(void **state)
{
    static const struct {
        const char *box;
        int num, den, step_x, step_y, width, height, want_width, want_height;
    } cases[] = {
        {"1920x1080", 1, 1, 2, 2, 1440, 1080, 1440, 1080}, // fits as it is
        {"1920x1080", 1, 1, 2, 2, 3840, 2160, 1920, 1080},
        {"1920x1080", 1, 1, 2, 2, 2880, 2160, 1440, 1080},
        {"1920X1080", 1, 1, 2, 2, 3840, 1600, 1920, 800},
        {"1920x1080", 64, 45, 2, 2, 1440, 1152, 1350, 1080}, // 1920 as shown
        {"1920x1080", 8, 9, 2, 2, 1440, 960, 1440, 960},
        {"1000x1000", 1, 1, 2, 2, 1001, 1001, 1000, 1000},
        {"999x999", 1, 1, 2, 2, 1998, 1998, 998, 998},
        {"999x999", 1, 1, 1, 1, 1998, 1998, 999, 999},
        {"1366x768", 1, 1, 2, 2, 3840, 2160, 1366, 768},
        {"30x30", 1, 1, 4, 1, 640, 480, 28, 21},
        {"8x8", 1, 1, 2, 2, 2000, 4, 8, 2},
        {"100x7", 0, 1, 2, 2, 200, 200, 6, 6},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ksr_fit_box box;
        int width = cases[i].width, height = cases[i].height;
        assert_true(ksr_fit_parse(cases[i].box, &box));
        ksr_fit_size(&box, cases[i].num, cases[i].den, cases[i].step_x, cases[i].step_y, &width,
                     &height);
        if (width != cases[i].want_width || height != cases[i].want_height)
            fail_msg("case %zu: %dx%d", i, width, height);
    }
    struct ksr_fit_box box;
    static const char *const bad[] = {"",     "x",      "10",      "10x",  "x10",    "0x10",
                                      "10x0", "10x10x", "65536x1", "-1x4", "10 x10", "1e3x5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(ksr_fit_parse(bad[i], &box));
}

static struct ksr_layout resized(struct ksr_layout l, int width, int height)
{
    l.width = width;
    l.height = height;
    return l;
}

static void flat_stays_flat(void **state)
{
    static const int values[] = {0, 1, 16384, 32766, 32767};
    (void)state;
    for (int i = 0; i < 5; i++)
        for (int width = 1; width < 37; width += 5) {
            struct ksr_layout l = unit_layout(37, 23, 4, 1);
            struct ksr_frame src = unit_frame(l), dst = unit_frame(resized(l, width, 11));
            for (int p = 0; p < 4; p++)
                unit_fill(&src.plane[p], (uint16_t)values[i]);
            run(&src, &dst, 1);
            for (int p = 0; p < 4; p++)
                unit_assert_flat(&dst.plane[p], values[i]);
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
}

// Where a sample of a plane lies, in luma samples.
static double position(int index, int group, enum ksr_siting siting)
{
    return group * (double)index + (siting == KSR_SITING_CENTRED ? (group - 1) / 2.0 : 0);
}

// A ramp along the luma grid, sampled where each plane's samples lie, must come out as the same
// ramp on the smaller grid: off by less than 1/64 of an output sample.
static void samples_stay_in_place(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 2; shift++)
        for (int siting = 0; siting < 2; siting++)
            for (int to = 80; to <= 160; to += 8) {
                struct ksr_layout l = unit_layout(160, 8, 3, shift);
                l.siting_x = siting;
                struct ksr_frame src = unit_frame(l), dst = unit_frame(resized(l, to, 8));
                const double ratio = 160.0 / to;
                for (int p = 0; p < 3; p++) {
                    const int group = p ? 1 << shift : 1;
                    for (int y = 0; y < src.plane[p].height; y++)
                        for (int x = 0; x < src.plane[p].width; x++)
                            *unit_at(&src.plane[p], x, y) =
                                (uint16_t)(2000 + 160 * position(x, group, siting));
                }
                run(&src, &dst, 1);
                for (int p = 0; p < 3; p++) {
                    const int group = p ? 1 << shift : 1, edge = 8;
                    for (int x = edge; x < dst.plane[p].width - edge; x++) {
                        const double at = (position(x, group, siting) + 0.5) * ratio - 0.5;
                        const double off = *unit_at(&dst.plane[p], x, 1) - (2000 + 160 * at);
                        if (fabs(off) > 160 * ratio / 64)
                            fail_msg("shift %d, siting %d, to %d, plane %d: off by %g samples",
                                     shift, siting, to, p, off / 160 / ratio);
                    }
                }
                ksr_frame_free(&src);
                ksr_frame_free(&dst);
            }
}

// What comes out never leaves the range of what went in, and does not depend on threads.
static void no_ringing_any_threads(void **state)
{
    uint32_t seed = 4711;
    (void)state;
    struct ksr_layout l = unit_layout(301, 203, 3, 1);
    struct ksr_frame src = unit_frame(l), one = unit_frame(resized(l, 211, 143)),
                     three = unit_frame(resized(l, 211, 143));
    for (int p = 0; p < 3; p++)
        unit_fill_random(&src.plane[p], &seed, true);
    for (int y = 0; y < 203; y++)
        for (int x = 0; x < 301; x++)
            *unit_at(&src.plane[0], x, y) = x < 150 ? 3000 : 20000;
    run(&src, &one, 1);
    run(&src, &three, 3);
    for (int p = 0; p < 3; p++)
        unit_assert_equal(&one.plane[p], &three.plane[p]);
    for (int y = 0; y < 143; y++)
        for (int x = 0; x < 211; x++) {
            const int v = *unit_at(&one.plane[0], x, y);
            assert_in_range(v, 3000, 20000);
        }
    ksr_frame_free(&src);
    ksr_frame_free(&one);
    ksr_frame_free(&three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(flat_stays_flat),
        cmocka_unit_test(samples_stay_in_place),
        cmocka_unit_test(no_ringing_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
