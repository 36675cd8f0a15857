// A thread beside its owner's: what each of the two sees of the other, and how failures come out.

#include "unit.h"

#include <stdatomic.h>
#include <stdio.h>

#include "core/background.h"
#include "core/log.h"

#define CALLS 500

struct work {
    ksr_context *ctx;
    int input, output; // plain: handed over by start and wait alone
    atomic_bool failed;
};

struct heard {
    int errors;
    char last[KSR_REASON_SIZE];
};

static void hear(void *opaque, ksr_log_level level, const char *message)
{
    struct heard *heard = opaque;
    if (level != KSR_LOG_ERROR)
        return;
    heard->errors++;
    snprintf(heard->last, sizeof(heard->last), "%s", message);
}

static ksr_context *make_context(struct heard *heard)
{
    const struct ksr_callbacks callbacks = {.log = hear, .opaque = heard};
    ksr_context *ctx;
    assert_int_equal(ksr_context_create(&ctx, &callbacks), KSR_OK);
    return ctx;
}

static ksr_status double_input(void *arg)
{
    struct work *work = arg;
    work->output = 2 * work->input;
    return KSR_OK;
}

static ksr_status fail_twice(void *arg)
{
    struct work *work = arg;
    ksr_fail(work->ctx, KSR_E_OUTPUT, "first: %s", "{crop}");
    ksr_fail(work->ctx, KSR_E_INPUT, "second");
    work->failed = true;
    return KSR_E_OUTPUT;
}

static ksr_status starve(void *arg)
{
    const struct work *work = arg;
    return ksr_fail_memory(work->ctx);
}

static void calls_see_what_was_written(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct work work = {.ctx = make_context(&heard)};
    ksr_background *b;
    assert_int_equal(ksr_background_create(work.ctx, &b), KSR_OK);
    for (int i = 0; i < CALLS; i++) {
        work.input = i;
        ksr_background_start(b, double_input, &work);
        assert_int_equal(ksr_background_wait(b), KSR_OK);
        assert_int_equal(work.output, 2 * i);
    }
    assert_true(ksr_background_take_time(b) > 0);
    assert_true(ksr_background_take_time(b) == 0);
    ksr_background_start(b, double_input, &work); // ends before the object does
    ksr_background_destroy(&b);
    assert_null(b);
    ksr_background_destroy(&b);
    ksr_context_destroy(&work.ctx);
}

static void failure_is_logged_by_wait(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct work work = {.ctx = make_context(&heard)};
    ksr_background *b;
    assert_int_equal(ksr_background_create(work.ctx, &b), KSR_OK);
    ksr_background_start(b, fail_twice, &work);
    while (!work.failed)
        ;
    assert_int_equal(heard.errors, 0);
    assert_int_equal(ksr_background_wait(b), KSR_E_OUTPUT);
    assert_int_equal(heard.errors, 1);
    assert_string_equal(heard.last, "first: {crop}");

    ksr_background_start(b, fail_twice, &work);
    ksr_background_drop(b);
    assert_int_equal(heard.errors, 1);
    ksr_background_start(b, double_input, &work); // the failure before is forgotten
    assert_int_equal(ksr_background_wait(b), KSR_OK);
    assert_int_equal(heard.errors, 1);
    ksr_background_destroy(&b);
    ksr_context_destroy(&work.ctx);
}

static void failures_are_held_of_one_context(void **state)
{
    (void)state;
    struct heard heard = {0}, other_heard = {0};
    ksr_context *ctx = make_context(&heard), *other = make_context(&other_heard);
    struct ksr_failure failure, inner;
    ksr_failure_hold(ctx, &failure);
    ksr_failure_tell(&failure); // there is none
    ksr_fail(other, KSR_E_INPUT, "not held");
    ksr_failure_hold(ctx, &inner);
    ksr_fail(ctx, KSR_E_INPUT, "held in the inner one");
    ksr_failure_release(&inner);
    assert_int_equal(failure.status, KSR_OK);
    ksr_fail_memory(ctx);
    ksr_failure_release(&failure);
    assert_int_equal(other_heard.errors, 1);
    assert_int_equal(heard.errors, 0);
    ksr_failures_begin(ctx);
    ksr_failure_tell(&failure);
    assert_int_equal(ksr_failures_end(ctx), KSR_E_NOMEM);
    assert_int_equal(heard.errors, 1);
    assert_string_equal(heard.last, "out of memory");
    ksr_context_destroy(&ctx);
    ksr_context_destroy(&other);
}

static void first_failure_counts(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct work bad = {.ctx = make_context(&heard)}, good = {.ctx = bad.ctx, .input = 21};
    assert_int_equal(ksr_run_both(bad.ctx, double_input, &good, double_input, &bad), KSR_OK);
    assert_int_equal(good.output, 42);
    assert_int_equal(ksr_run_both(bad.ctx, double_input, &good, fail_twice, &bad), KSR_E_OUTPUT);
    assert_int_equal(heard.errors, 1);
    assert_int_equal(ksr_run_both(bad.ctx, starve, &good, fail_twice, &bad), KSR_E_NOMEM);
    assert_int_equal(heard.errors, 2);
    assert_string_equal(heard.last, "out of memory");
    ksr_context_destroy(&bad.ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_see_what_was_written),
        cmocka_unit_test(failure_is_logged_by_wait),
        cmocka_unit_test(failures_are_held_of_one_context),
        cmocka_unit_test(first_failure_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
