// What mistyped names are taken for.

#include "core/suggest.h"
#include "unit.h"

static const char *meant(const char *word, const char *a, const char *b)
{
    struct ksr_guess guess = {.word = word};
    ksr_guess_consider(&guess, a);
    ksr_guess_consider(&guess, b);
    return guess.best ? guess.best : "";
}

static void test_likeness(void **state)
{
    (void)state;
    assert_int_equal(ksr_word_likeness("medium", "medium"), 0);
    assert_int_equal(ksr_word_likeness("medum", "medium"), 1);   // one missing
    assert_int_equal(ksr_word_likeness("meduim", "medium"), 1);  // two swapped
    assert_int_equal(ksr_word_likeness("mediumm", "medium"), 1); // one too many
    assert_true(ksr_word_likeness("slow", "medium") == SIZE_MAX);
    assert_true(ksr_word_likeness("", "medium") == SIZE_MAX);
    char longer[80] = "";
    memset(longer, 'a', sizeof(longer) - 1);
    assert_true(ksr_word_likeness(longer, longer) == SIZE_MAX);
}

static void test_the_closest_is_meant(void **state)
{
    (void)state;
    assert_string_equal(meant("libx246", "libx265", "libx264"), "libx264");
    assert_string_equal(meant("vp9", "libvpx", "libvpx-vp9"), "libvpx-vp9"); // a part of the name
    assert_string_equal(meant("slwo", "slower", "slow"), "slow");
    assert_string_equal(meant("nonsense", "slow", "fast"), "");
}

static void test_text(void **state)
{
    (void)state;
    char text[KSR_GUESS_TEXT];
    struct ksr_guess guess = {.word = "abrot"};
    assert_string_equal(ksr_guess_text(&guess, text), "");
    ksr_guess_consider(&guess, "abort");
    assert_string_equal(ksr_guess_text(&guess, text), " (did you mean abort?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_likeness),
        cmocka_unit_test(test_the_closest_is_meant),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
