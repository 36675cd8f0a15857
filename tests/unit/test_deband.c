// Debanding: gradients out of bands of known gradients; lines, texture and grain stay.

#include "unit.h"

#include <math.h>
#include <string.h>

#include "stages/deband.h"

#define W      320
#define H      180
#define CODE   128 // of 8 bits
#define MARGIN 20

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength)
{
    const struct ksr_deband_params params =
        ksr_deband_params_make(&(struct ksr_pipeline_config){.deband = strength});
    ksr_deband_rows(dst, src, &params, 0, src->height);
}

// Mean squared difference, in squared codes of 8 bits, without the margin.
static double error(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = MARGIN; y < H - MARGIN; y++)
        for (int x = MARGIN; x < W - MARGIN; x++)
            sum += pow((*unit_at(a, x, y) - *unit_at(b, x, y)) / (double)CODE, 2);
    return sum / ((W - 2 * MARGIN) * (H - 2 * MARGIN));
}

static int levels(const struct ksr_plane *p)
{
    static bool seen[KSR_SAMPLE_MAX + 1];
    int count = 0;
    memset(seen, 0, sizeof(seen));
    for (int y = MARGIN; y < H - MARGIN; y++)
        for (int x = MARGIN; x < W - MARGIN; x++) {
            count += !seen[*unit_at(p, x, y)];
            seen[*unit_at(p, x, y)] = true;
        }
    return count;
}

// To 8 bits, halves up, in steps of `step` codes.
static void quantize(const struct ksr_plane *dst, const struct ksr_plane *src, int step)
{
    for (int y = 0; y < src->height; y++)
        for (int x = 0; x < src->width; x++)
            *unit_at(dst, x, y) =
                (uint16_t)((*unit_at(src, x, y) + step * CODE / 2) / (step * CODE) * (step * CODE));
}

struct pictures {
    struct ksr_frame truth, coded, out;
};

static struct pictures pictures_make(void)
{
    return (struct pictures){unit_grey(W, H), unit_grey(W, H), unit_grey(W, H)};
}

static void pictures_free(struct pictures *p)
{
    ksr_frame_free(&p->truth);
    ksr_frame_free(&p->coded);
    ksr_frame_free(&p->out);
}

// Gradients in many directions, of one code in 8 to 30 samples, and a round one.
static void draw_gradient(const struct ksr_plane *p, int k)
{
    const double a = k * 0.61, width = 8 + k * 22 / 11.0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const double along = (x - W / 2) * cos(a) + (y - H / 2) * sin(a);
            const double round = sqrt((x - 100) * (x - 100) + (y - 60) * (y - 60) + 400.0);
            *unit_at(p, x, y) = (uint16_t)(16000 + (k == 12 ? round : along) * CODE / width);
        }
}

static void bands_become_gradients(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_plane *truth = &p.truth.plane[0], *coded = &p.coded.plane[0],
                           *out = &p.out.plane[0];
    for (int k = 0; k <= 12; k++)
        for (int step = 1; step <= 4; step *= 2) {
            draw_gradient(truth, k);
            quantize(coded, truth, step);
            run(out, coded, step / 4.0);
            const double before = error(coded, truth), after = error(out, truth);
            const double least = step == 1 ? 4 : step == 2 ? 1.8 : 1.2; // wide bands: in part
            if (after * least > before)
                fail_msg("gradient %d, steps of %d: %g, then %g", k, step, before, after);
            assert_true(levels(out) >= 5 * levels(coded));
            // What is less than asked for is not followed.
            if (step > 1) {
                run(out, coded, step / 8.0);
                unit_assert_equal(out, coded);
            }
        }
    pictures_free(&p);
}

static void flat_areas_and_ramps_stay(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_plane *a = &p.coded.plane[0], *b = &p.out.plane[0];
    for (int v = 0; v <= KSR_SAMPLE_MAX; v += 4681) {
        unit_fill(a, (uint16_t)v);
        run(b, a, 1);
        unit_assert_flat(b, v);
    }
    for (int s = 1; s <= 40; s += 13) {
        unit_fill_ramp(a, 12000, s, -s / 3);
        run(b, a, 1);
        for (int y = MARGIN; y < H - MARGIN; y++)
            for (int x = MARGIN; x < W - MARGIN; x++)
                assert_int_equal(*unit_at(b, x, y), *unit_at(a, x, y));
    }
    pictures_free(&p);
}

// Soft-edged lines in twelve directions; they are drawn, and coded in 8 bits.
static void draw_lines(const struct ksr_plane *p, int depth)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double v = 20000;
            for (int k = 0; k < 12; k++) {
                const double a = k * 0.2618, d = (x - W / 2) * cos(a) + (y - H / 2) * sin(a);
                v -= depth * exp(-d * d / 3);
            }
            *unit_at(p, x, y) = (uint16_t)(v < 0 ? 0 : v);
        }
}

static void draw_hatching(const struct ksr_plane *p, int depth)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(p, x, y) = (uint16_t)(16000 + ((x + y) / 2 % 2 ? depth : 0));
}

static void draw_grain(const struct ksr_plane *p, int depth)
{
    uint32_t seed = 5;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(p, x, y) =
                (uint16_t)(16000 + ((int)(unit_random(&seed) >> 8) % 3 - 1) * depth);
}

// `most`: of the mean squared change, in squared codes; 0.03 is 63 dB.
static void assert_kept(const struct pictures *p, double strength, double most, const char *what)
{
    const struct ksr_plane *coded = &p->coded.plane[0], *out = &p->out.plane[0];
    quantize(coded, &p->truth.plane[0], 1);
    run(out, coded, strength);
    const double change = error(out, coded);
    if (change > most)
        fail_msg("%s at %g: %g", what, strength, change);
}

static void lines_hatching_and_grain_stay(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_plane *truth = &p.truth.plane[0];
    draw_lines(truth, 12000);
    assert_kept(&p, 0.25, 0.01, "lines");
    assert_kept(&p, 1, 0.05, "lines");
    draw_lines(truth, 1500);
    assert_kept(&p, 0.25, 0.01, "faint lines");
    assert_kept(&p, 1, 0.1, "faint lines");
    draw_hatching(truth, 2 * CODE);
    assert_kept(&p, 0.25, 0, "hatching");
    draw_hatching(truth, 5 * CODE);
    assert_kept(&p, 1, 0, "hatching");
    draw_grain(truth, CODE);
    assert_kept(&p, 0.25, 0.002, "grain");
    draw_grain(truth, 3 * CODE);
    assert_kept(&p, 1, 0.02, "grain");
    pictures_free(&p);
}

// A step of one code beside a dot, and on either side of a bar.
static void what_lines_divide_stays(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_plane *coded = &p.coded.plane[0], *out = &p.out.plane[0];
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(coded, x, y) =
                (uint16_t)(x == 160 && y == 90 ? 5000 : 16000 + (x >= 158 ? CODE : 0));
    run(out, coded, 0.25);
    for (int y = 87; y <= 93; y++)
        for (int x = 157; x <= 163; x++)
            assert_int_equal(*unit_at(out, x, y), *unit_at(coded, x, y));
    assert_int_not_equal(*unit_at(out, 156, 30), *unit_at(coded, 156, 30));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(coded, x, y) =
                (uint16_t)(x >= 160 && x < 167 ? 5000 : 16000 + (x >= 160 ? CODE : 0));
    run(out, coded, 0.25);
    unit_assert_equal(out, coded);
    pictures_free(&p);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 21;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 45; h += 11) {
            const int width = w == 17 ? 650 : w == 16 ? 70 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < width; x++)
                    *unit_at(&a.plane[0], x, y) =
                        (uint16_t)(9000 + (x * 9 + y * 17) / CODE * CODE +
                                   (unit_random(&seed) >> 8) % 90 / 89 * 900);
            unit_fill(&b.plane[0], 12345);
            const struct ksr_deband_params params =
                ksr_deband_params_make(&(struct ksr_pipeline_config){.deband = 0.9});
            ksr_deband_rows(&b.plane[0], &a.plane[0], &params, 0, h);
            for (int y = 0; y < h; y++)
                ksr_deband_rows(&c.plane[0], &a.plane[0], &params, y, y + 1);
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
        cmocka_unit_test(bands_become_gradients),
        cmocka_unit_test(flat_areas_and_ramps_stay),
        cmocka_unit_test(lines_hatching_and_grain_stay),
        cmocka_unit_test(what_lines_divide_stays),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
    };
    return cmocka_run_group_tests_name("deband", tests, NULL, NULL);
}
