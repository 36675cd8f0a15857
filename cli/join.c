// kizunasr join: makes the output from finished segments.

#include <stdlib.h>
#include <string.h>

#include "verbs.h"

// Returns the name the result is told under: OUTPUT for a folder OUTPUT.kizunasr, else the folder
// itself; free with free(), NULL when out of memory.
static char *result_name(const char *folder)
{
    static const char ending[] = ".kizunasr";
    char *name = strdup(folder);
    if (!name)
        return NULL;
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        name[--length] = '\0';
    if (length > strlen(ending) && strcmp(name + length - strlen(ending), ending) == 0)
        name[length - strlen(ending)] = '\0';
    return name;
}

int run_join(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct ksr_result result = {0};
    const ksr_status status = ksr_join(ctx, options->arguments[0], &options->run, &result);
    progress_finish(&ui->progress);
    if (status == KSR_OK) {
        char *name = result_name(options->arguments[0]);
        print_result(name ? name : options->arguments[0], &result);
        free(name);
    }
    return ui_exit_status(ui, status);
}
