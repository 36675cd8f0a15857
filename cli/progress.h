// The progress display on standard error: a redrawn line, plain lines, JSON lines, or nothing.

#ifndef KSR_CLI_PROGRESS_H
#define KSR_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "kizunasr/context.h"

// In the order of the values of --progress; lines are what `auto` means without a terminal.
enum progress_mode {
    PROGRESS_AUTO = 0,
    PROGRESS_BAR = 1,
    PROGRESS_JSON = 2,
    PROGRESS_NONE = 3,
    PROGRESS_LINES = 4,
};

enum { PROGRESS_SAMPLES = 32 };

struct progress {
    enum progress_mode mode; // never PROGRESS_AUTO after progress_start()
    bool any;                // `last` is filled
    bool pending;            // `last` has not been shown (JSON)
    bool visible;            // a bar stands on the terminal's last line
    struct ksr_progress last;
    double shown_at; // seconds, when something was last shown
    int64_t shown_percent;
    // The recent speed: units done anew, against seconds, oldest at `first`.
    struct {
        double time;
        int64_t fresh;
    } samples[PROGRESS_SAMPLES];
    int first, count;
};

// Begins a display. AUTO becomes a bar on a terminal, plain lines elsewhere if `lines` allows them.
void progress_start(struct progress *progress, enum progress_mode mode, bool lines);

// Takes one report of the library and shows it, if it is time to.
void progress_update(struct progress *progress, const struct ksr_progress *report);

// Takes the bar off the terminal before other text, and puts it back after.
void progress_hide(struct progress *progress);
void progress_show(struct progress *progress);

// Ends the display: shows what is owed, takes the bar away.
void progress_finish(struct progress *progress);

#endif
