// What the bundled networks do to pictures that have one right answer, and that the pipeline runs
// them alike in bands, on threads and twice for 4x. Limits are in samples of 15 bits; a code of 8
// bits is 128. They lie somewhat above what was measured, so that a retrained network is held to
// them.

#include "ai_run.h"

#include <math.h>

#include "core/mem.h"
#include "net/library.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

// The networks of the table, in its order; those that have no row here are like `anime-best`.
static struct {
    const char *name;
    int every;     // of the pictures of a test, as a large network takes long
    int overshoot; // the limit at a hard step, in percent
} nets[KSR_NETWORK_MOST] = {{NULL, 1, 15}, {NULL, 1, 15}, {NULL, 2, 10}, {NULL, 4, 8}, {NULL, 4, 10}, {NULL, 4, 12}};

enum { ROWS = 6 };
#define NETS ((int)ksr_network_count)

static void list_networks(void)
{
    for (int i = 0; i < NETS; i++) {
        if (i >= ROWS)
            nets[i] = nets[2];
        nets[i].name = ksr_networks[i].name;
    }
}

static ksr_net *load(const char *name)
{
    ksr_context *ctx = NULL;
    ksr_net *net = NULL;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_int_equal(ksr_model_load(ctx, name, NULL, &net), KSR_OK);
    ksr_context_destroy(&ctx);
    return net;
}

static struct ksr_frame doubled(const ksr_net *net, const struct ksr_frame *src)
{
    struct ksr_stage_table table;
    ksr_stage_table_init(&table, ksr_cpu_level());
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    assert_non_null(scratch);
    struct ksr_frame dst = unit_grey(2 * src->layout.width, 2 * src->layout.height);
    table.net_rows(&dst.plane[0], &src->plane[0], net, scratch, 0, dst.plane[0].height);
    ksr_aligned_free(scratch);
    return dst;
}

// Flat areas get no texture and no checkerboard: every sample stays within half a code of 8 bits.
static void flat_areas_stay(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; n++) {
        ksr_net *net = load(nets[n].name);
        int worst = 0;
        for (int code = 0; code <= 255; code += 3 * nets[n].every) {
            struct ksr_frame src = unit_grey(4, 4);
            unit_fill(&src.plane[0], (uint16_t)(code << 7));
            struct ksr_frame dst = doubled(net, &src);
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++) {
                    const int off = abs(*unit_at(&dst.plane[0], x, y) - (code << 7));
                    worst = off > worst ? off : worst;
                }
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
        print_message("%s: flat areas are off by at most %d\n", nets[n].name, worst);
        assert_true(worst <= 64);
        ksr_net_destroy(&net);
    }
}

// A slow ramp keeps its straightness to a code of 8 bits, and its four output phases lie on one
// line to half of that: no checkerboard.
static void ramps_stay_straight(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; n++) {
        ksr_net *net = load(nets[n].name);
        double worst = 0, phases = 0;
        for (int degrees = 0; degrees < 360; degrees += 15 * nets[n].every) {
            const int dx = (int)lround(150 * cos(degrees * M_PI / 180)),
                      dy = (int)lround(150 * sin(degrees * M_PI / 180));
            struct ksr_frame src = unit_grey(60, 60);
            unit_fill_ramp(&src.plane[0], 16384 - 30 * (dx + dy), dx, dy);
            struct ksr_frame dst = doubled(net, &src);
            double sum[4] = {0};
            for (int y = 24; y < 96; y++)
                for (int x = 24; x < 96; x++) {
                    const double want =
                        16384 - 30 * (dx + dy) + dx * (x - 0.5) / 2 + dy * (y - 0.5) / 2;
                    const double off = *unit_at(&dst.plane[0], x, y) - want;
                    worst = fmax(worst, fabs(off));
                    sum[y % 2 * 2 + x % 2] += off / (36 * 36);
                }
            for (int k = 1; k < 4; k++)
                phases = fmax(phases, fabs(sum[k] - sum[0]));
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
        print_message("%s: ramps are off by %.1f, phases by %.1f\n", nets[n].name, worst, phases);
        assert_true(worst <= 128 && phases <= 64);
        ksr_net_destroy(&net);
    }
}

// The centre of gravity of a small blob moves by less than 1/32 of an input sample.
static void nothing_moves(void **state)
{
    (void)state;
    for (int n = 0; n < NETS; n++) {
        ksr_net *net = load(nets[n].name);
        double worst = 0;
        for (int k = 0; k < 49; k += nets[n].every) {
            const double at_x = 24 + k % 7 / 7.0, at_y = 24 + k / 7 / 7.0;
            struct ksr_frame src = unit_grey(49, 49);
            double in[3] = {0}, out[3] = {0};
            for (int y = 0; y < 49; y++)
                for (int x = 0; x < 49; x++) {
                    const double r2 = (x - at_x) * (x - at_x) + (y - at_y) * (y - at_y);
                    const int v = (int)lround(20000 * exp(-r2 / 3));
                    *unit_at(&src.plane[0], x, y) = (uint16_t)(4000 + v);
                    in[0] += v, in[1] += v * (double)x, in[2] += v * (double)y;
                }
            struct ksr_frame dst = doubled(net, &src);
            for (int y = 30; y < 68; y++)
                for (int x = 30; x < 68; x++) {
                    const int v = *unit_at(&dst.plane[0], x, y) - 4000;
                    out[0] += v, out[1] += v * (x - 0.5) / 2, out[2] += v * (y - 0.5) / 2;
                }
            worst = fmax(worst, fabs(out[1] / out[0] - in[1] / in[0]));
            worst = fmax(worst, fabs(out[2] / out[0] - in[2] / in[0]));
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
        print_message("%s: blobs move by at most %.4f samples\n", nets[n].name, worst);
        assert_true(worst < 1.0 / 32);
        ksr_net_destroy(&net);
    }
}

// A hard step at every angle, of the greatest contrast: overshoot in percent of its height.
// (Filters stay below 1; networks learn what downscaling does to edges, and undo some of it where
// it was not.)
static void steps_ring_little(void **state)
{
    (void)state;
    const int low = 6016, high = 26112;
    for (int n = 0; n < NETS; n++) {
        ksr_net *net = load(nets[n].name);
        int worst = 0;
        for (int degrees = 0; degrees < 360; degrees += 12 * nets[n].every) {
            struct ksr_frame src = unit_grey(48, 48);
            for (int y = 0; y < 48; y++)
                for (int x = 0; x < 48; x++) {
                    int inside = 0;
                    for (int s = 0; s < 64; s++) {
                        const double u = x + (s % 8 + 0.5) / 8 - 24.3,
                                     v = y + (s / 8 + 0.5) / 8 - 23.8;
                        inside += u * cos(degrees * M_PI / 180) + v * sin(degrees * M_PI / 180) > 0;
                    }
                    *unit_at(&src.plane[0], x, y) = (uint16_t)(low + (high - low) * inside / 64);
                }
            struct ksr_frame dst = doubled(net, &src);
            for (int y = 0; y < 96; y++)
                for (int x = 0; x < 96; x++) {
                    const int v = *unit_at(&dst.plane[0], x, y);
                    const int beyond = v < low ? low - v : v > high ? v - high : 0;
                    worst = beyond > worst ? beyond : worst;
                }
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
        const double percent = 100.0 * worst / (high - low);
        print_message("%s: steps overshoot by at most %.1f %%\n", nets[n].name, percent);
        assert_true(percent < nets[n].overshoot);
        ksr_net_destroy(&net);
    }
}

// --- In the pipeline ---

static struct ksr_frame run(const struct ksr_frame *in, const ksr_net *net, int scale,
                            ksr_pool *pool, int band_rows)
{
    const ksr_engine engine = {.net = (ksr_net *)net}; // borrowed: never closed
    return unit_ai_run(in, &engine, scale, pool, band_rows);
}

static void assert_equal(const struct ksr_frame *a, const struct ksr_frame *b)
{
    for (int i = 0; i < a->layout.planes; i++)
        unit_assert_equal(&a->plane[i], &b->plane[i]);
}

static struct ksr_frame random_frame(int width, int height)
{
    uint32_t seed = 3;
    struct ksr_frame frame = unit_frame(unit_layout(width, height, 3, 1));
    for (int i = 0; i < 3; i++)
        unit_fill_random(&frame.plane[i], &seed, false);
    return frame;
}

static void bands_and_threads_change_nothing(void **state)
{
    (void)state;
    ksr_pool *pool = ksr_pool_create(3);
    for (int n = 0; n < NETS; n++) {
        ksr_net *net = load(nets[n].name);
        struct ksr_frame in = random_frame(45, 61), whole = run(&in, net, 2, NULL, 1000);
        for (int rows = 2; rows <= 128; rows = rows * 3 / 2 * 2) {
            struct ksr_frame bands = run(&in, net, 2, rows > 10 ? pool : NULL, rows);
            assert_equal(&bands, &whole);
            ksr_frame_free(&bands);
        }
        ksr_frame_free(&in);
        ksr_frame_free(&whole);
        ksr_net_destroy(&net);
    }
    ksr_pool_destroy(&pool);
}

static void four_times_is_twice_twice(void **state)
{
    (void)state;
    ksr_net *net = load("anime-fast");
    struct ksr_frame in = random_frame(23, 18), once = run(&in, net, 2, NULL, 0),
                     twice = run(&once, net, 2, NULL, 0), four = run(&in, net, 4, NULL, 0),
                     bands = run(&in, net, 4, NULL, 10);
    unit_assert_equal(&four.plane[0], &twice.plane[0]);
    assert_equal(&four, &bands);
    ksr_frame_free(&in);
    ksr_frame_free(&once);
    ksr_frame_free(&twice);
    ksr_frame_free(&four);
    ksr_frame_free(&bands);
    ksr_net_destroy(&net);
}

// The second network gets all bits that the first has made. Their scratch memory and resolutions
// differ.
static void two_networks_take_turns(void **state)
{
    (void)state;
    ksr_net *both[] = {load("anime-fast"), load("anime-best")};
    uint32_t seed = 3;
    for (int first = 0; first < 2; first++) {
        const ksr_engine engine = {.net = both[first], .again = both[1 - first]}; // never closed
        struct ksr_frame src = unit_grey(45, 61);
        unit_fill_random(&src.plane[0], &seed, false);
        struct ksr_frame once = doubled(both[first], &src), want = doubled(both[1 - first], &once);
        for (int rows = 14; rows <= 1400; rows *= 10) {
            struct ksr_frame out = unit_ai_run(&src, &engine, 4, NULL, rows);
            unit_assert_equal(&out.plane[0], &want.plane[0]);
            ksr_frame_free(&out);
        }
        ksr_frame_free(&src);
        ksr_frame_free(&once);
        ksr_frame_free(&want);
    }
    for (int i = 0; i < 2; i++)
        ksr_net_destroy(&both[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_areas_stay),
        cmocka_unit_test(ramps_stay_straight),
        cmocka_unit_test(nothing_moves),
        cmocka_unit_test(steps_ring_little),
        cmocka_unit_test(bands_and_threads_change_nothing),
        cmocka_unit_test(four_times_is_twice_twice),
        cmocka_unit_test(two_networks_take_turns),
    };
    list_networks();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
