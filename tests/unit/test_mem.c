// Memory helpers: checked sizes, alignment, growing arrays.

#include "unit.h"

#include <string.h>

#include "core/mem.h"

static void multiply_reports_overflow(void **state)
{
    (void)state;
    size_t out = 7;
    assert_true(ksr_size_multiply(6, 7, &out));
    assert_int_equal(out, 42);
    assert_true(ksr_size_multiply(SIZE_MAX, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(ksr_size_multiply(SIZE_MAX, 0, &out));
    assert_int_equal(out, 0);
    assert_true(ksr_size_multiply(SIZE_MAX / 2, 2, &out));
    out = 7;
    assert_false(ksr_size_multiply(SIZE_MAX / 2 + 1, 2, &out));
    assert_false(ksr_size_multiply(SIZE_MAX, SIZE_MAX, &out));
    assert_int_equal(out, 7); // left alone
}

static void aligned_memory_is_aligned_zeroed_and_padded(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300; size += 37) {
        unsigned char *p = ksr_aligned_calloc(size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % KSR_ALIGN, 0);
        for (size_t i = 0; i < size + KSR_ALIGN; i++)
            assert_int_equal(p[i], 0); // a sanitizer checks that the spare bytes are ours
        ksr_aligned_free(p);
    }
    assert_null(ksr_aligned_calloc(SIZE_MAX - 1));
    ksr_aligned_free(NULL);
}

// Memory that was used before, in the heap or mapped on its own, and with large pages.
static void freed_memory_comes_back_zeroed(void **state)
{
    (void)state;
    for (size_t size = 1000; size < 40000000; size *= 7)
        for (int again = 0; again < 3; again++) {
            unsigned char *p = ksr_aligned_calloc(size);
            assert_non_null(p);
            for (size_t i = 0; i < size; i++)
                if (p[i] != 0)
                    fail_msg("byte %zu of %zu is %d", i, size, p[i]);
            memset(p, 0xA5, size);
            ksr_aligned_free(p);
        }
}

static void arrays_grow_and_keep_their_content(void **state)
{
    (void)state;
    int *array = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(ksr_array_reserve((void **)&array, &capacity, (size_t)i + 1, sizeof(*array)));
        assert_true(capacity > (size_t)i);
        array[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    const size_t before = capacity;
    int *const place = array;
    assert_false(ksr_array_reserve((void **)&array, &capacity, SIZE_MAX / 2, sizeof(*array)));
    assert_true(capacity == before && array == place);
    free(array);
}

static void format_makes_long_strings(void **state)
{
    (void)state;
    char *text = ksr_format("%0500d|%s", 7, "end");
    assert_non_null(text);
    assert_int_equal(strlen(text), 504);
    assert_string_equal(text + 499, "7|end");
    free(text);
}

// Nothing stands behind the heap here (see tests/golden/blocked.c for the other case).
static void memory_ran_out_when_errno_says_so(void **state)
{
    (void)state;
    ksr_memory_watch();
    assert_false(ksr_memory_ran_out());
    errno = EIO;
    assert_false(ksr_memory_ran_out());
    errno = ENOMEM;
    assert_true(ksr_memory_ran_out());
    assert_int_equal(errno, ENOMEM); // for those who ask again
    assert_true(ksr_memory_ran_out());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multiply_reports_overflow),
        cmocka_unit_test(aligned_memory_is_aligned_zeroed_and_padded),
        cmocka_unit_test(freed_memory_comes_back_zeroed),
        cmocka_unit_test(arrays_grow_and_keep_their_content),
        cmocka_unit_test(format_makes_long_strings),
        cmocka_unit_test(memory_ran_out_when_errno_says_so),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
