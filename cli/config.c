// kizunasr config: the settings that a command line and a settings file come to, as JSON that
// --config reads back; with --schema, what such a file may hold.

#include <stdio.h>

#include "verbs.h"

int run_config(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    (void)ctx;
    char *json = NULL;
    const ksr_status status =
        options->schema ? ksr_config_schema(&json) : ksr_config_json(&options->job, &json);
    if (status == KSR_OK)
        puts(json);
    ksr_free(json);
    return ui_exit_status(ui, status);
}
