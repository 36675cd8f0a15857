// Stage 3 for luma: what learned.h promises, whatever the filters are.

#include "unit.h"

#include <math.h>

#include "stages/bank.h"
#include "stages/learned.h"

static struct ksr_frame upscaled(const struct ksr_frame *src)
{
    struct ksr_frame dst = unit_grey(2 * src->layout.width, 2 * src->layout.height);
    ksr_learned_rows(&dst.plane[0], &src->plane[0], 0, dst.plane[0].height);
    return dst;
}

static void coefficients_cannot_overflow(void **state)
{
    (void)state;
    for (int p = 0; p < 4; p++)
        for (int c = 0; c < KSR_BANK_CLASSES; c++) {
            int64_t sum = 0;
            for (int k = 0; k < KSR_BANK_TAPS; k++)
                sum += abs(ksr_bank[p][k / 2][c][k & 1]);
            assert_true(sum * KSR_SAMPLE_MAX + 4096 <= INT32_MAX);
        }
}

static void flat_areas_stay(void **state)
{
    (void)state;
    for (int size = 1; size < 20; size++)
        for (int value = 0; value <= KSR_SAMPLE_MAX; value += 4681) {
            struct ksr_frame src = unit_grey(size, 21 - size);
            unit_fill(&src.plane[0], (uint16_t)value);
            struct ksr_frame dst = upscaled(&src);
            unit_assert_flat(&dst.plane[0], value);
            ksr_frame_free(&src);
            ksr_frame_free(&dst);
        }
}

// Away from the edges a ramp of any direction comes out straight to 1/50 of its slope.
static void ramps_stay_straight(void **state)
{
    (void)state;
    for (int degrees = 0; degrees < 360; degrees += 5) {
        struct ksr_frame src = unit_grey(40, 40);
        const int dx = (int)lround(400 * cos(degrees * M_PI / 180)),
                  dy = (int)lround(400 * sin(degrees * M_PI / 180));
        unit_fill_ramp(&src.plane[0], 16384 - 20 * (dx + dy), dx, dy);
        struct ksr_frame dst = upscaled(&src);
        for (int y = 16; y < 64; y++)
            for (int x = 16; x < 64; x++) {
                const double want =
                    16384 - 20 * (dx + dy) + dx * (x - 0.5) / 2 + dy * (y - 0.5) / 2;
                const double off = *unit_at(&dst.plane[0], x, y) - want;
                if (fabs(off) > 8)
                    fail_msg("%d degrees: (%d, %d) is %.1f off", degrees, x, y, off);
            }
        ksr_frame_free(&src);
        ksr_frame_free(&dst);
    }
}

// A step, smoothed over one sample as by a camera, at every angle: nothing beyond its two levels.
static void steps_do_not_ring(void **state)
{
    (void)state;
    const int low = 6000, high = 26000;
    for (int degrees = 0; degrees < 360; degrees += 3) {
        struct ksr_frame src = unit_grey(48, 48);
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 48; x++) {
                int inside = 0;
                for (int s = 0; s < 64; s++) {
                    const double u = x + (s % 8 + 0.5) / 8 - 24.3, v = y + (s / 8 + 0.5) / 8 - 23.8;
                    inside += u * cos(degrees * M_PI / 180) + v * sin(degrees * M_PI / 180) > 0;
                }
                *unit_at(&src.plane[0], x, y) = (uint16_t)(low + (high - low) * inside / 64);
            }
        struct ksr_frame dst = upscaled(&src);
        for (int y = 0; y < 96; y++)
            for (int x = 0; x < 96; x++) {
                const int v = *unit_at(&dst.plane[0], x, y);
                const int beyond = v < low ? low - v : v > high ? v - high : 0;
                if (beyond * 100 >= high - low)
                    fail_msg("%d degrees: (%d, %d) is %d beyond the step", degrees, x, y, beyond);
            }
        ksr_frame_free(&src);
        ksr_frame_free(&dst);
    }
}

// The centre of gravity of a small blob moves by less than 1/32 of an input sample.
static void nothing_moves(void **state)
{
    (void)state;
    for (int k = 0; k < 49; k++) {
        const double at_x = 16 + k % 7 / 7.0, at_y = 16 + k / 7 / 7.0;
        struct ksr_frame src = unit_grey(33, 33);
        double in[3] = {0}, out[3] = {0};
        for (int y = 0; y < 33; y++)
            for (int x = 0; x < 33; x++) {
                const double r2 = (x - at_x) * (x - at_x) + (y - at_y) * (y - at_y);
                const int v = (int)lround(20000 * exp(-r2 / 3));
                *unit_at(&src.plane[0], x, y) = (uint16_t)(4000 + v);
                in[0] += v, in[1] += v * (double)x, in[2] += v * (double)y;
            }
        struct ksr_frame dst = upscaled(&src);
        for (int y = 0; y < 66; y++)
            for (int x = 0; x < 66; x++) {
                const int v = *unit_at(&dst.plane[0], x, y) - 4000;
                out[0] += v, out[1] += v * (x - 0.5) / 2, out[2] += v * (y - 0.5) / 2;
            }
        const double dx = out[1] / out[0] - in[1] / in[0], dy = out[2] / out[0] - in[2] / in[0];
        if (fabs(dx) > 1.0 / 32 || fabs(dy) > 1.0 / 32)
            fail_msg("blob %d moved by %.4f, %.4f samples", k, dx, dy);
        ksr_frame_free(&src);
        ksr_frame_free(&dst);
    }
}

// Few samples of a picture without any order stand alone, beyond all eight around them by more than
// a quarter of their range: 72 here, 172 without the limit to neighbours.
static void no_specks(void **state)
{
    (void)state;
    uint32_t seed = 3;
    int specks = 0;
    struct ksr_frame src = unit_grey(100, 100);
    unit_fill_random(&src.plane[0], &seed, false);
    struct ksr_frame dst = upscaled(&src);
    for (int y = 1; y < 199; y++)
        for (int x = 1; x < 199; x++) {
            int low = KSR_SAMPLE_MAX, high = 0;
            for (int k = 0; k < 9; k++)
                if (k != 4) {
                    const int v = *unit_at(&dst.plane[0], x - 1 + k % 3, y - 1 + k / 3);
                    low = v < low ? v : low;
                    high = v > high ? v : high;
                }
            const int v = *unit_at(&dst.plane[0], x, y), margin = (high - low) / 4;
            specks += v < low - margin || v > high + margin;
        }
    if (specks > 110)
        fail_msg("%d of 39204 samples are specks", specks);
    ksr_frame_free(&src);
    ksr_frame_free(&dst);
}

// Where gradients have a clear direction, a mirrored or turned picture gives the mirrored result.
static void mirrors_give_mirrors(void **state)
{
    (void)state;
    uint32_t seed = 5;
    struct ksr_frame src = unit_grey(30, 30), other = unit_grey(30, 30);
    unit_fill_random(&src.plane[0], &seed, false);
    struct ksr_frame a = upscaled(&src);
    for (int s = 1; s < 8; s++) {
        for (int y = 0; y < 30; y++)
            for (int x = 0; x < 30; x++) {
                const int tx = s & 4 ? y : x, ty = s & 4 ? x : y;
                *unit_at(&other.plane[0], x, y) =
                    *unit_at(&src.plane[0], s & 1 ? 29 - tx : tx, s & 2 ? 29 - ty : ty);
            }
        struct ksr_frame b = upscaled(&other);
        for (int y = 0; y < 60; y++)
            for (int x = 0; x < 60; x++) {
                const int tx = s & 4 ? y : x, ty = s & 4 ? x : y;
                assert_int_equal(*unit_at(&b.plane[0], x, y),
                                 *unit_at(&a.plane[0], s & 1 ? 59 - tx : tx, s & 2 ? 59 - ty : ty));
            }
        ksr_frame_free(&b);
    }
    ksr_frame_free(&src);
    ksr_frame_free(&other);
    ksr_frame_free(&a);
}

static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 9;
    const int sizes[][2] = {{1, 1}, {2, 3}, {33, 17}, {257, 12}, {300, 9}, {513, 31}};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
        for (int extreme = 0; extreme < 2; extreme++) {
            struct ksr_frame src = unit_grey(sizes[k][0], sizes[k][1]);
            unit_fill_random(&src.plane[0], &seed, extreme);
            struct ksr_frame whole = upscaled(&src), parts = upscaled(&src);
            unit_fill(&parts.plane[0], 77);
            for (int y = 0; y < parts.plane[0].height;) {
                const int rows = 1 + (int)(unit_random(&seed) % 7),
                          left = parts.plane[0].height - y;
                ksr_learned_rows(&parts.plane[0], &src.plane[0], y,
                                 y + (rows < left ? rows : left));
                y += rows;
            }
            unit_assert_equal(&parts.plane[0], &whole.plane[0]);
            ksr_frame_free(&src);
            ksr_frame_free(&whole);
            ksr_frame_free(&parts);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_cannot_overflow),
        cmocka_unit_test(flat_areas_stay),
        cmocka_unit_test(ramps_stay_straight),
        cmocka_unit_test(steps_do_not_ring),
        cmocka_unit_test(nothing_moves),
        cmocka_unit_test(no_specks),
        cmocka_unit_test(mirrors_give_mirrors),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
