// The context: what it keeps for the next call (handed out once, to whom it fits; the oldest goes
// first), which of several failures is the error, and how it words options.

#include "unit.h"

#include <stdio.h>

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

struct lines {
    int errors, all;
};

static void count_lines(void *opaque, ksr_log_level level, const char *message)
{
    struct lines *lines = opaque;
    (void)message;
    lines->all++;
    lines->errors += level == KSR_LOG_ERROR;
}

static void of_several_failures_the_first_is_the_error(void **state)
{
    (void)state;
    struct lines lines = {0};
    const struct ksr_callbacks callbacks = {.log = count_lines, .opaque = &lines};
    ksr_context *ctx = NULL;
    assert_int_equal(ksr_context_create(&ctx, &callbacks), KSR_OK);
    ksr_failures_begin(ctx);
    assert_int_equal(ksr_failures_end(ctx), KSR_OK);
    ksr_failures_begin(ctx);
    assert_int_equal(ksr_fail(ctx, KSR_E_OUTPUT, "first"), KSR_E_OUTPUT);
    assert_int_equal(ksr_fail(ctx, KSR_E_NOMEM, "second"), KSR_E_NOMEM);
    assert_int_equal(ksr_failures_end(ctx), KSR_E_OUTPUT);
    assert_int_equal(lines.errors, 1);
    assert_int_equal(lines.all, 2);
    assert_int_equal(ksr_fail(ctx, KSR_E_INPUT, "third"), KSR_E_INPUT);
    assert_int_equal(lines.errors, 2);
    ksr_failures_begin(NULL);
    assert_int_equal(ksr_failures_end(NULL), KSR_OK);
    ksr_context_destroy(&ctx);
}

static void keep_line(void *opaque, ksr_log_level level, const char *message)
{
    (void)level;
    snprintf(opaque, 2048, "%s", message);
}

static void options_are_worded_as_the_owner_has_them(void **state)
{
    (void)state;
    static const char *const want[][3] = {
        {"f{crf}: overwrite=true, work_dir", "f{crf}: --overwrite, --work-dir",
         "f{crf}: overwrite=True, work_dir"},
        {"crop=1:2:3:4 or on_frame_error=repeat or skip",
         "--crop 1:2:3:4 or --on-frame-error repeat or skip",
         "crop='1:2:3:4' or on_frame_error='repeat' or 'skip'"},
        {"tags (preserve_metadata=false)", "tags (--preserve-metadata false)",
         "tags (preserve_metadata=False)"},
    };
    char line[2048];
    const struct ksr_callbacks callbacks = {.log = keep_line, .opaque = line};
    for (int style = 0; style < 3; style++) {
        ksr_context *ctx = NULL, *quiet = NULL;
        char reason[KSR_REASON_SIZE];
        assert_int_equal(ksr_context_create(&ctx, &callbacks), KSR_OK);
        ksr_context_name_options(ctx, (ksr_option_style)style);
        ksr_log(ctx, KSR_LOG_INFO, "%s: {overwrite=true}, {work_dir}", "f{crf}");
        assert_string_equal(line, want[0][style]);
        ksr_log(ctx, KSR_LOG_INFO, "{crop=%d:%d:%d:%d} or {on_frame_error=repeat|skip}", 1, 2, 3,
                4);
        assert_string_equal(line, want[1][style]);
        assert_int_equal(ksr_context_create_quiet(&quiet, ctx, reason), KSR_OK);
        (void)ksr_fail(quiet, KSR_E_PARAM, "tags ({preserve_metadata=false})");
        assert_string_equal(reason, want[2][style]);
        ksr_log(ctx, KSR_LOG_INFO, "a { that is %s", "not closed");
        assert_string_equal(line, "a { that is not closed");
        ksr_context_destroy(&quiet);
        ksr_context_destroy(&ctx);
    }
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
        cmocka_unit_test(of_several_failures_the_first_is_the_error),
        cmocka_unit_test(options_are_worded_as_the_owner_has_them),
        cmocka_unit_test(without_a_context_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
