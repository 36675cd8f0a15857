// Finding moments in fields; see cadence.h.
//
// Two numbers are measured of each field. `join` says how much it combs with the next one, where
// both differ from what was there before and comes after: fine detail that stays or that a field
// shows by itself is no combing. `apart` says how much it differs from the next field of the same
// rows. The rest is the cheapest path through the states below.

#include "media/index/cadence.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define BLOCK      16  // rows and columns of a frame whose samples are looked at together
#define CELL       4   // columns (of two rows) whose changes are added up, so that noise cancels
#define COMB       4   // codes by which a sample may stand out of the rows around it
#define COMB_LEAST 256 // sum of what exceeds that in a block which combs
#define MOVE_LEAST 384 // sum of changes in a block in which something moves
#define SCALE      32  // of these sums, to points
#define MOST       100 // points: what a frame costs at most

#define CHANGE   80 // points: another kind or cadence begins,
#define CUT      40 // at a place where all of the frame changes
#define CUT_PART 2  // all: one of so many blocks moves
#define SINGLE   6  // a field that is a moment of its own, in interlaced video
#define NEVER    (INT64_MAX / 2)
#define VISIBLE  10 // fields that cost more are not joined, whatever the path

// The states of a field: its place in a cycle of film, whose moments have two and three fields; its
// place in a frame of video; or a moment of its own.
enum {
    TWO, // film: the first of two fields
    TWO_SECOND,
    THREE_FIRST,
    THREE_SECOND,
    THREE_THIRD,
    LATE_SECOND, // the same of three, of which an edit left no first
    LATE_THIRD,
    FIRST, // of a frame of video
    SECOND,
    ALONE, // interlaced
    STATES
};

static const uint8_t next_state[STATES] = {
    TWO_SECOND, THREE_FIRST, THREE_SECOND, THREE_THIRD, TWO, LATE_THIRD, TWO, SECOND, FIRST, ALONE};

enum { TOP_FIRST = 1, MARKED = 2, REPEATS = 4, CUT_BEFORE = 8 };

// Of a field: sums of each block.
struct ksr_cadence {
    int width, height, columns, rows;
    size_t count, capacity;
    uint8_t *flags;        // of frames
    uint8_t *join, *apart; // of fields, in points
    uint8_t *luma[2];      // of the last frames, by number
    int *change[2][2];     // of a frame, by number, and its first and second field: from the last
    int *comb;             // of the fields of the last frame
    int *between;          // scratch
};

void ksr_cadence_destroy(ksr_cadence **cadence)
{
    ksr_cadence *c = cadence ? *cadence : NULL;
    if (!c)
        return;
    for (int i = 0; i < 2; i++) {
        free(c->luma[i]);
        free(c->change[i][0]);
        free(c->change[i][1]);
    }
    free(c->flags);
    free(c->join);
    free(c->apart);
    free(c->comb);
    free(c->between);
    free(c);
    *cadence = NULL;
}

ksr_cadence *ksr_cadence_create(int width, int height, size_t frames)
{
    ksr_cadence *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    *c = (ksr_cadence){.width = width,
                       .height = height,
                       .columns = (width + BLOCK - 1) / BLOCK,
                       .rows = (height + BLOCK - 1) / BLOCK,
                       .capacity = frames};
    const size_t blocks = (size_t)c->columns * (size_t)c->rows;
    bool made = true;
    for (int i = 0; i < 2; i++) {
        made = (c->luma[i] = calloc((size_t)width, (size_t)height)) && made;
        for (int f = 0; f < 2; f++)
            made = (c->change[i][f] = calloc(blocks, sizeof(int))) && made;
    }
    made = (c->comb = calloc(blocks, sizeof(int))) && made;
    made = (c->between = calloc(blocks, sizeof(int))) && made;
    made = (c->flags = calloc(frames + 1, 1)) && made;
    made = (c->join = calloc(frames + 1, 2)) && made;
    made = (c->apart = calloc(frames + 1, 2)) && made;
    if (!made)
        ksr_cadence_destroy(&c);
    return c;
}

// --- Measuring ---

static int block_count(const ksr_cadence *c)
{
    return c->columns * c->rows;
}

// What a field (0: the upper rows) of two frames differs by.
static void measure_change(const ksr_cadence *c, const uint8_t *a, const uint8_t *b, int field,
                           int *out)
{
    memset(out, 0, (size_t)block_count(c) * sizeof(*out));
    const ptrdiff_t w = c->width;
    for (int y = field; y + 2 < c->height; y += 4) {
        int *line = out + y / BLOCK * c->columns;
        const uint8_t *p = a + y * w, *q = b + y * w;
        for (int x = 0; x + CELL <= c->width; x += CELL) {
            int sum = 0;
            for (int i = x; i < x + CELL; i++)
                sum += p[i] - q[i] + p[i + 2 * w] - q[i + 2 * w];
            line[x / BLOCK] += abs(sum);
        }
    }
}

// By how much a sample stands out of both others to one side.
static int stands_out(int a, int b, int c)
{
    const int over = b - a < b - c ? b - a : b - c, under = a - b < c - b ? a - b : c - b;
    return over > 0 ? over : under > 0 ? under : 0;
}

// How much a frame of the upper rows of one and the lower rows of another combs.
static void measure_comb(const ksr_cadence *c, const uint8_t *top, const uint8_t *bottom, int *out)
{
    memset(out, 0, (size_t)block_count(c) * sizeof(*out));
    const ptrdiff_t w = c->width;
    for (int y = 2; y + 2 < c->height; y++) {
        int *line = out + y / BLOCK * c->columns;
        const uint8_t *own = (y % 2 ? bottom : top) + y * w,
                      *other = (y % 2 ? top : bottom) + y * w;
        for (int x = 0; x < c->width; x++) {
            const int woven = stands_out(other[x - w], own[x], other[x + w]);
            const int alone = stands_out(own[x - 2 * w], own[x], own[x + 2 * w]);
            line[x / BLOCK] += (woven > COMB ? woven - COMB : 0) - alone;
        }
    }
}

static uint8_t points(int64_t sum)
{
    return (uint8_t)(sum / SCALE < MOST ? sum / SCALE : MOST);
}

static uint8_t change_points(const ksr_cadence *c, const int *change)
{
    int64_t sum = 0;
    for (int i = 0; i < block_count(c); i++)
        sum += change[i] > MOVE_LEAST ? change[i] - MOVE_LEAST : 0;
    return points(sum);
}

// Combing counts where something moved from before the two fields to the second of them, and from
// the first to after them. NULL: there is nothing before.
static uint8_t comb_points(const ksr_cadence *c, const int *comb, const int *before,
                           const int *after)
{
    int64_t sum = 0;
    for (int i = 0; i < block_count(c); i++)
        if (comb[i] > COMB_LEAST && (!before || before[i] > MOVE_LEAST) && after[i] > MOVE_LEAST)
            sum += comb[i] - COMB_LEAST;
    return points(sum);
}

static bool is_cut(const ksr_cadence *c, const int *first, const int *second)
{
    int moving = 0;
    for (int i = 0; i < block_count(c); i++)
        moving += first[i] > MOVE_LEAST && second[i] > MOVE_LEAST;
    return moving * CUT_PART > block_count(c);
}

bool ksr_cadence_luma(const AVFrame *frame, int width, int height, uint8_t *out)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);
    const uint64_t hidden = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                            AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT;
    if (!d || d->flags & hidden || frame->width != width || frame->height != height)
        return false;
    const AVComponentDescriptor c = d->comp[d->flags & AV_PIX_FMT_FLAG_RGB ? 1 : 0];
    const int wide = c.depth > 8;
    // Of two bytes the one that holds the upper bits is read, where they lie in one; else both.
    const int high = d->flags & AV_PIX_FMT_FLAG_BE ? 0 : 1;
    for (int y = 0; y < height; y++, out += width) {
        const uint8_t *in =
            frame->data[c.plane] + (ptrdiff_t)y * frame->linesize[c.plane] + c.offset;
        for (int x = 0; x < width; x++, in += c.step)
            out[x] = wide ? (uint8_t)((in[high] << 8 | in[!high]) >> c.shift >> (c.depth - 8))
                          : (uint8_t)(in[0] >> c.shift);
    }
    return true;
}

bool ksr_cadence_add(ksr_cadence *c, const AVFrame *frame, bool top_first)
{
    const size_t n = c->count;
    int flags = (top_first ? TOP_FIRST : 0) | (ksr_av_frame_interlaced(frame) ? MARKED : 0) |
                (ksr_av_frame_repeats_field(frame) ? REPEATS : 0);
    if (n == c->capacity)
        return true;
    if (!ksr_cadence_luma(frame, c->width, c->height, c->luma[n % 2]))
        return false;
    uint8_t *now = c->luma[n % 2];
    const uint8_t *last = c->luma[1 - n % 2];
    int *const *change = c->change[n % 2], *const *before = c->change[1 - n % 2];
    const int first = flags & TOP_FIRST ? 0 : 1;
    if (n > 0 && (c->flags[n - 1] ^ flags) & TOP_FIRST) { // the same rows twice in a row
        c->join[2 * n - 1] = c->apart[2 * n - 1] = c->apart[2 * n - 2] = MOST;
        c->join[2 * n - 2] = comb_points(c, c->comb, n > 1 ? before[1] : NULL, before[0]);
        memcpy(change[0], before[0], (size_t)block_count(c) * sizeof(int));
        memcpy(change[1], before[1], (size_t)block_count(c) * sizeof(int));
    } else if (n > 0) {
        measure_change(c, last, now, first, change[0]);
        measure_change(c, last, now, 1 - first, change[1]);
        c->apart[2 * n - 2] = change_points(c, change[0]);
        c->apart[2 * n - 1] = change_points(c, change[1]);
        c->join[2 * n - 2] = comb_points(c, c->comb, n > 1 ? before[1] : NULL, change[0]);
        measure_comb(c, first ? last : now, first ? now : last, c->between);
        c->join[2 * n - 1] = comb_points(c, c->between, change[0], change[1]);
        if (is_cut(c, change[0], change[1]))
            flags |= CUT_BEFORE;
    }
    measure_comb(c, now, now, c->comb);
    c->flags[n] = (uint8_t)flags;
    c->count++;
    return true;
}

// The last frame has nothing after it.
static void finish(ksr_cadence *c)
{
    const size_t n = c->count;
    if (n > 1)
        c->join[2 * n - 2] =
            comb_points(c, c->comb, c->change[(n - 1) % 2][1], c->change[(n - 1) % 2][1]);
}

// --- The cheapest path ---

struct path {
    int64_t cost[STATES];    // of the cheapest path to each state of a field
    uint8_t (*from)[STATES]; // of each field: the state of the one before
};

static bool begins(int state)
{
    return state == TWO || state == THREE_FIRST || state == FIRST || state == ALONE;
}

// What it costs that a field goes on with the moment of the one before.
static int joined(const ksr_cadence *c, size_t field, int state)
{
    if (begins(state))
        return 0;
    return c->join[field - 1] + (state == THREE_THIRD ? c->apart[field - 2] : 0);
}

// A kind or a cadence may begin anywhere, but frames of video have their two fields.
static bool may_begin(size_t field, int state)
{
    return state != THREE_SECOND && state != THREE_THIRD && (state != FIRST || field % 2 == 0) &&
           (state != SECOND || field % 2 == 1);
}

// Of two ways that cost the same, that without a lost field is right.
static int is_late(int state)
{
    return state == LATE_SECOND || state == LATE_THIRD;
}

static void step(const ksr_cadence *c, struct path *p, size_t field, size_t start)
{
    int64_t cost[STATES];
    int best = 0;
    for (int s = 1; s < STATES; s++)
        if (p->cost[s] < p->cost[best])
            best = s;
    const bool cut = field % 2 == 0 && c->flags[field / 2] & CUT_BEFORE;
    for (int s = 0; s < STATES; s++) {
        const int64_t anew = field == start ? 0 : p->cost[best] + (cut ? CUT : CHANGE);
        cost[s] = may_begin(field, s) ? anew + is_late(s) : NEVER;
        p->from[field][s] = (uint8_t)best;
    }
    for (int r = 0; field > start && r < STATES; r++) {
        const int s = next_state[r];
        if (p->cost[r] >= NEVER) // there may be no field that it went on from
            continue;
        const int64_t on = p->cost[r] + joined(c, field, s);
        if (on <= cost[s]) {
            cost[s] = on;
            p->from[field][s] = (uint8_t)(r + STATES); // the cadence goes on
        }
    }
    cost[ALONE] += SINGLE;
    memcpy(p->cost, cost, sizeof(cost));
}

static int kind_of(int state)
{
    return state < FIRST   ? KSR_CADENCE_FILM
           : state < ALONE ? KSR_CADENCE_VIDEO
                           : KSR_CADENCE_INTERLACED;
}

// Fields that do not belong together, whatever the path says.
static bool must_part(const ksr_cadence *c, size_t field, size_t first)
{
    return c->join[field - 1] > VISIBLE || (field - first == 2 && c->apart[first] > VISIBLE);
}

static void put(struct ksr_moment *moments, size_t *count, size_t first, size_t fields, int kind)
{
    moments[(*count)++] = (struct ksr_moment){first, (uint8_t)fields, (uint8_t)kind};
}

// The moments of fields that no flags tell of.
static void solve_run(const ksr_cadence *c, struct path *p, size_t start, size_t end,
                      struct ksr_moment *moments, size_t *count)
{
    for (size_t i = start; i < end; i++)
        step(c, p, i, start);
    int state = 0;
    for (int s = 1; s < STATES; s++)
        if (p->cost[s] < p->cost[state])
            state = s;
    // From now on `from[i][0]` is the state of field i, with STATES added where it begins a moment.
    for (size_t i = end; i-- > start;) {
        const uint8_t from = p->from[i][state];
        const bool new = i == start || from < STATES || begins(state);
        p->from[i][0] = (uint8_t)(state + (new ? STATES : 0));
        state = from % STATES;
    }
    size_t first = start;
    for (size_t i = start + 1; i <= end; i++)
        if (i == end || p->from[i][0] >= STATES || must_part(c, i, first)) {
            put(moments, count, first, i - first, kind_of(p->from[first][0] % STATES));
            first = i;
        }
}

static bool is_whole(const ksr_cadence *c, size_t n)
{
    const bool before = n > 0 && c->flags[n - 1] & REPEATS;
    const bool after = n + 1 < c->count && c->flags[n + 1] & REPEATS;
    return !(c->flags[n] & MARKED) && (c->flags[n] & REPEATS || before || after);
}

bool ksr_cadence_solve(ksr_cadence *c, struct ksr_moment **moments, size_t *count)
{
    struct path p = {.from = calloc(2 * c->count + 1, sizeof(p.from[0]))};
    struct ksr_moment *found = calloc(2 * c->count + 1, sizeof(*found));
    *count = 0;
    *moments = found;
    if (!p.from || !found) {
        free(p.from);
        free(found);
        *moments = NULL;
        return false;
    }
    finish(c);
    for (size_t n = 0, next; n < c->count; n = next) {
        next = n + 1;
        if (is_whole(c, n)) {
            put(found, count, 2 * n, 2, KSR_CADENCE_FILM);
            continue;
        }
        while (next < c->count && !is_whole(c, next))
            next++;
        solve_run(c, &p, 2 * n, 2 * next, found, count);
    }
    free(p.from);
    return true;
}
