// When a GPU is warm enough to be measured, with times as GPUs take them.

#include "unit.h"

#include "pipeline/warm.h"

// Seconds of piece i, when the device has worked for so long.
typedef double (*device)(int i, double worked);

// Returns the pieces that a device warms up with; *worked: their seconds, *last: those of the last.
static int warm_up(device seconds, double *worked, double *last)
{
    struct ksr_warmth warmth = {0};
    int pieces = 0;
    *worked = 0;
    do {
        *last = seconds(pieces++, *worked);
        *worked += *last;
    } while (ksr_warm_up(&warmth, *last) && pieces < 1000000);
    return pieces;
}

static double steady(int i, double worked)
{
    (void)i;
    (void)worked;
    return 0.001;
}

// At the lowest clock for so long that several batches are alike, then at once at the highest.
static double late(int i, double worked)
{
    (void)i;
    return worked < 0.19 ? 0.0028 : 0.0005;
}

// Rises in steps for most of a second: always at least 5 % faster than a tenth of a second before.
static double rising(int i, double worked)
{
    (void)i;
    double seconds = 0.003;
    for (double t = 0.04; t < worked && t < 0.8; t += 0.04)
        seconds *= 0.93;
    return seconds;
}

// Single pieces vary by half, a batch of them hardly.
static double varied(int i, double worked)
{
    (void)worked;
    return 0.001 * (1 + 0.1 * (i % 6));
}

// Twice as long every tenth of a second: never settles.
static double restless(int i, double worked)
{
    (void)i;
    return (int)(worked / 0.05) % 2 ? 0.004 : 0.002;
}

static double slow(int i, double worked)
{
    (void)worked;
    return i % 2 ? 1.0 : 0.9;
}

static double very_slow(int i, double worked)
{
    (void)i;
    (void)worked;
    return 20;
}

static void a_steady_device_works_for_the_least_time(void **state)
{
    double worked, last;
    (void)state;
    warm_up(steady, &worked, &last);
    assert_true(worked >= 0.299 && worked < 0.31);
    warm_up(varied, &worked, &last);
    assert_true(worked >= 0.299 && worked < 0.36);
}

static void clocks_are_high_at_the_end(void **state)
{
    double worked, last;
    (void)state;
    warm_up(late, &worked, &last);
    assert_true(last < 0.00051 && worked < 0.5);
    warm_up(rising, &worked, &last);
    assert_true(worked > 0.8 && worked < 1.1);
    assert_true(last <= rising(0, 10));
}

static void times_that_never_settle_are_put_up_with(void **state)
{
    double worked, last;
    (void)state;
    warm_up(restless, &worked, &last);
    assert_true(worked >= 1.499 && worked < 1.51);
}

static void a_slow_device_makes_few_pieces(void **state)
{
    double worked, last;
    (void)state;
    assert_int_equal(warm_up(slow, &worked, &last), 2);
    assert_int_equal(warm_up(very_slow, &worked, &last), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_device_works_for_the_least_time),
        cmocka_unit_test(clocks_are_high_at_the_end),
        cmocka_unit_test(times_that_never_settle_are_put_up_with),
        cmocka_unit_test(a_slow_device_makes_few_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
