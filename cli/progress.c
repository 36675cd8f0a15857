// The progress display; see progress.h.
//
// Everything shown is derived from the last report and a window of recent ones. Units that an
// earlier run had finished count as done but not as speed.

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { LINE_MAX_COLUMNS = 256, BAR_MIN = 8, BAR_MAX = 40 };

// Seconds between two redraws, two JSON lines; seconds and percent between two plain lines, and
// the longest silence of plain lines in a long run.
static const double BAR_INTERVAL = 0.1, JSON_INTERVAL = 0.25, LINE_INTERVAL = 10,
                    LINE_SILENCE = 300;
static const int LINE_PERCENT = 10;

// Seconds between two samples: PROGRESS_SAMPLES of them make a window of about 15 s, long enough
// to even out segments of different weight, short enough to follow the film. A speed is told once
// the window is MIN_WINDOW wide.
static const double SAMPLE_INTERVAL = 0.5, MIN_WINDOW = 1;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *phase_name(ksr_phase phase)
{
    switch (phase) {
    case KSR_PHASE_PLAN: return "plan";
    case KSR_PHASE_WORK: return "work";
    case KSR_PHASE_JOIN: return "join";
    case KSR_PHASE_VERIFY: return "verify";
    }
    return "run";
}

// Planning counts bytes, every other phase frames.
static bool counts_bytes(const struct ksr_progress *p)
{
    return p->phase == KSR_PHASE_PLAN;
}

// Returns 0..100, or -1 if the total is not known. 100 only when all is done.
static int percent(const struct ksr_progress *p)
{
    if (p->total <= 0)
        return -1;
    if (p->done >= p->total)
        return 100;
    return p->done > 0 ? (int)((double)p->done / (double)p->total * 100) : 0;
}

static void add_sample(struct progress *progress, double time)
{
    const int64_t fresh = progress->last.done - progress->last.reused;
    if (progress->count > 0) {
        const int newest = (progress->first + progress->count - 1) % PROGRESS_SAMPLES;
        if (time - progress->samples[newest].time < SAMPLE_INTERVAL)
            return;
    }
    if (progress->count == PROGRESS_SAMPLES) {
        progress->first = (progress->first + 1) % PROGRESS_SAMPLES;
        progress->count--;
    }
    const int slot = (progress->first + progress->count++) % PROGRESS_SAMPLES;
    progress->samples[slot].time = time;
    progress->samples[slot].fresh = fresh;
}

// Returns units per second over the window, or 0 if not known yet.
static double rate(const struct progress *progress, double time)
{
    if (progress->count == 0)
        return 0;
    const double seconds = time - progress->samples[progress->first].time;
    const int64_t units =
        progress->last.done - progress->last.reused - progress->samples[progress->first].fresh;
    return seconds >= MIN_WINDOW && units > 0 ? (double)units / seconds : 0;
}

// Returns whole seconds to the end of the phase, or -1 if not known.
static int64_t eta(const struct ksr_progress *p, double units_per_second)
{
    if (units_per_second <= 0 || p->total <= 0 || p->done > p->total)
        return -1;
    const double seconds = (double)(p->total - p->done) / units_per_second;
    return seconds < 1e9 ? (int64_t)(seconds + 0.5) : -1;
}

// The fields of a line as text; "" = not known.
struct fields {
    char percent[TEXT_SHORT], units[2 * TEXT_SHORT + 2], fps[TEXT_SHORT], eta[TEXT_SHORT],
        size[TEXT_SHORT];
    const char *devices;
};

static void fill_fields(struct fields *f, const struct progress *progress, double time)
{
    const struct ksr_progress *p = &progress->last;
    const double speed = rate(progress, time);
    const int64_t left = eta(p, speed);
    char a[TEXT_SHORT], b[TEXT_SHORT];
    memset(f, 0, sizeof(*f));
    if (percent(p) >= 0)
        snprintf(f->percent, sizeof(f->percent), "%d%%", percent(p));
    if (counts_bytes(p) && p->total > 0)
        snprintf(f->units, sizeof(f->units), "%s/%s", text_size(a, p->done),
                 text_size(b, p->total));
    else if (counts_bytes(p))
        text_size(f->units, p->done);
    else if (p->total > 0)
        snprintf(f->units, sizeof(f->units), "%" PRId64 "/%" PRId64, p->done, p->total);
    else
        snprintf(f->units, sizeof(f->units), "%" PRId64, p->done);
    if (speed > 0 && !counts_bytes(p))
        snprintf(f->fps, sizeof(f->fps), "%.1f fps", speed);
    if (left >= 0)
        snprintf(f->eta, sizeof(f->eta), "ETA %s", text_time(a, left));
    if (p->output_size > 0)
        text_size(f->size, p->output_size);
    f->devices = p->devices;
}

static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static int joined_length(const char *const *parts, const bool *used, int count)
{
    int length = 0;
    for (int i = 0; i < count; i++)
        if (used[i] && parts[i][0])
            length += (int)strlen(parts[i]) + (length > 0);
    return length;
}

static void make_bar(char *out, int width, const struct ksr_progress *p)
{
    const int inner = width - 2;
    const int full =
        (int)((double)inner * (p->done < p->total ? (double)p->done : (double)p->total) /
              (double)p->total);
    out[0] = '[';
    for (int i = 0; i < inner; i++)
        out[1 + i] = i < full ? '#' : '-';
    out[width - 1] = ']';
    out[width] = '\0';
}

// Writes the line into `out`: as many fields as fit into `columns`, the bar in what is left.
static void make_line(char *out, size_t size, const struct progress *progress, int columns)
{
    enum { PHASE, BAR, PERCENT, UNITS, FPS, ETA, SIZE, DEVICES, PARTS };
    // Who goes first when the line is too narrow.
    static const int drop_order[] = {SIZE, UNITS, BAR, FPS, DEVICES, PHASE, ETA, PERCENT};
    const struct ksr_progress *p = &progress->last;
    struct fields f;
    fill_fields(&f, progress, now());
    char bar[BAR_MAX + 1] = "", percents[TEXT_SHORT] = "";
    if (p->total > 0) {
        make_bar(bar, BAR_MIN, p);
        snprintf(percents, sizeof(percents), "%3d%%", percent(p)); // so that the line stands still
    }
    const char *const parts[PARTS] = {
        phase_name(p->phase), bar, percents, f.units, f.fps, f.eta, f.size, f.devices};
    bool used[PARTS];
    for (int i = 0; i < PARTS; i++)
        used[i] = true;

    for (int i = 0; i < PARTS && joined_length(parts, used, PARTS) > columns; i++)
        used[drop_order[i]] = false;
    if (used[BAR] && p->total > 0) {
        int width = BAR_MIN + columns - joined_length(parts, used, PARTS);
        make_bar(bar, width < BAR_MAX ? width : BAR_MAX, p);
    }
    size_t length = 0;
    out[0] = '\0';
    for (int i = 0; i < PARTS; i++)
        if (used[i] && parts[i][0] && length < size)
            length +=
                (size_t)snprintf(out + length, size - length, "%s%s", length ? " " : "", parts[i]);
}

static void draw_bar(struct progress *progress)
{
    char line[LINE_MAX_COLUMNS + 1];
    int columns = terminal_columns() - 1; // the last column would wrap on some terminals
    if (columns > LINE_MAX_COLUMNS)
        columns = LINE_MAX_COLUMNS;
    make_line(line, sizeof(line), progress, columns);
    fprintf(stderr, "\r%s\033[K", line);
    progress->visible = true;
    progress->shown_at = now();
}

static void print_line(struct progress *progress)
{
    const struct ksr_progress *p = &progress->last;
    struct fields f;
    fill_fields(&f, progress, now());
    char line[LINE_MAX_COLUMNS];
    int length = snprintf(line, sizeof(line), "%s: %s%s", phase_name(p->phase), f.units,
                          counts_bytes(p) ? "" : " frames");
    if (f.percent[0])
        length += snprintf(line + length, sizeof(line) - (size_t)length, " (%s)", f.percent);
    const char *const more[] = {f.fps, f.eta, f.size, f.devices};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        if (more[i][0])
            length += snprintf(line + length, sizeof(line) - (size_t)length, ", %s", more[i]);
    fprintf(stderr, "%s\n", line);
    progress->shown_at = now();
    progress->shown_percent = percent(p);
}

static void print_json(struct progress *progress)
{
    const struct ksr_progress *p = &progress->last;
    const double time = now();
    const double speed = rate(progress, time);
    const int64_t left = eta(p, speed);
    char fps[TEXT_SHORT] = "null", seconds[TEXT_SHORT] = "null", total[TEXT_SHORT] = "null",
         devices[TEXT_SHORT] = "null";
    if (speed > 0 && !counts_bytes(p))
        snprintf(fps, sizeof(fps), "%.2f", speed);
    if (left >= 0)
        snprintf(seconds, sizeof(seconds), "%" PRId64, left);
    if (p->total > 0)
        snprintf(total, sizeof(total), "%" PRId64, p->total);
    if (p->devices[0])
        snprintf(devices, sizeof(devices), "\"%s\"", p->devices);
    fprintf(stderr,
            "{\"phase\":\"%s\",\"done\":%" PRId64 ",\"total\":%s,\"reused\":%" PRId64
            ",\"fps\":%s,\"eta\":%s,\"size\":%" PRId64 ",\"devices\":%s}\n",
            phase_name(p->phase), p->done, total, p->reused, fps, seconds, p->output_size, devices);
    progress->shown_at = time;
    progress->pending = false;
}

static bool line_is_due(const struct progress *progress, double time)
{
    const double silence = time - progress->shown_at;
    if (silence >= LINE_SILENCE)
        return true;
    const int p = percent(&progress->last);
    return silence >= LINE_INTERVAL && p >= progress->shown_percent + LINE_PERCENT;
}

void progress_start(struct progress *progress, enum progress_mode mode, bool lines)
{
    if (mode == PROGRESS_AUTO) {
        const char *term = getenv("TERM");
        const bool dumb = !term || !*term || strcmp(term, "dumb") == 0;
        mode = isatty(STDERR_FILENO) && !dumb ? PROGRESS_BAR
               : lines                        ? PROGRESS_LINES
                                              : PROGRESS_NONE;
    }
    *progress = (struct progress){.mode = mode};
}

// A new phase starts with an empty window, and the old one's last report is not lost.
static void change_phase(struct progress *progress, double time)
{
    if (progress->pending)
        print_json(progress);
    progress->count = 0;
    progress->shown_percent = 0;
    progress->shown_at = progress->mode == PROGRESS_LINES ? time : 0;
}

void progress_update(struct progress *progress, const struct ksr_progress *report)
{
    if (progress->mode == PROGRESS_NONE || progress->mode == PROGRESS_AUTO)
        return;
    const double time = now();
    if (!progress->any || progress->last.phase != report->phase)
        change_phase(progress, time);
    progress->last = *report;
    progress->any = true;
    add_sample(progress, time);

    if (progress->mode == PROGRESS_JSON) {
        progress->pending = true;
        if (time - progress->shown_at >= JSON_INTERVAL)
            print_json(progress);
    } else if (progress->mode == PROGRESS_BAR) {
        if (time - progress->shown_at >= BAR_INTERVAL)
            draw_bar(progress);
    } else if (line_is_due(progress, time)) {
        print_line(progress);
    }
}

void progress_hide(struct progress *progress)
{
    if (progress->visible)
        fputs("\r\033[K", stderr);
    progress->visible = false;
}

void progress_show(struct progress *progress)
{
    if (progress->mode == PROGRESS_BAR && progress->any)
        draw_bar(progress);
}

void progress_finish(struct progress *progress)
{
    progress_hide(progress);
    if (progress->pending)
        print_json(progress);
    *progress = (struct progress){.mode = PROGRESS_NONE};
}
