// Stage 2: classes of known pictures, and smoothing that follows them.

#include "unit.h"

#include <math.h>

#include "stages/structure.h"

#define SIDE 64

static int class_at(const struct ksr_plane *p, int x, int y)
{
    uint8_t classes[SIDE * SIDE];
    assert_true(p->width <= SIDE && p->height <= SIDE);
    ksr_structure_classify_rows(classes, SIDE, p, 0, p->height);
    return classes[y * SIDE + x];
}

// A soft edge through the middle whose gradient points at `degrees` (y downwards).
static void draw_edge(const struct ksr_plane *p, double degrees, double height)
{
    const double a = degrees * 3.14159265358979 / 180;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double d = (x - 32) * cos(a) + (y - 32) * sin(a);
            *unit_at(p, x, y) = (uint16_t)(16000 + height * tanh(d / 2));
        }
}

static void directions_are_found(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(SIDE, SIDE);
    for (int k = 0; k < 32; k++) { // a turn and back: opposite gradients are one direction
        draw_edge(&f.plane[0], 11.25 * k + (k & 1 ? 4 : 0), 12000);
        const int class = class_at(&f.plane[0], 32, 32);
        assert_int_equal(KSR_CLASS_DIRECTION(class), ((k + 1) / 2) % 8);
        assert_int_equal(KSR_CLASS_STRENGTH(class), 3);
        assert_int_equal(KSR_CLASS_COHERENCE(class), 3);
    }
    ksr_frame_free(&f);
}

static void strength_follows_the_gradient(void **state)
{
    (void)state;
    static const struct {
        int step, strength; // of 32767 per sample
    } known[] = {{0, 0}, {112, 0}, {144, 1}, {368, 1}, {400, 2}, {1264, 2}, {1296, 3}};
    struct ksr_frame f = unit_grey(SIDE, SIDE);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        // Up and down in the middle, so that steep ramps stay in range.
        unit_fill_ramp(&f.plane[0], 16384 - 32 * known[i].step, known[i].step, 0);
        const int at = known[i].step > 500 ? 32 : 20;
        assert_int_equal(KSR_CLASS_STRENGTH(class_at(&f.plane[0], at, 20)), known[i].strength);
    }
    ksr_frame_free(&f);
}

static void corners_and_dots_have_no_direction(void **state)
{
    (void)state;
    struct ksr_frame f = unit_grey(SIDE, SIDE);
    unit_fill(&f.plane[0], 4000);
    *unit_at(&f.plane[0], 32, 32) = 30000;
    const int dot = class_at(&f.plane[0], 32, 32);
    assert_int_equal(KSR_CLASS_COHERENCE(dot), 0);
    assert_int_equal(KSR_CLASS_STRENGTH(dot), 3);
    unit_fill(&f.plane[0], 4000);
    assert_int_equal(class_at(&f.plane[0], 10, 10), 0);
    ksr_frame_free(&f);
}

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength)
{
    const struct ksr_structure_params params =
        ksr_structure_params_make(&(struct ksr_pipeline_config){.structure_smoothing = strength});
    ksr_structure_rows(dst, src, &params, 0, src->height);
}

static void flat_areas_and_ramps_stay(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(SIDE, SIDE), b = unit_grey(SIDE, SIDE);
    for (int s = 1; s <= 10; s += 3) {
        for (int v = 0; v <= 32767; v += 4681) {
            unit_fill(&a.plane[0], (uint16_t)v);
            run(&b.plane[0], &a.plane[0], s / 10.0);
            unit_assert_flat(&b.plane[0], v);
        }
        unit_fill_ramp(&a.plane[0], 9000, 20 * s, -11 * s);
        run(&b.plane[0], &a.plane[0], s / 10.0);
        for (int y = 3; y < SIDE - 3; y++)
            for (int x = 3; x < SIDE - 3; x++)
                assert_int_equal(*unit_at(&b.plane[0], x, y), *unit_at(&a.plane[0], x, y));
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// Lines in the eight directions keep their depth; noise on them shrinks.
static void lines_stay_and_their_noise_shrinks(void **state)
{
    (void)state;
    uint32_t seed = 9;
    struct ksr_frame clean = unit_grey(SIDE, SIDE), noisy = unit_grey(SIDE, SIDE),
                     out = unit_grey(SIDE, SIDE);
    for (int k = 0; k < 8; k++) {
        const double a = 22.5 * k * 3.14159265358979 / 180;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const double d = (x - 32) * cos(a) + (y - 32) * sin(a);
                const int v = (int)(24000 - 14000 * exp(-d * d / 4));
                *unit_at(&clean.plane[0], x, y) = (uint16_t)v;
                *unit_at(&noisy.plane[0], x, y) = (uint16_t)(v + unit_random(&seed) % 601 - 300);
            }
        run(&out.plane[0], &noisy.plane[0], 0.4);
        double before = 0, after = 0;
        for (int y = 6; y < SIDE - 6; y++)
            for (int x = 6; x < SIDE - 6; x++) {
                const double c = *unit_at(&clean.plane[0], x, y);
                before += pow(*unit_at(&noisy.plane[0], x, y) - c, 2);
                after += pow(*unit_at(&out.plane[0], x, y) - c, 2);
            }
        assert_true(after < 0.4 * before);
        run(&out.plane[0], &clean.plane[0], 0.4);
        // Of a depth of 14000, no more than a seventieth is lost in the middle of a clean line.
        assert_true(abs(*unit_at(&out.plane[0], 32, 32) - *unit_at(&clean.plane[0], 32, 32)) < 200);
    }
    ksr_frame_free(&clean);
    ksr_frame_free(&noisy);
    ksr_frame_free(&out);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 21;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 9; h++) {
            const int width = w == 17 ? 530 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            unit_fill_random(&a.plane[0], &seed, w & 1);
            unit_fill(&b.plane[0], 12345);
            const struct ksr_structure_params params = ksr_structure_params_make(
                &(struct ksr_pipeline_config){.structure_smoothing = 0.9});
            ksr_structure_rows(&b.plane[0], &a.plane[0], &params, 0, h);
            for (int y = 0; y < h; y++)
                ksr_structure_rows(&c.plane[0], &a.plane[0], &params, y, y + 1);
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_found),
        cmocka_unit_test(strength_follows_the_gradient),
        cmocka_unit_test(corners_and_dots_have_no_direction),
        cmocka_unit_test(flat_areas_and_ramps_stay),
        cmocka_unit_test(lines_stay_and_their_noise_shrinks),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
    };
    return cmocka_run_group_tests_name("structure", tests, NULL, NULL);
}
