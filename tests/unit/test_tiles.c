// Tiles of pictures for .onnx models, and numbers of 16 bits.

#include "unit.h"

#include <math.h>

#include "net/half.h"
#include "net/tiles.h"

// A film of 1920x1080 and the usual tiles: five times three, as of 512, each a third smaller.
static void test_tiles_are_even(void **state)
{
    (void)state;
    const struct ksr_tiling x = ksr_tiling_make(1920, 512, 64, 1, 0),
                            y = ksr_tiling_make(1080, 512, 64, 1, 0);
    assert_int_equal(x.count, 5);
    assert_int_equal(x.size, 436);
    assert_int_equal(y.count, 3);
    assert_int_equal(y.size, 403);
}

// No tile is larger than wanted, and there are no more than of the size wanted.
static void check_even(const struct ksr_tiling *t, int length, int size, int overlap, int multiple)
{
    const int wanted = size < 2 * multiple ? 2 * multiple : size / multiple * multiple;
    const int least = multiple + (overlap < wanted / 2 ? overlap : wanted / 2);
    const int step = (wanted + multiple - least) / multiple * multiple;
    assert_true(t->size <= wanted);
    if (length > wanted && step > 0)
        assert_true(t->count <= (length - wanted + step - 1) / step + 1);
}

// What every cut must keep: each sample comes from one tile, which lies where the model wants it,
// with half of the overlap around it unless the picture ends there.
static void check_tiling(int length, int size, int overlap, int multiple, int fixed)
{
    const struct ksr_tiling t = ksr_tiling_make(length, size, overlap, multiple, fixed);
    const int around = (overlap < t.size / 2 ? overlap : t.size / 2) / 2;
    int next = 0;
    if (!fixed)
        check_even(&t, length, size, overlap, multiple);
    for (int i = 0; i < t.count; i++) {
        const struct ksr_tile tile = ksr_tiling_tile(&t, i);
        assert_int_equal(tile.from, next);
        assert_true(tile.to > tile.from);
        assert_true(tile.start >= 0 && tile.start <= tile.from);
        assert_true(tile.to <= tile.start + t.size);
        if (!fixed) {
            assert_int_equal(tile.start % multiple, 0);
            assert_int_equal(t.size % multiple, 0);
        }
        if (i > 0)
            assert_true(tile.from - tile.start >= around);
        if (i < t.count - 1)
            assert_true(tile.start + t.size - tile.to >= around);
        next = tile.to;
    }
    assert_int_equal(next, length);
}

static void test_tiles_cover_and_overlap(void **state)
{
    (void)state;
    for (int length = 1; length < 140; length++)
        for (int size = 1; size < 80; size += 3)
            for (int overlap = 0; overlap < 48; overlap += 5) {
                check_tiling(length, size, overlap, 1, 0);
                check_tiling(length, size, overlap, 4, 0);
                check_tiling(length, size, overlap, 1, size);
            }
    check_tiling(65535, 512, 64, 16, 0);
    check_tiling(1920, 512, 64, 64, 0);
}

static void test_small_pictures_are_one_tile(void **state)
{
    (void)state;
    const struct ksr_tiling t = ksr_tiling_make(70, 512, 64, 16, 0);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.size, 80);
}

static void test_half_there_and_back(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x10000; h++) {
        const float value = ksr_half_to_float((uint16_t)h);
        if (isnan(value))
            assert_true((h & 0x7c00) == 0x7c00 && (h & 0x3ff));
        else
            assert_int_equal(ksr_half_from_float(value), h);
    }
    assert_float_equal(ksr_half_to_float(0x3c00), 1, 0);
    assert_float_equal(ksr_half_to_float(0x0001), 1 / 16777216.0f, 0);
    assert_float_equal(ksr_half_to_float(0x7bff), 65504, 0);
}

// Between neighbours the nearer one, in the middle the even one.
static void test_half_rounds(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7bff; h++) {
        const float low = ksr_half_to_float((uint16_t)h),
                    high = ksr_half_to_float((uint16_t)(h + 1));
        const float middle = low + (high - low) / 2; // exact
        assert_int_equal(ksr_half_from_float(middle), h + (h & 1));
        assert_int_equal(ksr_half_from_float(nextafterf(middle, 0)), h);
        assert_int_equal(ksr_half_from_float(nextafterf(middle, INFINITY)), h + 1);
        assert_int_equal(ksr_half_from_float(-nextafterf(middle, 0)), h | 0x8000);
    }
    assert_int_equal(ksr_half_from_float(65519), 0x7bff);
    assert_int_equal(ksr_half_from_float(65520), 0x7c00);
    assert_int_equal(ksr_half_from_float(INFINITY), 0x7c00);
    assert_int_equal(ksr_half_from_float(NAN) & 0x7c00, 0x7c00);
    assert_int_not_equal(ksr_half_from_float(NAN) & 0x3ff, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles_cover_and_overlap),
        cmocka_unit_test(test_tiles_are_even),
        cmocka_unit_test(test_small_pictures_are_one_tile),
        cmocka_unit_test(test_half_there_and_back),
        cmocka_unit_test(test_half_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
