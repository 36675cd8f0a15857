// Which frames are around which, and when one can be made.

#include "unit.h"

#include "pipeline/around.h"

// Takes the next frame: its number in the film, and those of the frames around it.
static void take(struct ksr_around *a, int64_t frame, const int64_t around[KSR_COMPOSITE_FRAMES])
{
    int64_t numbers[KSR_COMPOSITE_FRAMES];
    assert_int_equal(ksr_around_take(a, numbers)->frame, frame);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++) {
        const int64_t found = numbers[k] < 0 ? -1 : a->kept[numbers[k] % KSR_AROUND_KEPT].frame;
        assert_int_equal(found, around[k]);
    }
}

// Pushes frames first .. end-1, of which none is made.
static void push(struct ksr_around *a, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++)
        assert_true(ksr_around_push(a, i, false, (int)(i - first)));
}

static void frames_wait_for_those_after_them(void **state)
{
    struct ksr_around a = {0};
    (void)state;
    push(&a, 0, 2);
    assert_false(ksr_around_ready(&a, false));
    assert_true(ksr_around_ready(&a, true));
    push(&a, 2, 4);
    take(&a, 0, (int64_t[]){-1, 1, -1, 2});
    assert_true(ksr_around_ready(&a, false));
    take(&a, 1, (int64_t[]){0, 2, -1, 3});
    assert_false(ksr_around_ready(&a, false));
    take(&a, 2, (int64_t[]){1, 3, 0, -1});
    take(&a, 3, (int64_t[]){2, -1, 1, -1});
    assert_false(ksr_around_ready(&a, true));
}

static void runs_end_at_gaps_and_where_all_is_forgotten(void **state)
{
    struct ksr_around a = {0};
    (void)state;
    push(&a, 0, 2);
    push(&a, 5, 7);
    take(&a, 0, (int64_t[]){-1, 1, -1, -1});
    take(&a, 1, (int64_t[]){0, -1, -1, -1});
    take(&a, 5, (int64_t[]){-1, 6, -1, -1});
    ksr_around_reset(&a);
    assert_false(ksr_around_ready(&a, true));
    push(&a, 7, 9); // as if frame 6 were not known
    take(&a, 7, (int64_t[]){-1, 8, -1, -1});
}

// Frames behind an end follow those before it, and no more than are needed; when it goes on, they
// make way.
static void frames_that_only_follow_make_way(void **state)
{
    struct ksr_around a = {0};
    (void)state;
    push(&a, 0, 2);
    assert_true(ksr_around_push(&a, 2, true, 2));
    assert_true(ksr_around_push(&a, 3, true, 2));
    assert_false(ksr_around_push(&a, 4, true, 2));
    assert_int_equal(a.after, 2);
    take(&a, 0, (int64_t[]){-1, 1, -1, 2});
    take(&a, 1, (int64_t[]){0, 2, -1, 3});
    assert_false(ksr_around_ready(&a, true));
    assert_int_equal(a.pushed, 4);
    push(&a, 3, 5); // 2 stays, and warms up
    assert_int_equal(a.pushed, 5);
    assert_int_equal(a.after, 0);
    take(&a, 2, (int64_t[]){1, 3, 0, 4});
    take(&a, 3, (int64_t[]){2, 4, 1, -1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_wait_for_those_after_them),
        cmocka_unit_test(runs_end_at_gaps_and_where_all_is_forgotten),
        cmocka_unit_test(frames_that_only_follow_make_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
