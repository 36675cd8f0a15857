// kizunasr work: makes segments of a planned film. Prints nothing on standard output.

#include "text.h"
#include "verbs.h"

int run_work(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_result result = {0};
    const ksr_status status = ksr_work(ctx, options->arguments[0], options->segments,
                                       options->segment_count, &options->run, &result);
    progress_finish(&ui->progress);
    if (status == KSR_OK) {
        const int done = options->segment_count ? (int)options->segment_count : result.segments;
        ui_say(ui, KSR_LOG_INFO, "%d of %d segment%s done", done, result.segments,
               text_plural(result.segments));
    }
    return ui_exit_status(ui, status);
}
