// Stage 5: averages what stands still, never what moves.

#include "unit.h"

#include <math.h>

#include "frame/tile.h"
#include "stages/temporal.h"

static struct ksr_temporal_params params(double weight, double threshold)
{
    return ksr_temporal_params_make(&(struct ksr_pipeline_config){
        .temporal_weight = weight, .motion_threshold = threshold});
}

static void warmup_follows_the_weight(void **state)
{
    (void)state;
    assert_int_equal(ksr_temporal_warmup(0), 5);
    assert_int_equal(ksr_temporal_warmup(0.5), 7);
    assert_int_equal(ksr_temporal_warmup(0.96), 53);
    assert_int_equal(ksr_temporal_warmup(0.98), 103);
    for (int i = 0; i <= 98; i++)
        assert_int_equal(ksr_temporal_warmup(i / 100.0), 2 * params(i / 100.0, 0.1).period - 1);
}

// One memory is shown, and its age follows from the number of the frame.
static void memories_take_turns(void **state)
{
    (void)state;
    for (int i = 1; i <= 98; i++) {
        const struct ksr_temporal_params p = params(i / 100.0, 0.1);
        int64_t age[2] = {0, 0};
        for (int64_t frame = 0; frame < 5 * p.period; frame++) {
            int shown = 0;
            for (int k = 0; k < 2; k++) {
                const struct ksr_temporal_memory m = ksr_temporal_memory(&p, frame, k);
                age[k] = m.weight == 0 ? 0 : age[k] + 1;
                shown += m.shown;
                assert_int_equal(m.weight, ksr_min(p.weight, (int)(16384 * age[k] / (age[k] + 1))));
                assert_true(!m.shown || frame < p.period || age[k] >= p.period);
                assert_true(age[k] <= 2 * p.period - 1);
            }
            assert_int_equal(shown, 1);
        }
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

// A plane of one sample, whose memory is `gap` above it: only its mean has changed.
static int blended(double weight, double threshold, int gap)
{
    struct ksr_frame cur = unit_grey(1, 1), memory = unit_grey(1, 1), out = unit_grey(1, 1);
    const struct ksr_temporal_params p = params(weight, threshold);
    *unit_at(&cur.plane[0], 0, 0) = 16000;
    *unit_at(&memory.plane[0], 0, 0) = (uint16_t)(16000 + gap);
    ksr_temporal_rows(&out.plane[0], &memory.plane[0], &cur.plane[0], &p, p.weight, 0, 1);
    const int move = *unit_at(&out.plane[0], 0, 0) - 16000;
    ksr_frame_free(&cur);
    ksr_frame_free(&memory);
    ksr_frame_free(&out);
    return move;
}

static void weight_falls_to_nothing_at_twice_the_limit(void **state)
{
    (void)state;
    const int code = 128; // of 8 bits
    assert_int_equal(blended(0.25, 0.1, code), 32);
    assert_int_equal(blended(0.25, 0.1, -code), -32);
    assert_int_equal(blended(0.5, 0.1, code * 3 / 2), code * 3 / 8);
    assert_int_equal(blended(0.25, 0.1, 2 * code), 0);
    assert_int_equal(blended(0.25, 0.1, -2 * code), 0);
    assert_int_equal(blended(0.25, 0.1, 16000), 0);
    assert_int_equal(blended(0.25, 0.2, 2 * code), 64);
    assert_int_equal(blended(0.9, 1, -10 * code), -9 * code);
    assert_int_equal(blended(0.15, 0.1, 6), 0); // rounds towards the input
    assert_int_equal(blended(0.15, 0.1, -6), 0);
    for (int gap = 0; gap < 300; gap++)
        assert_in_range(blended(0.9, 0.1, gap), 0, 9 * gap / 10);
}

enum { W = 530, H = 40 };

// An edge of 100 codes along x or y, at 1/8 samples; the rest is flat.
static int edge_sample(int x, int y, bool along_x, int eighths)
{
    const int at = 8 * ((along_x ? y : x) - 20) - eighths;
    return 10000 + 100 * 16 * ksr_clamp(at, -4, 4);
}

// Fills `out` from a memory that is the edge, moved and with noise; returns the mean square of what
// remains of the gap to a motionless one, near the edge.
static double edge_left(bool along_x, int eighths, int noise, double *at_edge_before)
{
    struct ksr_frame cur = unit_grey(W, H), memory = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_temporal_params p = params(0.96, 0.1);
    uint32_t seed = 5;
    double left = 0, before = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const int n = noise ? (int)(unit_random(&seed) % (2 * (unsigned)noise + 1)) - noise : 0;
            *unit_at(&cur.plane[0], x, y) = (uint16_t)(edge_sample(x, y, along_x, 0) + n);
            *unit_at(&memory.plane[0], x, y) = (uint16_t)edge_sample(x, y, along_x, eighths);
        }
    ksr_temporal_rows(&out.plane[0], &memory.plane[0], &cur.plane[0], &p, p.weight, 0, H);
    for (int y = 17; y < 24; y++)
        for (int x = 17; x < 24; x++) {
            const int c = *unit_at(&cur.plane[0], x, y), m = *unit_at(&memory.plane[0], x, y);
            before += pow(c - m, 2);
            left += pow(*unit_at(&out.plane[0], x, y) - m, 2);
        }
    *at_edge_before = before;
    ksr_frame_free(&cur);
    ksr_frame_free(&memory);
    ksr_frame_free(&out);
    return left;
}

// Noise at an edge goes. The edge itself, moved by an eighth of a sample, which changes it by 12
// codes, is not followed at all.
static void edges_lose_noise_and_keep_their_place(void **state)
{
    (void)state;
    for (int along_x = 0; along_x < 2; along_x++) {
        double before, left = edge_left(along_x, 0, 500, &before);
        assert_true(left < 0.05 * before);
        left = edge_left(along_x, 1, 0, &before);
        assert_true(before > 0 && left == before);
        left = edge_left(along_x, -1, 200, &before);
        assert_true(left == before);
    }
}

// A dot of 77 codes is followed, and weighs in the blocks that its slopes are in alone.
static void changes_reach_their_blocks_only(void **state)
{
    (void)state;
    struct ksr_frame cur = unit_grey(W, H), memory = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_temporal_params p = params(0.5, 0.1);
    static const int places[] = {0, 1, 255, 256, 300, 511, 512, 529};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        unit_fill(&cur.plane[0], 10000);
        unit_fill(&memory.plane[0], 10064);
        *unit_at(&memory.plane[0], places[i], 3) = 20000;
        ksr_temporal_rows(&out.plane[0], &memory.plane[0], &cur.plane[0], &p, p.weight, 0, H);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const bool beside = abs(x - places[i]) <= 6 && abs(y - 3) <= 6; // its slopes
                const int made = *unit_at(&out.plane[0], x, y);
                const bool dot = x == places[i] && y == 3;
                // The sample itself is followed, and those further away than its slopes reach.
                assert_true(dot ? made == 10000 : beside ? made <= 10032 : made == 10032);
            }
        assert_int_equal(ksr_temporal_changed_rows(&cur.plane[0], &memory.plane[0], &p, 0, H), 1);
        assert_int_equal(ksr_temporal_changed_rows(&cur.plane[0], &memory.plane[0], &p, 0, 3), 0);
    }
    ksr_frame_free(&cur);
    ksr_frame_free(&memory);
    ksr_frame_free(&out);
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
        cmocka_unit_test(warmup_follows_the_weight),
        cmocka_unit_test(memories_take_turns),
        cmocka_unit_test(parameters_at_their_ends_switch_it_off),
        cmocka_unit_test(weight_falls_to_nothing_at_twice_the_limit),
        cmocka_unit_test(edges_lose_noise_and_keep_their_place),
        cmocka_unit_test(changes_reach_their_blocks_only),
        cmocka_unit_test(cuts_are_half_a_picture),
    };
    return cmocka_run_group_tests_name("temporal", tests, NULL, NULL);
}
