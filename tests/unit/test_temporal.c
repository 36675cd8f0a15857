// Stage 5: blends what stands still, never what moves.

#include "unit.h"

#include "stages/temporal.h"

static void warmup_is_the_smallest_that_fits(void **state)
{
    (void)state;
    assert_int_equal(ksr_temporal_warmup(0.15), 6);
    assert_int_equal(ksr_temporal_warmup(0.5), 16); // 32767 / 2^16 < 0.5 < 32767 / 2^15
    assert_int_equal(ksr_temporal_warmup(0.9), 106);
    assert_int_equal(ksr_temporal_warmup(0), 1);
    for (int i = 0; i <= 90; i++) {
        const double w = i / 100.0;
        double left = 32767, left_before = 32767;
        for (int k = 0; k < ksr_temporal_warmup(w); k++) {
            left_before = left;
            left *= w;
        }
        assert_true(left < 0.5 && left_before >= 0.5);
        // The memory that is shown is at most 2 * period - 1 frames old.
        const struct ksr_temporal_params p = ksr_temporal_params_make(
            &(struct ksr_pipeline_config){.temporal_weight = w, .motion_threshold = 0.1});
        assert_true(p.period >= 1 && 2 * p.period - 1 <= ksr_temporal_warmup(w));
    }
}

static void parameters_at_their_ends_switch_it_off(void **state)
{
    (void)state;
    struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0, .motion_threshold = 0.1});
    assert_false(ksr_temporal_active(&p));
    p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0.15, .motion_threshold = 0});
    assert_false(ksr_temporal_active(&p));
    p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0.15, .motion_threshold = 0.1});
    assert_true(ksr_temporal_active(&p));
}

// One sample that changed by `motion` between two inputs; the memory is 1000 above the input.
static int blended(double weight, double threshold, int motion, int gap)
{
    struct ksr_frame cur = unit_grey(1, 1), before = unit_grey(1, 1), memory = unit_grey(1, 1);
    const struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = weight, .motion_threshold = threshold});
    *unit_at(&cur.plane[0], 0, 0) = 16000;
    *unit_at(&before.plane[0], 0, 0) = (uint16_t)(16000 + motion);
    *unit_at(&memory.plane[0], 0, 0) = (uint16_t)(16000 + gap);
    ksr_temporal_rows(&memory.plane[0], NULL, &cur.plane[0], &before.plane[0], &p, 0, 1);
    const int out = *unit_at(&memory.plane[0], 0, 0) - 16000;
    ksr_frame_free(&cur);
    ksr_frame_free(&before);
    ksr_frame_free(&memory);
    return out;
}

static void weight_falls_to_nothing_at_the_threshold(void **state)
{
    (void)state;
    const int t = 3277; // 0.1 of full scale
    assert_int_equal(blended(0.25, 0.1, 0, 1000), 250);
    assert_int_equal(blended(0.25, 0.1, t / 2, 1000), 250);
    assert_int_equal(blended(0.25, 0.1, -t / 2, -1000), -250);
    const int half = blended(0.25, 0.1, t * 3 / 4, 1000);
    assert_true(half > 120 && half < 130);
    assert_int_equal(blended(0.25, 0.1, t, 1000), 0);
    assert_int_equal(blended(0.25, 0.1, -t - 5000, -1000), 0);
    assert_int_equal(blended(0.9, 1, 0, -16000), -14400);
    assert_int_equal(blended(0.15, 0.1, 0, 6), 0); // rounds towards the input
    assert_int_equal(blended(0.15, 0.1, 0, -6), 0);
    int last = 32767;
    for (int motion = 0; motion < 4000; motion++) {
        const int out = blended(0.9, 0.1, motion, 16000);
        assert_true(out <= last);
        last = out;
    }
}

// A moving dot switches blending off for itself and its neighbours, and for nothing else.
static void motion_reaches_the_neighbours_only(void **state)
{
    (void)state;
    enum { W = 530, H = 7 };
    struct ksr_frame cur = unit_grey(W, H), before = unit_grey(W, H), memory = unit_grey(W, H),
                     second = unit_grey(W, H);
    const struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.temporal_weight = 0.5, .motion_threshold = 0.1});
    static const int places[] = {0, 1, 255, 256, 300, 511, 512, 529};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        unit_fill(&cur.plane[0], 10000);
        unit_fill(&before.plane[0], 10000);
        unit_fill(&memory.plane[0], 11000);
        unit_fill(&second.plane[0], 8000);
        *unit_at(&before.plane[0], places[i], 3) = 20000;
        ksr_temporal_rows(&memory.plane[0], &second.plane[0], &cur.plane[0], &before.plane[0], &p,
                          0, H);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const bool near = abs(x - places[i]) <= 1 && abs(y - 3) <= 1;
                assert_int_equal(*unit_at(&memory.plane[0], x, y), near ? 10000 : 10500);
                assert_int_equal(*unit_at(&second.plane[0], x, y), near ? 10000 : 9000);
            }
        assert_int_equal(ksr_temporal_changed_rows(&cur.plane[0], &before.plane[0], &p, 0, H), 1);
        assert_int_equal(ksr_temporal_changed_rows(&cur.plane[0], &before.plane[0], &p, 0, 3), 0);
    }
    ksr_frame_free(&cur);
    ksr_frame_free(&before);
    ksr_frame_free(&memory);
    ksr_frame_free(&second);
}

static void cuts_are_half_a_picture(void **state)
{
    (void)state;
    assert_false(ksr_temporal_is_cut(0, 100));
    assert_false(ksr_temporal_is_cut(49, 100));
    assert_true(ksr_temporal_is_cut(50, 100));
    assert_true(ksr_temporal_is_cut(100, 100));
    assert_true(ksr_temporal_is_cut((int64_t)3 << 30, (int64_t)4 << 30));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warmup_is_the_smallest_that_fits),
        cmocka_unit_test(parameters_at_their_ends_switch_it_off),
        cmocka_unit_test(weight_falls_to_nothing_at_the_threshold),
        cmocka_unit_test(motion_reaches_the_neighbours_only),
        cmocka_unit_test(cuts_are_half_a_picture),
    };
    return cmocka_run_group_tests_name("temporal", tests, NULL, NULL);
}
