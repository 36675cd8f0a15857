// Messages, results, exit statuses; see ui.h.

#include "ui.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

void ui_init(struct ui *ui)
{
    *ui = (struct ui){.level = KSR_LOG_INFO};
}

// Whether standard error is a terminal whose user wants colours (https://no-color.org).
static bool colours(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(none && *none) && term && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO);
}

static void show_line(struct ui *ui, const char *prefix, const char *message)
{
    char line[4096];
    const char *colour = "";
    if (*prefix && colours())
        colour = strcmp(prefix, "error: ") == 0 ? "\033[1;31m" : "\033[33m";
    snprintf(line, sizeof(line), "%s", message);
    text_clean(line);
    progress_hide(&ui->progress);
    fprintf(stderr, "kizunasr: %s%s%s%s\n", colour, prefix, *colour ? "\033[0m" : "", line);
    progress_show(&ui->progress);
}

static void show(struct ui *ui, ksr_log_level level, const char *message)
{
    static const char *const prefixes[] = {"error: ", "warning: ", "", "debug: "};
    if (level == KSR_LOG_ERROR)
        snprintf(ui->error, sizeof(ui->error), "%s", message);
    if (level > ui->level || level < KSR_LOG_ERROR || level > KSR_LOG_DEBUG)
        return;
    if (level == KSR_LOG_ERROR)
        ui->error_shown = true;
    show_line(ui, prefixes[level], message);
}

void ui_forget_errors(struct ui *ui)
{
    ui->error_shown = false;
    ui->error[0] = '\0';
}

void ui_note(struct ui *ui, const char *text)
{
    show_line(ui, "", text);
}

void ui_say(struct ui *ui, ksr_log_level level, const char *format, ...)
{
    char message[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    show(ui, level, message);
}

int ui_usage_error(struct ui *ui, const char *format, ...)
{
    char message[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    show(ui, KSR_LOG_ERROR, message);
    return EXIT_USAGE;
}

void ui_log_callback(void *opaque, ksr_log_level level, const char *message)
{
    show(opaque, level, message);
}

void ui_progress_callback(void *opaque, const struct ksr_progress *progress)
{
    struct ui *ui = opaque;
    progress_update(&ui->progress, progress);
}

int ui_exit_status(struct ui *ui, ksr_status status)
{
    if (status == KSR_E_NOMEM && !ui->error_shown)
        ui_say(ui, KSR_LOG_ERROR, "out of memory");
    else if (status != KSR_OK && status != KSR_E_CANCELLED && status != KSR_E_VERIFY &&
             !ui->error_shown)
        ui_say(ui, KSR_LOG_ERROR, "failed (%s)", ksr_status_name(status));

    switch (status) {
    case KSR_OK: return EXIT_DONE;
    case KSR_E_PARAM:
    case KSR_E_EXISTS:
    case KSR_E_MISMATCH: return EXIT_USAGE;
    case KSR_E_NOT_FOUND:
    case KSR_E_INPUT: return EXIT_INPUT;
    case KSR_E_OUTPUT:
    case KSR_E_BUSY: return EXIT_OUTPUT;
    case KSR_E_MODEL: return EXIT_MODEL;
    case KSR_E_VERIFY: return EXIT_VERIFY;
    case KSR_E_CANCELLED: return EXIT_INTERRUPTED;
    case KSR_E_NOMEM:
    case KSR_E_PROCESS: break;
    }
    return EXIT_FAILED;
}

int ui_close_output(struct ui *ui, int status)
{
    errno = 0;
    const bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost)
        return status;
    ui_say(ui, KSR_LOG_ERROR, "cannot write to standard output: %s",
           errno ? strerror(errno) : "an earlier write failed");
    return status == EXIT_DONE ? EXIT_OUTPUT : status;
}
