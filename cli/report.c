// kizunasr report: one page about an output. kizunasr preview: samples, their pages, an estimate.

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "verbs.h"

int run_report(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    bool passed = false;
    char name[4096];
    struct ksr_report_options report = options->report;
    report.verify = options->verify;
    if (!options->output)
        return ui_usage_error(ui, "-o FILE is missing (see kizunasr report --help)");
    const ksr_status status = ksr_report(ctx, options->arguments[0], options->arguments[1], &report,
                                         options->output, &passed);
    progress_finish(&ui->progress);
    if (status == KSR_OK) {
        snprintf(name, sizeof(name), "%s", options->output);
        printf("%s: %s\n", text_clean(name), passed ? "all checks passed" : "some checks failed");
    }
    return ui_exit_status(ui, status);
}

// --- Preview ---

// "film.mkv" becomes "film-preview", in the current folder.
static char *default_folder(const char *input)
{
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input;
    const char *dot = strrchr(name, '.');
    const size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    char *folder = malloc(length + sizeof("-preview"));
    if (folder) {
        memcpy(folder, name, length);
        memcpy(folder + length, "-preview", sizeof("-preview"));
    }
    return folder;
}

static void print_json(const char *folder, const struct ksr_preview_result *r)
{
    json_t *o = json_pack("{s:s,s:i,s:I,s:I,s:f,s:f,s:[f,f],s:f,s:[f,f],s:b}", "folder", folder,
                          "samples", r->samples, "frames", (json_int_t)r->frames, "film_frames",
                          (json_int_t)r->film_frames, "frames_per_second", r->frames_per_second,
                          "seconds", r->seconds, "seconds_range", r->fastest_seconds,
                          r->slowest_seconds, "bytes", r->bytes, "bytes_range", r->smallest_bytes,
                          r->largest_bytes, "passed", r->passed);
    char *text = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    if (text)
        puts(text);
    free(text);
    json_decref(o);
}

static void print_estimate(const char *folder, const struct ksr_preview_result *r)
{
    char low[TEXT_SHORT], high[TEXT_SHORT], middle[TEXT_SHORT];
    char name[4096];
    snprintf(name, sizeof(name), "%s", folder);
    printf("%s: %d sample%s, %" PRId64 " frames at %.2f per second, %s\n", text_clean(name),
           r->samples, text_plural(r->samples), r->frames, r->frames_per_second,
           r->passed ? "all checks passed" : "some checks failed");
    printf("whole video: %" PRId64 " frames, about %s (%s to %s), ", r->film_frames,
           text_time(middle, (int64_t)(r->seconds + 0.5)),
           text_time(low, (int64_t)(r->fastest_seconds + 0.5)),
           text_time(high, (int64_t)(r->slowest_seconds + 0.5)));
    printf("about %s (%s to %s)\n", text_size(middle, (int64_t)r->bytes),
           text_size(low, (int64_t)r->smallest_bytes), text_size(high, (int64_t)r->largest_bytes));
}

int run_preview(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_preview_result result;
    char *made = options->output ? NULL : default_folder(options->arguments[0]);
    const char *folder = options->output ? options->output : made;
    struct ksr_preview_options preview = {
        .samples = options->samples, .folder = folder, .run = options->run};
    if (!folder)
        return ui_exit_status(ui, KSR_E_NOMEM);
    const ksr_status status = ksr_preview(ctx, &options->job, &preview, &result);
    progress_finish(&ui->progress);
    if (status == KSR_OK && options->json)
        print_json(folder, &result);
    else if (status == KSR_OK)
        print_estimate(folder, &result);
    free(made);
    return ui_exit_status(ui, status);
}
