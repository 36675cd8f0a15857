// kizunasr upscale: the whole job. kizunasr plan: its first part alone. And the line that tells
// what came out, which join prints as well.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipe_output.h"
#include "text.h"
#include "verbs.h"

static void print_count(int64_t n, const char *what, bool plural)
{
    if (n != 0)
        printf(", %" PRId64 " %s%s", n, what, plural ? text_plural(n) : "");
}

void print_result(const char *name, const struct ksr_result *result)
{
    char *clean = strdup(name);
    printf("%s: ", clean ? text_clean(clean) : "output");
    free(clean);
    if (result->already_done) {
        puts("already done");
        return;
    }
    char size[TEXT_SHORT];
    printf("%" PRId64 " frame%s, %dx%d, %s, %s", result->frames, text_plural(result->frames),
           result->width, result->height, text_size(size, result->output_size),
           result->accepted ? "accepted although verification failed" : "verified");
    if (result->engine[0] && strcmp(result->engine, "native") != 0)
        printf(", %s", result->engine);
    if (result->devices[0] && strcmp(result->devices, "cpu") != 0)
        printf(", %s", result->devices);
    print_count(result->frames_repeated, "repeated", false);
    print_count(result->frames_skipped, "skipped", false);
    print_count(result->warnings, "warning", true);
    putchar('\n');
}

int run_upscale(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_result result = {0};
    if (options->dry_run)
        return dry_run(ctx, ui, options);
    if (output_is_pipe(options->job.output_path))
        return upscale_to_pipe(ctx, ui, options);
    const ksr_status status = ksr_upscale(ctx, &options->job, &options->run, &result);
    progress_finish(&ui->progress);
    if (status == KSR_OK)
        print_result(options->job.output_path, &result);
    return ui_exit_status(ui, status);
}

int run_plan(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_result result = {0};
    const ksr_status status = ksr_plan(ctx, &options->job, &options->run, &result);
    progress_finish(&ui->progress);
    if (status == KSR_OK)
        printf("%d\n", result.segments);
    return ui_exit_status(ui, status);
}
