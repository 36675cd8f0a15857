// Shifted chroma: whole samples are copied, parts of them come out where they belong.

#include "unit.h"

#include <math.h>

#include "stages/chroma_shift.h"

#define W      300
#define H      60
#define MARGIN 14

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, int x, int y)
{
    const struct ksr_chroma_shift_params params = {x, y};
    ksr_chroma_shift_rows(dst, src, &params, 0, src->height);
}

static int clamp(int v, int last)
{
    return v < 0 ? 0 : v > last ? last : v;
}

// Also far beyond planes that are smaller than the shift.
static void whole_samples_are_copied(void **state)
{
    (void)state;
    static const int sizes[][2] = {{W, H}, {1, 1}, {3, 2}, {257, 5}};
    static const int shifts[][2] = {{0, 0}, {1, 0}, {-1, 2}, {8, -8}, {-8, 8}, {5, 3}};
    uint32_t random = 7;
    for (int s = 0; s < 4; s++)
        for (int k = 0; k < 6; k++) {
            struct ksr_frame a = unit_grey(sizes[s][0], sizes[s][1]),
                             b = unit_grey(sizes[s][0], sizes[s][1]);
            unit_fill_random(&a.plane[0], &random, true);
            const int dx = shifts[k][0], dy = shifts[k][1];
            run(&b.plane[0], &a.plane[0], 16 * dx, 16 * dy);
            for (int y = 0; y < sizes[s][1]; y++)
                for (int x = 0; x < sizes[s][0]; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y),
                                     *unit_at(&a.plane[0], clamp(x - dx, sizes[s][0] - 1),
                                              clamp(y - dy, sizes[s][1] - 1)));
            ksr_frame_free(&a);
            ksr_frame_free(&b);
        }
}

static void flat_areas_stay_and_ramps_move(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(W, H), b = unit_grey(W, H);
    for (int v = 0; v <= KSR_SAMPLE_MAX; v += 4681) {
        unit_fill(&a.plane[0], (uint16_t)v);
        run(&b.plane[0], &a.plane[0], 37, -23);
        unit_assert_flat(&b.plane[0], v);
    }
    // 16 codes a sample to the right, 32 down: one and two for each sixteenth.
    unit_fill_ramp(&a.plane[0], 9000, 16, 32);
    for (int x16 = -128; x16 <= 128; x16 += 3)
        for (int y16 = -40; y16 <= 40; y16 += 7) {
            run(&b.plane[0], &a.plane[0], x16, y16);
            for (int y = MARGIN; y < H - MARGIN; y++)
                for (int x = MARGIN; x < W - MARGIN; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y),
                                     9000 + 16 * x + 32 * y - x16 - 2 * y16);
        }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// A pattern of several frequencies, up to two thirds of what a plane can hold.
static double pattern(double x, double y)
{
    return 16000 + 3000 * sin(x * 0.7 + y * 0.3) + 3000 * cos(x * 0.2 - y * 0.9) +
           2000 * sin(x * 1.5 + 1) + 2000 * cos(y * 1.4);
}

static void patterns_come_out_where_they_belong(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(W, H), b = unit_grey(W, H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(&a.plane[0], x, y) = (uint16_t)(pattern(x, y) + 0.5);
    double worst = 0;
    for (int x16 = -128; x16 <= 128; x16++) {
        const int y16 = x16 * 5 % 129;
        run(&b.plane[0], &a.plane[0], x16, y16);
        for (int y = MARGIN; y < H - MARGIN; y++)
            for (int x = MARGIN; x < W - MARGIN; x++)
                worst = fmax(worst, fabs(*unit_at(&b.plane[0], x, y) -
                                         pattern(x - x16 / 16.0, y - y16 / 16.0)));
    }
    if (worst > 192)
        fail_msg("%.0f of 32767 at worst", worst); // one and a half codes of 8 bits
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// There and back, on a drawn edge.
static void shifts_undo_each_other(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(W, H), b = unit_grey(W, H), c = unit_grey(W, H);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(&a.plane[0], x, y) =
                (uint16_t)(16384 + 9000 * tanh((x + 0.4 * y - 150) / 1.5));
    double moved = 0, left = 0;
    run(&b.plane[0], &a.plane[0], 8, -8);
    run(&c.plane[0], &b.plane[0], -8, 8);
    for (int y = MARGIN; y < H - MARGIN; y++)
        for (int x = MARGIN; x < W - MARGIN; x++) {
            moved += pow(*unit_at(&b.plane[0], x, y) - *unit_at(&a.plane[0], x, y), 2);
            left += pow(*unit_at(&c.plane[0], x, y) - *unit_at(&a.plane[0], x, y), 2);
        }
    if (left * 50 > moved)
        fail_msg("of %g squared %g are left", moved, left);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    ksr_frame_free(&c);
}

// Distances are in luma samples of the input, whatever chroma is subsampled by or descaled to.
static void distances(void **state)
{
    (void)state;
    const struct ksr_pipeline_config c = {.chroma_shift_x = -1.25, .chroma_shift_y = 3};
    struct ksr_layout input = unit_layout(960, 720, 3, 1), drawn = input;
    struct ksr_chroma_shift_params p = ksr_chroma_shift_params_make(&c, &input, &drawn);
    assert_int_equal(p.x, -10);
    assert_int_equal(p.y, 24);
    assert_int_equal(ksr_chroma_shift_reach(&p), 2 + 4);
    assert_true(ksr_chroma_shift_active(&p));
    drawn = unit_layout(640, 480, 3, 0); // chroma as large as luma
    p = ksr_chroma_shift_params_make(&c, &input, &drawn);
    assert_int_equal(p.x, -13);
    assert_int_equal(p.y, 32);
    p = ksr_chroma_shift_params_make(&(struct ksr_pipeline_config){.chroma_shift_x = 0.05}, &input,
                                     &input);
    assert_false(ksr_chroma_shift_active(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whole_samples_are_copied),
                                       cmocka_unit_test(flat_areas_stay_and_ramps_move),
                                       cmocka_unit_test(patterns_come_out_where_they_belong),
                                       cmocka_unit_test(shifts_undo_each_other),
                                       cmocka_unit_test(distances)};
    return cmocka_run_group_tests_name("chroma_shift", tests, NULL, NULL);
}
