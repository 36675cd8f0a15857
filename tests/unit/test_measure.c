// Likeness of planes, and artefacts: on pictures whose answer is known.

#include "unit.h"

#include <math.h>

#include "check/matrix_mixups.h"
#include "frame/measure.h"

// A smooth picture with slopes everywhere, moved by (dx, dy).
static void waves(const struct ksr_plane *p, double dx, double dy)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = (uint16_t)(16000 + 5000 * sin((x - dx) * 0.31 + (y - dy) * 0.11) +
                                           4000 * cos((y - dy) * 0.27 - (x - dx) * 0.07) + 0.5);
}

static void equal_planes(void **state)
{
    struct ksr_frame a = unit_grey(67, 41);
    struct ksr_likeness l;
    uint32_t seed = 5;
    (void)state;
    unit_fill_random(&a.plane[0], &seed, false);
    ksr_measure_likeness(&a.plane[0], &a.plane[0], &l);
    assert_true(l.mse == 0 && l.mean == 0 && fabs(l.ssim - 1) < 1e-9);
    assert_true(l.shift_x == 0 && l.shift_y == 0 && l.texture > 0);
    assert_true(ksr_measure_psnr(0) == 100);
    assert_true(fabs(ksr_measure_psnr(255.0 * 255.0) - 0) < 1e-9);
    ksr_frame_free(&a);
}

static void brighter(void **state)
{
    struct ksr_frame a = unit_grey(64, 48), b = unit_grey(64, 48);
    struct ksr_likeness l;
    (void)state;
    waves(&a.plane[0], 0, 0);
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++)
            *unit_at(&b.plane[0], x, y) = (uint16_t)(*unit_at(&a.plane[0], x, y) + 2 * 128);
    ksr_measure_likeness(&a.plane[0], &b.plane[0], &l);
    assert_true(fabs(l.mean - 2) < 1e-9 && fabs(l.mse - 4) < 1e-9);
    assert_true(fabs(l.shift_x) < 0.01 && fabs(l.shift_y) < 0.01);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static void shifts(void **state)
{
    static const double moves[][2] = {{0.25, 0}, {-0.5, 0}, {0, 0.3}, {0.1, -0.2}};
    struct ksr_frame a = unit_grey(160, 90), b = unit_grey(160, 90);
    (void)state;
    waves(&a.plane[0], 0, 0);
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct ksr_likeness l;
        waves(&b.plane[0], moves[i][0], moves[i][1]);
        ksr_measure_likeness(&a.plane[0], &b.plane[0], &l);
        if (fabs(l.shift_x - moves[i][0]) > 0.02 || fabs(l.shift_y - moves[i][1]) > 0.02)
            fail_msg("case %zu: %.3f %.3f", i, l.shift_x, l.shift_y);
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// Sizes at which nothing can be measured must not be read beyond.
// Bars of one direction, with a little noise that is not the same in both: a shift across them
// shows, and nothing is said of one along them.
static void bars(void **state)
{
    static const double directions[][2] = {{1, 0}, {0, 1}, {0.6, 0.8}, {0.8, -0.6}};
    struct ksr_frame a = unit_grey(160, 90), b = unit_grey(160, 90);
    uint32_t seed = 3;
    (void)state;
    for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
        const double *u = directions[i];
        struct ksr_likeness l;
        for (int y = 0; y < 90; y++)
            for (int x = 0; x < 160; x++) {
                const double at = x * u[0] + y * u[1];
                *unit_at(&a.plane[0], x, y) =
                    (uint16_t)(16000 + 6000 * sin(at * 0.4) + unit_random(&seed) % 128);
                *unit_at(&b.plane[0], x, y) = (uint16_t)(16000 + 6000 * sin((at - 0.3) * 0.4) +
                                                         unit_random(&seed) % 128 + 40);
            }
        ksr_measure_likeness(&a.plane[0], &b.plane[0], &l);
        if (fabs(l.shift_x - 0.3 * u[0]) > 0.02 || fabs(l.shift_y - 0.3 * u[1]) > 0.02)
            fail_msg("direction %zu: %.3f %.3f", i, l.shift_x, l.shift_y);
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static void small(void **state)
{
    (void)state;
    for (int w = 1; w < 10; w++)
        for (int h = 1; h < 10; h++) {
            struct ksr_frame a = unit_grey(w, h), b = unit_grey(2 * w + 1, 3 * h);
            struct ksr_likeness l;
            struct ksr_artefacts f;
            float cells[6];
            ksr_measure_likeness(&a.plane[0], &a.plane[0], &l);
            ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &f);
            ksr_measure_artefacts(&b.plane[0], &a.plane[0], 1, 2, &f);
            ksr_measure_cells(&a.plane[0], 3, 2, cells);
            assert_true(l.ssim == 1 && f.banding == 0 && f.ringing == 0 && cells[5] == 0);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
        }
}

// A gradient of a code every eight samples, upscaled; in steps of four codes it is banded. Blocks
// of 8x8 of one value each are what an encoder leaves of it at a low bit rate.
static void banding(void **state)
{
    struct ksr_frame a = unit_grey(160, 60), b = unit_grey(320, 120);
    struct ksr_artefacts smooth, banded, coded;
    (void)state;
    unit_fill_ramp(&a.plane[0], 8000, 16, 3);
    unit_fill_ramp(&b.plane[0], 8000, 8, 1);
    ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &smooth);
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 320; x++)
            *unit_at(&b.plane[0], x, y) = *unit_at(&b.plane[0], x, y) / 512 * 512;
    ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &banded);
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 320; x++)
            *unit_at(&b.plane[0], x, y) = (uint16_t)(8000 + (x / 8) * 256 + (y / 8) * 256);
    ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &coded);
    assert_true(smooth.banding == 0);
    assert_true(banded.banding > 5);
    assert_true(coded.banding == 0);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// An edge, and the same with a halo of ten codes on either side.
static void ringing(void **state)
{
    struct ksr_frame a = unit_grey(40, 20), b = unit_grey(80, 40);
    struct ksr_artefacts f;
    (void)state;
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 80; x++) {
            const int v = x < 40 ? 60 : 160;
            *unit_at(&b.plane[0], x, y) = (uint16_t)(v * 128);
            if (x % 2 == 0 && y % 2 == 0)
                *unit_at(&a.plane[0], x / 2, y / 2) = (uint16_t)(v * 128);
        }
    ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &f);
    assert_true(f.ringing == 0);
    for (int y = 0; y < 40; y++)
        for (int x = 38; x < 42; x++)
            *unit_at(&b.plane[0], x, y) = (uint16_t)((x < 40 ? 50 : 170) * 128);
    ksr_measure_artefacts(&a.plane[0], &b.plane[0], 0, 1, &f);
    assert_true(f.ringing > 3 && f.ringing < 10);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// Every case is told from every other, noise and all.
static void colours(void **state)
{
    enum { COUNT = 500 };
    static float before[3][COUNT], after[3][COUNT];
    const struct ksr_colours terms = {0.299, 0.114, 16 * 128, 219 * 128, 224 * 128};
    const struct ksr_colours other = {0.2126, 0.0722, 16 * 128, 219 * 128, 224 * 128};
    const struct ksr_colours wide = {0.299, 0.114, 0, 32640, 32640};
    const struct {
        struct ksr_colours from, to;
        enum ksr_colour_case want;
    } cases[] = {{terms, terms, KSR_COLOUR_SAME},
                 {other, terms, KSR_COLOUR_601_AS_709},
                 {terms, other, KSR_COLOUR_709_AS_601},
                 {terms, wide, KSR_COLOUR_STRETCHED},
                 {wide, terms, KSR_COLOUR_SQUEEZED}};
    uint32_t seed = 9;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ksr_colour_sums sums = {0};
        struct ksr_frame f = unit_frame(unit_layout(COUNT, 1, 3, 0));
        for (int p = 0; p < 3; p++)
            for (int x = 0; x < COUNT; x++) {
                const uint16_t v = (uint16_t)((80 + unit_random(&seed) % 90) * 128);
                before[p][x] = (float)v / 128;
                *unit_at(&f.plane[p], x, 0) = v;
            }
        ksr_colours_convert(&f, &cases[i].from, &cases[i].to);
        for (int p = 0; p < 3; p++)
            for (int x = 0; x < COUNT; x++)
                after[p][x] = (float)*unit_at(&f.plane[p], x, 0) / 128 +
                              (float)(unit_random(&seed) % 100) / 25 - 2;
        ksr_colours_add((const float *const[3]){before[0], before[1], before[2]},
                        (const float *const[3]){after[0], after[1], after[2]}, COUNT, &terms,
                        &sums);
        if (ksr_colours_conclude(&sums) != cases[i].want)
            fail_msg("case %zu is taken for %d", i, ksr_colours_conclude(&sums));
        ksr_frame_free(&f);
    }
}

// Noise that an encoder takes away from nearly flat grey is no case, whatever the filter leaves.
static void noise(void **state)
{
    enum { COUNT = 2000 };
    static float before[3][COUNT], after[3][COUNT];
    const struct ksr_colours terms = {0.2126, 0.0722, 16 * 128, 219 * 128, 224 * 128};
    uint32_t seed = 7;
    (void)state;
    for (int left = 0; left < 10; left++)
        for (int grey = 70; grey <= 220; grey += 30) {
            struct ksr_colour_sums sums = {0};
            for (int p = 0; p < 3; p++)
                for (int i = 0; i < COUNT; i++) {
                    const float level = p > 0 ? 128 : (float)grey;
                    const float grain = (float)(unit_random(&seed) % 2001) / 100 - 10;
                    before[p][i] = level + grain;
                    after[p][i] = level + grain * (float)left / 10;
                }
            ksr_colours_add((const float *const[3]){before[0], before[1], before[2]},
                            (const float *const[3]){after[0], after[1], after[2]}, COUNT, &terms,
                            &sums);
            if (ksr_colours_conclude(&sums) != KSR_COLOUR_SAME)
                fail_msg("%d tenths of noise over %d are taken for %d", left, grey,
                         ksr_colours_conclude(&sums));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_planes), cmocka_unit_test(brighter), cmocka_unit_test(shifts),
        cmocka_unit_test(bars),         cmocka_unit_test(small),    cmocka_unit_test(banding),
        cmocka_unit_test(ringing),      cmocka_unit_test(colours),  cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
