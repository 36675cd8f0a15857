// RGB there and back.

#include "unit.h"

#include "frame/rgb.h"

#define SIDE 256

// Converts all triples of a lattice with one plane of G x B per R, and returns the largest error.
static int largest_error(int bits, int step)
{
    const int shift = 15 - bits, last = (1 << bits) - 1;
    struct ksr_frame f = unit_frame(unit_layout(SIDE, SIDE, 3, 0));
    int worst = 0;
    for (int r = 0; r <= last; r += step)
        for (int part = 0; part <= last / step; part += SIDE)
            for (int part2 = 0; part2 <= last / step; part2 += SIDE) {
                for (int y = 0; y < SIDE; y++)
                    for (int x = 0; x < SIDE; x++) {
                        const int g = (part + y) * step, b = (part2 + x) * step;
                        *unit_at(&f.plane[0], x, y) = (uint16_t)((g > last ? last : g) << shift);
                        *unit_at(&f.plane[1], x, y) = (uint16_t)((b > last ? last : b) << shift);
                        *unit_at(&f.plane[2], x, y) = (uint16_t)(r << shift);
                    }
                ksr_rgb_to_ycc_rows(&f, 0, SIDE);
                ksr_rgb_from_ycc_rows(&f, 0, SIDE);
                for (int y = 0; y < SIDE; y++)
                    for (int x = 0; x < SIDE; x++) {
                        const int g = (part + y) * step, b = (part2 + x) * step;
                        const int e0 =
                            abs(*unit_at(&f.plane[0], x, y) - ((g > last ? last : g) << shift));
                        const int e1 =
                            abs(*unit_at(&f.plane[1], x, y) - ((b > last ? last : b) << shift));
                        const int e2 = abs(*unit_at(&f.plane[2], x, y) - (r << shift));
                        const int e = e0 > e1 ? e0 : e1;
                        worst = e > worst ? e : worst;
                        worst = e2 > worst ? e2 : worst;
                    }
            }
    ksr_frame_free(&f);
    return worst;
}

static void triples_of_8_bits_come_back(void **state)
{
    (void)state;
    assert_int_equal(largest_error(8, 1), 0); // all 2^24
}

static void triples_of_12_bits_come_back(void **state)
{
    (void)state;
    assert_int_equal(largest_error(10, 7), 0);
    assert_int_equal(largest_error(12, 37), 0);
}

static void finer_samples_are_off_by_at_most_2(void **state)
{
    (void)state;
    assert_true(largest_error(13, 67) <= 1);
    assert_true(largest_error(15, 301) <= 2);
}

static void known_colours_have_their_bt709_values(void **state)
{
    (void)state;
    static const struct {
        int g, b, r;
        double y, cb, cr; // of 1, chroma -0.5 .. 0.5
    } known[] = {
        {1, 1, 1, 1, 0, 0},
        {0, 0, 0, 0, 0, 0},
        {0, 0, 1, 0.2126, -0.2126 / 1.8556, 0.5},
        {1, 0, 0, 0.7152, -0.7152 / 1.8556, -0.7152 / 1.5748},
        {0, 1, 0, 0.0722, 0.5, -0.0722 / 1.5748},
    };
    const int peak = 255 << 7;
    struct ksr_frame f = unit_frame(unit_layout(5, 1, 3, 0));
    for (int i = 0; i < 5; i++) {
        *unit_at(&f.plane[0], i, 0) = (uint16_t)(known[i].g * peak);
        *unit_at(&f.plane[1], i, 0) = (uint16_t)(known[i].b * peak);
        *unit_at(&f.plane[2], i, 0) = (uint16_t)(known[i].r * peak);
    }
    ksr_rgb_to_ycc_rows(&f, 0, 1);
    for (int i = 0; i < 5; i++) {
        assert_true(abs(*unit_at(&f.plane[0], i, 0) - (int)(known[i].y * peak + 0.5)) <= 1);
        assert_true(abs(*unit_at(&f.plane[1], i, 0) - (int)(known[i].cb * peak + 16384.5)) <= 1);
        assert_true(abs(*unit_at(&f.plane[2], i, 0) - (int)(known[i].cr * peak + 16384.5)) <= 1);
    }
    ksr_frame_free(&f);
}

static void grey_has_no_colour(void **state)
{
    (void)state;
    struct ksr_frame f = unit_frame(unit_layout(1, 1, 3, 0));
    for (int v = 0; v <= 32767; v++) {
        for (int i = 0; i < 3; i++)
            *unit_at(&f.plane[i], 0, 0) = (uint16_t)v;
        ksr_rgb_to_ycc_rows(&f, 0, 1);
        assert_int_equal(*unit_at(&f.plane[0], 0, 0), v);
        assert_int_equal(*unit_at(&f.plane[1], 0, 0), KSR_CHROMA_ZERO);
        assert_int_equal(*unit_at(&f.plane[2], 0, 0), KSR_CHROMA_ZERO);
    }
    ksr_frame_free(&f);
}

// Any YCbCr, such as a filter makes, gives samples in range.
static void results_stay_in_range(void **state)
{
    (void)state;
    uint32_t seed = 5;
    struct ksr_frame f = unit_frame(unit_layout(97, 31, 3, 0));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++)
            unit_fill_random(&f.plane[i], &seed, round & 1);
        if (round & 2)
            ksr_rgb_to_ycc_rows(&f, 0, 31);
        else
            ksr_rgb_from_ycc_rows(&f, 0, 31);
        for (int i = 0; i < 3; i++)
            for (int y = 0; y < 31; y++)
                for (int x = 0; x < 97; x++)
                    assert_true(*unit_at(&f.plane[i], x, y) <= KSR_SAMPLE_MAX);
    }
    ksr_frame_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triples_of_8_bits_come_back),
        cmocka_unit_test(triples_of_12_bits_come_back),
        cmocka_unit_test(finer_samples_are_off_by_at_most_2),
        cmocka_unit_test(known_colours_have_their_bt709_values),
        cmocka_unit_test(grey_has_no_colour),
        cmocka_unit_test(results_stay_in_range),
    };
    return cmocka_run_group_tests_name("rgb", tests, NULL, NULL);
}
