// Which variant votes choose.

#include "unit.h"

#include "media/index/variant.h"

static int chosen(int64_t a, int64_t b, int64_t c, int64_t d, int variants)
{
    // For each of 1000 samples: 512 make a variant e times as likely.
    const struct ksr_votes votes = {.of = {1000 * a, 1000 * b, 1000 * c, 1000 * d},
                                    .samples = 1000};
    return ksr_votes_choose(&votes, variants);
}

static void the_most_votes_choose(void **state)
{
    (void)state;
    assert_int_equal(chosen(900, 100, -500, 0, 5), 1);
    assert_int_equal(chosen(100, 900, -500, 0, 5), 2);
    assert_int_equal(chosen(-100, 100, 900, 600, 5), 3);
    assert_int_equal(chosen(-900, -100, -500, 400, 5), 4);
}

static void what_is_not_clear_stays_with_the_first(void **state)
{
    (void)state;
    assert_int_equal(chosen(0, 0, 0, 0, 5), 0);
    assert_int_equal(chosen(256, -900, -900, -900, 5), 0); // not sure enough
    assert_int_equal(chosen(257, -900, -900, -900, 5), 1);
    assert_int_equal(chosen(900, -900, 644, -900, 5), 0); // another is nearly as likely
    assert_int_equal(chosen(901, -900, 644, -900, 5), 1);
    assert_int_equal(chosen(644, -900, -900, 900, 5), 0);
    assert_int_equal(chosen(-900, -800, -100, -700, 5), 0);
    assert_int_equal(ksr_votes_choose(&(struct ksr_votes){.samples = 0}, 5), 0);
}

static void votes_for_what_is_not_there_do_not_count(void **state)
{
    (void)state;
    assert_int_equal(chosen(900, 2000, 2000, 2000, 2), 1);
    assert_int_equal(chosen(100, 900, 2000, 2000, 3), 2);
    assert_int_equal(chosen(100, 900, 2000, 9000, 4), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_votes_choose),
        cmocka_unit_test(what_is_not_clear_stays_with_the_first),
        cmocka_unit_test(votes_for_what_is_not_there_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
