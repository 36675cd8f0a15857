// The size of a drawing; see drawing.h.

#include "stages/drawing.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "stages/dispatch.h"

#define LINES      16   // of a frame along each axis
#define ALL_LINES  (LINES * KSR_DRAWING_FRAMES)
#define EDGE       8    // samples at the ends of lines: what is there depends on the program
#define DETAIL     4    // codes of 8 bits between neighbours of a line, root mean square, at least
#define AROUND     12   // sizes on either side that tell what errors are usual,
#define NEAR       4    // but for those next to it, which are in the dip
#define CANDIDATES 3    // sizes that all kernels are tried at
#define CLEAR      500  // thousandths of what is usual around: a dip,
#define CLEAR_WIDE 750  // and along the other axis
#define ALONE      1150 // thousandths of it that the next best size has at least

struct ksr_drawing_search {
    int width, height, frames;
    struct ksr_frame lines[2]; // columns and rows as lines, LINES of each frame
    struct ksr_descale_axis same[2];
    struct ksr_stage_table table;
};

// --- Lines ---

ksr_drawing_search *ksr_drawing_search_create(int width, int height)
{
    ksr_drawing_search *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->width = width;
    s->height = height;
    ksr_stage_table_init(&s->table, ksr_cpu_level());
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        const struct ksr_layout layout = {
            .width = i ? width : height, .height = LINES * KSR_DRAWING_FRAMES, .planes = 1};
        ok = ok && ksr_frame_alloc(&s->lines[i], &layout) &&
             ksr_descale_axis_make(&s->same[i], KSR_KERNEL_BILINEAR, layout.height, layout.height);
    }
    if (!ok)
        ksr_drawing_search_destroy(&s);
    return s;
}

void ksr_drawing_search_destroy(ksr_drawing_search **search)
{
    if (!search || !*search)
        return;
    for (int i = 0; i < 2; i++) {
        ksr_frame_free(&(*search)->lines[i]);
        ksr_descale_axis_free(&(*search)->same[i]);
    }
    free(*search);
    *search = NULL;
}

// Sum of squared differences along column or row i.
static int64_t detail_of(const struct ksr_plane *p, bool row, int i)
{
    const ptrdiff_t step = row ? 1 : p->stride;
    const uint16_t *at = p->data + (row ? i * p->stride : i);
    const int length = row ? p->width : p->height;
    int64_t sum = 0;
    for (int k = EDGE + 1; k < length - EDGE; k++) {
        const int d = at[k * step] - at[(k - 1) * step];
        sum += (int64_t)d * d;
    }
    return sum;
}

// Fills the frame's lines: of every part of the plane the one with the most detail. Returns whether
// there is enough of it.
static bool take_lines(const struct ksr_plane *p, bool row, const struct ksr_plane *out, int first)
{
    const int across = row ? p->height : p->width, length = row ? p->width : p->height;
    const int64_t least = (int64_t)(DETAIL << 7) * (DETAIL << 7) * length;
    int64_t all = 0;
    for (int part = 0; part < LINES; part++) {
        const int from = across * part / LINES, to = across * (part + 1) / LINES;
        int best = from;
        int64_t most = -1;
        for (int i = from; i < to; i++) {
            const int64_t detail = detail_of(p, row, i);
            best = detail > most ? i : best;
            most = detail > most ? detail : most;
        }
        all += most;
        uint16_t *line = out->data + (first + part) * out->stride;
        for (int k = 0; k < length; k++)
            line[k] = row ? p->data[best * p->stride + k] : p->data[k * p->stride + best];
    }
    return all >= least * LINES;
}

bool ksr_drawing_add(ksr_drawing_search *s, const struct ksr_plane *luma)
{
    if (s->frames == KSR_DRAWING_FRAMES || s->height < KSR_DRAWING_LEAST)
        return false;
    const bool down = take_lines(luma, false, &s->lines[0].plane[0], s->frames * LINES);
    const bool along = take_lines(luma, true, &s->lines[1].plane[0], s->frames * LINES);
    s->frames += down && along;
    return down && along;
}

// --- Errors ---

// A size that is tried, and what comes of it.
struct trial {
    bool wide; // along rows
    enum ksr_kernel kernel;
    int size;
    bool failed;              // out of memory
    int64_t error[ALL_LINES]; // sum of squares, of each line
};

struct trials {
    const ksr_drawing_search *search;
    struct trial *list;
    int count, room;
};

static void measure(const ksr_drawing_search *s, struct trial *t, const struct ksr_plane *again)
{
    const struct ksr_plane *lines = &s->lines[t->wide].plane[0];
    for (int i = 0; i < s->frames * LINES; i++) {
        const uint16_t *a = lines->data + i * lines->stride, *b = again->data + i * again->stride;
        int64_t sum = 0;
        for (int k = EDGE; k < lines->width - EDGE; k++) {
            const int d = a[k] - b[k];
            sum += (int64_t)d * d;
        }
        t->error[i] = sum;
    }
}

static void run_trial(void *arg, int number, int thread)
{
    const struct trials *all = arg;
    const ksr_drawing_search *s = all->search;
    struct trial *t = &all->list[number];
    const struct ksr_plane *lines = &s->lines[t->wide].plane[0];
    const int rows = s->frames * LINES;
    const struct ksr_layout small = {.width = t->size, .height = rows, .planes = 1};
    const struct ksr_layout large = {.width = lines->width, .height = rows, .planes = 1};
    struct ksr_descale_axis down = {0}, up = {0};
    struct ksr_frame drawn = {0}, again = {0};
    void *scratch = ksr_aligned_calloc(ksr_descale_scratch(lines->width));
    (void)thread;
    t->failed = !scratch || !ksr_frame_alloc(&drawn, &small) || !ksr_frame_alloc(&again, &large) ||
                !ksr_descale_axis_make(&down, t->kernel, large.width, small.width) ||
                !ksr_descale_axis_make(&up, t->kernel, small.width, large.width);
    if (!t->failed) {
        const struct ksr_descale_axis *same = &s->same[t->wide];
        s->table.descale_rows(&drawn.plane[0], lines, &down, same, scratch, 0, rows);
        s->table.descale_rows(&again.plane[0], &drawn.plane[0], &up, same, scratch, 0, rows);
        measure(s, t, &again.plane[0]);
    }
    ksr_descale_axis_free(&down);
    ksr_descale_axis_free(&up);
    ksr_frame_free(&drawn);
    ksr_frame_free(&again);
    ksr_aligned_free(scratch);
}

static void add_trial(struct trials *all, bool wide, enum ksr_kernel kernel, int size)
{
    all->list[all->count++] = (struct trial){.wide = wide, .kernel = kernel, .size = size};
}

static bool run_trials(struct trials *all, ksr_pool *pool)
{
    ksr_pool_run(pool, run_trial, all, all->count);
    for (int i = 0; i < all->count; i++)
        if (all->list[i].failed)
            return false;
    return true;
}

// --- Dips ---

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// The value that one in `part` of all is below.
static int64_t lower(int64_t *values, int count, int part)
{
    qsort(values, (size_t)count, sizeof(values[0]), compare);
    return values[count / part];
}

// The error of a trial in thousandths of what is usual around it, of the line that a third of all
// are below: the others may have text over them, or nothing but noise. around: `count` trials of
// smaller sizes, and as many of larger ones.
static int depth_of(const ksr_drawing_search *s, const struct trial *at, const struct trial *below,
                    const struct trial *above, int count)
{
    int64_t depth[ALL_LINES], side[2][AROUND];
    for (int f = 0; f < s->frames * LINES; f++) {
        for (int k = 0; k < count; k++) {
            side[0][k] = below[k].error[f];
            side[1][k] = above[k].error[f];
        }
        const int64_t usual = (lower(side[0], count, 2) + lower(side[1], count, 2)) / 2;
        depth[f] = usual > 0 ? at->error[f] * 1000 / usual : 1000;
    }
    return (int)lower(depth, s->frames * LINES, 3);
}

// The root mean square of a trial, for the middle line, in 1/1000 codes of 8 bits.
static int error_of(const ksr_drawing_search *s, const struct trial *t)
{
    int64_t error[ALL_LINES];
    memcpy(error, t->error, sizeof(error));
    const int length = s->lines[t->wide].plane[0].width - 2 * EDGE;
    const int64_t square = lower(error, s->frames * LINES, 2) * 61 / length; // (1000 / 128)^2
    int64_t root = 0;
    for (int64_t bit = (int64_t)1 << 24; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= square)
            root += bit;
    return (int)root;
}

// What tells kernels apart: the errors of lines with detail, but for those that differ most.
static int64_t error_of_most(const ksr_drawing_search *s, const struct trial *t)
{
    const int count = s->frames * LINES;
    int64_t error[ALL_LINES], sum = 0;
    memcpy(error, t->error, sizeof(error));
    qsort(error, (size_t)count, sizeof(error[0]), compare);
    for (int i = count / 4; i < count * 7 / 8; i++)
        sum += error[i];
    return sum;
}

// --- The search ---

struct dip {
    int size, depth;
    enum ksr_kernel kernel;
};

// Tries all heights with one kernel, and finds the deepest dips.
static bool sweep(const ksr_drawing_search *s, ksr_pool *pool, struct trials *all,
                  struct ksr_drawing *out, struct dip dips[CANDIDATES])
{
    const int low = out->first, high = low + out->count;
    all->count = 0;
    for (int size = low - AROUND; size < high + AROUND; size++)
        add_trial(all, false, KSR_KERNEL_BICUBIC, size);
    if (!run_trials(all, pool))
        return false;
    for (int i = 0; i < CANDIDATES; i++)
        dips[i] = (struct dip){0, 1000, KSR_KERNEL_BICUBIC};
    for (int i = 0; i < out->count; i++) {
        const struct trial *t = all->list + AROUND + i;
        const int depth = depth_of(s, t, t - AROUND, t + NEAR, AROUND - NEAR + 1);
        out->curve[i] = error_of(s, t);
        int place = CANDIDATES;
        for (int k = 0; k < CANDIDATES; k++)
            if (dips[k].size > 0 && t->size - dips[k].size < NEAR) { // of the same dip
                place = k;
                break;
            }
        const bool apart = place == CANDIDATES;
        place = apart ? CANDIDATES - 1 : place;
        if (depth >= dips[place].depth)
            continue;
        dips[place] = (struct dip){t->size, depth, KSR_KERNEL_BICUBIC};
        for (; place > 0 && dips[place].depth < dips[place - 1].depth; place--) {
            const struct dip other = dips[place];
            dips[place] = dips[place - 1];
            dips[place - 1] = other;
        }
    }
    return true;
}

// Adds what tells the depth of a dip: sizes below it, above it, and itself. step: between them.
static void add_neighbours(struct trials *all, bool wide, enum ksr_kernel kernel, int size, int step)
{
    for (int k = 4; k > 1; k--)
        add_trial(all, wide, kernel, size - k * step);
    for (int k = 2; k <= 4; k++)
        add_trial(all, wide, kernel, size + k * step);
    add_trial(all, wide, kernel, size);
}

#define NEIGHBOURS 7

// Tries all kernels at the dips: the one with the least error is the kernel.
static bool try_kernels(const ksr_drawing_search *s, ksr_pool *pool, struct trials *all,
                        struct dip dips[CANDIDATES])
{
    all->count = 0;
    for (int i = 0; i < CANDIDATES; i++)
        for (int k = 0; k < KSR_KERNELS && dips[i].size > 0; k++)
            add_neighbours(all, false, (enum ksr_kernel)k, dips[i].size, 3);
    if (!run_trials(all, pool))
        return false;
    const struct trial *t = all->list;
    for (int i = 0; i < CANDIDATES; i++) {
        int64_t least = -1;
        for (int k = 0; k < KSR_KERNELS && dips[i].size > 0; k++, t += NEIGHBOURS) {
            const int64_t error = error_of_most(s, &t[6]);
            if (least >= 0 && error >= least)
                continue;
            least = error;
            dips[i].kernel = (enum ksr_kernel)k;
            dips[i].depth = depth_of(s, &t[6], t, t + 3, 3);
        }
    }
    return true;
}

// Whether rows have a dip where the height lets one expect it.
static bool try_width(const ksr_drawing_search *s, ksr_pool *pool, struct trials *all,
                      const struct dip *dip, int width, bool *clear)
{
    all->count = 0;
    add_neighbours(all, true, dip->kernel, width, 4);
    if (!run_trials(all, pool))
        return false;
    *clear = depth_of(s, &all->list[6], all->list, all->list + 3, 3) <= CLEAR_WIDE;
    return true;
}

// The heights that are tried, of frames that are not too small.
static void plan_heights(const ksr_drawing_search *s, struct ksr_drawing *out)
{
    const int low = ksr_max(s->height * 4 / 9, 360);
    const int high = ksr_min(s->height * 11 / 12, 1440);
    out->first = low;
    out->count = high - low + 1;
}

static bool search(const ksr_drawing_search *s, ksr_pool *pool, struct trials *all,
                   struct ksr_drawing *out)
{
    struct dip dips[CANDIDATES];
    bool clear = false;
    if (!sweep(s, pool, all, out, dips) || !try_kernels(s, pool, all, dips))
        return false;
    int best = 0, next = 1000;
    for (int i = 1; i < CANDIDATES; i++)
        best = dips[i].depth < dips[best].depth ? i : best;
    for (int i = 0; i < CANDIDATES; i++)
        next = i != best && dips[i].depth < next ? dips[i].depth : next;
    const struct dip *dip = &dips[best];
    out->depth = dip->depth;
    if (dip->size == 0 || dip->depth > CLEAR || next < dip->depth * ALONE / 1000)
        return true;
    const int width = (dip->size * s->width + s->height) / (2 * s->height) * 2; // the nearest even
    if (!try_width(s, pool, all, dip, width, &clear))
        return false;
    if (clear) {
        out->width = width;
        out->height = dip->size;
        out->kernel = dip->kernel;
    }
    return true;
}

bool ksr_drawing_find(ksr_drawing_search *s, ksr_pool *pool, struct ksr_drawing *out)
{
    *out = (struct ksr_drawing){.frames = s->frames, .depth = 1000};
    if (s->frames == 0)
        return true;
    plan_heights(s, out);
    struct trials all = {.search = s};
    all.room = ksr_max(out->count + 2 * AROUND, CANDIDATES * KSR_KERNELS * NEIGHBOURS);
    all.list = calloc((size_t)all.room, sizeof(all.list[0]));
    out->curve = calloc((size_t)out->count, sizeof(out->curve[0]));
    const bool ok = all.list && out->curve && search(s, pool, &all, out);
    free(all.list);
    if (!ok)
        ksr_drawing_free(out);
    return ok;
}

void ksr_drawing_free(struct ksr_drawing *drawing)
{
    free(drawing->curve);
    *drawing = (struct ksr_drawing){0};
}
