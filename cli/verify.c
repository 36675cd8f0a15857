// kizunasr verify: one line for each check, and a last one that says how it went.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verbs.h"

static void print_check(const json_t *check)
{
    const char *name = json_string_value(json_object_get(check, "name"));
    const char *detail = json_string_value(json_object_get(check, "detail"));
    char line[1024];
    // Details that speak for themselves are not introduced once more.
    const bool alone = detail && name && strstr(detail, name);
    snprintf(line, sizeof(line), "%s %s%s%s",
             json_is_true(json_object_get(check, "passed")) ? "ok  " : "FAIL",
             alone  ? ""
             : name ? name
                    : "check",
             !alone && detail && *detail ? ": " : "", detail ? detail : "");
    puts(text_clean(line));
}

// Returns whether the text was what it should be.
static bool print_checks(const char *text)
{
    json_t *root = json_loads(text, 0, NULL);
    const json_t *checks = json_object_get(root, "checks");
    const bool usable = json_is_array(checks);
    const size_t count = json_array_size(checks);
    size_t failed = 0;
    for (size_t i = 0; i < count; i++) {
        const json_t *check = json_array_get(checks, i);
        failed += !json_is_true(json_object_get(check, "passed"));
        print_check(check);
    }
    if (usable && json_is_true(json_object_get(root, "passed")))
        puts("verified");
    else if (usable)
        printf("not verified: %zu of %zu checks failed\n", failed, count);
    json_decref(root);
    return usable;
}

int run_verify(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    char *json = NULL;
    ksr_status status = ksr_verify(ctx, options->arguments[0], options->arguments[1], &json);
    progress_finish(&ui->progress);
    if (status == KSR_OK || status == KSR_E_VERIFY) {
        if (json && options->json)
            printf("%s%s", json, *json && json[strlen(json) - 1] == '\n' ? "" : "\n");
        else if (!json || !print_checks(json))
            status = KSR_E_NOMEM;
    }
    ksr_free(json);
    return ui_exit_status(ui, status);
}
