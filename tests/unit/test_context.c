// What a context keeps for the next call: handed out once, to whom it fits; the oldest goes first.

#include "unit.h"

#include "core/log.h"

static int destroyed[8];

static void destroy(void *thing)
{
    destroyed[*(int *)thing]++;
}

static void destroy_others(void *thing)
{
    (void)thing;
}

static bool is_equal(const void *thing, const void *wanted)
{
    return *(const int *)thing == *(const int *)wanted;
}

static int things[8] = {0, 1, 2, 3, 4, 5, 6, 7};

static int *take(ksr_context *ctx, int wanted)
{
    return ksr_context_take(ctx, destroy, is_equal, &wanted);
}

static void kept_things_fit_and_go_in_turn(void **state)
{
    (void)state;
    ksr_context *ctx = NULL;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_null(take(ctx, 1));
    for (int i = 1; i <= 3; i++)
        ksr_context_keep(ctx, &things[i], destroy);
    assert_int_equal(destroyed[1], 1); // there is room for two
    assert_null(take(ctx, 1));
    int wanted = 2;
    assert_null(ksr_context_take(ctx, destroy_others, is_equal, &wanted));
    assert_ptr_equal(take(ctx, 2), &things[2]);
    assert_null(take(ctx, 2)); // it is the caller's
    ksr_context_keep(ctx, &things[4], destroy);
    assert_ptr_equal(take(ctx, 4), &things[4]);
    assert_ptr_equal(take(ctx, 3), &things[3]);
    assert_null(take(ctx, 3));
    ksr_context_keep(ctx, &things[5], destroy);
    ksr_context_keep(ctx, &things[6], destroy);
    ksr_context_destroy(&ctx);
    static const int want[8] = {0, 1, 0, 0, 0, 1, 1, 0};
    assert_memory_equal(destroyed, want, sizeof(want));
}

static void without_a_context_nothing_is_kept(void **state)
{
    (void)state;
    ksr_context_keep(NULL, &things[7], destroy);
    assert_int_equal(destroyed[7], 1);
    assert_null(take(NULL, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_things_fit_and_go_in_turn),
        cmocka_unit_test(without_a_context_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
