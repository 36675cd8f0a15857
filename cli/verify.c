// kizunasr verify: one line for each check, a table of how like the pictures are, and a last line
// that says how it went.

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

static double number(const json_t *o, const char *name)
{
    return json_number_value(json_object_get(o, name));
}

static void print_row(const char *title, const json_t *values, const char *unit)
{
    printf("     %-12s %9.4g %9.4g %9.4g%s\n", title, number(values, "median"),
           number(values, "mean"), number(values, "worst"), unit);
}

static void print_picture(const json_t *picture)
{
    if (!json_is_object(picture))
        return;
    printf("     %-12s %9s %9s %9s\n", "picture", "median", "mean", "worst");
    print_row("PSNR", json_object_get(picture, "psnr"), " dB");
    print_row("PSNR chroma", json_object_get(picture, "psnr_chroma"), " dB");
    print_row("SSIM", json_object_get(picture, "ssim"), "");
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
    print_picture(json_object_get(root, "picture"));
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
    ksr_status status =
        ksr_verify(ctx, options->arguments[0], options->arguments[1], &options->verify, &json);
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
