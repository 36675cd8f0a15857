// What the program says and how it ends: messages on standard error, results on standard output,
// exit statuses.

#ifndef KSR_CLI_UI_H
#define KSR_CLI_UI_H

#include <stdbool.h>

#include "kizunasr/kizunasr.h"
#include "progress.h"

// Exit statuses; docs/manual.md explains them.
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_OUTPUT = 4,
    EXIT_MODEL = 5,
    EXIT_VERIFY = 6,
    EXIT_INTERRUPTED = 130,
};

#if defined(__GNUC__)
#define UI_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#else
#define UI_PRINTF(format, first)
#endif

#define UI_ERROR_SIZE 1024

// Thread-safety: the library never calls two callbacks at once, and the program itself speaks only
// while no call into the library is running.
struct ui {
    ksr_log_level level;       // messages above it are not shown
    struct progress progress;  // the bar, which every message has to step around
    bool error_shown;          // at least one error line
    char error[UI_ERROR_SIZE]; // the last error line, "" = none
};

// Starts with level info and no progress display.
void ui_init(struct ui *ui);

// Begins anew with errors: for a verb that goes on after one.
void ui_forget_errors(struct ui *ui);

// Shows one line on standard error, if the level is wanted: "kizunasr: error: TEXT",
// "kizunasr: warning: TEXT", "kizunasr: TEXT" (info), "kizunasr: debug: TEXT".
void ui_say(struct ui *ui, ksr_log_level level, const char *format, ...) UI_PRINTF(3, 4);

// Shows "kizunasr: TEXT" at every level.
void ui_note(struct ui *ui, const char *text);

// Shows an error line and returns EXIT_USAGE.
int ui_usage_error(struct ui *ui, const char *format, ...) UI_PRINTF(2, 3);

// Callbacks of a context; `opaque` is a struct ui.
void ui_log_callback(void *opaque, ksr_log_level level, const char *message);
void ui_progress_callback(void *opaque, const struct ksr_progress *progress);

// Returns the exit status that stands for `status`, after showing an error line if the library
// showed none.
int ui_exit_status(struct ui *ui, ksr_status status);

// Writes out what is left of standard output. Returns `status`, or EXIT_OUTPUT with an error line
// if something printed there was lost and `status` is EXIT_DONE.
int ui_close_output(struct ui *ui, int status);

#endif
