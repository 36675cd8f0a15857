// Anti-aliasing, plain C: the definition. See antialias.h.
//
// What is asked of every sample is computed in 16 bits and without branches, so that SIMD code
// holds many samples at once. Stairs are rare: what is done about them goes sample by sample.

#include "stages/antialias.h"

#include <stdbool.h>

#include "frame/tile.h"

#define REACH     KSR_ANTIALIAS_REACH // samples to the end of a run, and one
#define PAD       32 // samples on either side of a tile: REACH, lines around, and more
#define ALL       (KSR_TILE + 2 * PAD)
#define LINES     6          // around a border: three on either side
#define CHUNK     32         // rows done at once
#define STEP_MIN  (16 * 128) // 16 codes of 8 bits
#define LIMIT_MIN (2 * 128)  // 2 codes of 8 bits

// What is known of the way from a sample to the end of its run, on one side: the samples between,
// and, of runs that end within REACH, what the end is like.
enum {
    DISTANCE = 31, // bits: REACH where the run goes on that far
    ENDED = 32,
    UP = 64,     // the border goes on above
    DOWN = 128,  // or below
    TWO = 256,   // by two lines
    CLEAR = 512, // within 1/16 of the step
    STAIR = UP | DOWN,
};

struct ksr_antialias_params ksr_antialias_params_make(const struct ksr_pipeline_config *config)
{
    return (struct ksr_antialias_params){.strength = (int)(config->antialias * 256 + 0.5)};
}

static inline int16_t gap(int16_t a, int16_t b)
{
    return (int16_t)(a < b ? b - a : a - b);
}

static inline int16_t most(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

static inline int16_t least(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

// What counts as equal beside a step.
static inline int16_t limit_of(int16_t step)
{
    return most((int16_t)(3 * (step >> 2) >> 2), LIMIT_MIN);
}

// How far samples are from a stair of one line, behind which the border goes on between q0 and q1.
// a1 a0 | b0 b1: across the border, before the stair; p1 p0 | q0 q1: behind it.
// A line that is one sample thick is at a0 and then at q0, and what lies at a1 closes up behind it.
// It is darker than both sides, or lighter: the soft sample of an edge is not.
static inline int16_t misfit_one(int16_t a1, int16_t a0, int16_t b0, int16_t b1, int16_t p1,
                                 int16_t p0, int16_t q0, int16_t q1)
{
    const int16_t line = (a0 < a1) == (a0 < b0) ? 0 : KSR_SAMPLE_MAX;
    const int16_t thin = most(most(gap(p0, a1), gap(p1, a1)), most(gap(b1, b0), line));
    return most(most(gap(q0, a0), gap(q1, b0)), least(gap(p0, a0), thin));
}

// The same of two lines, which are doubled ones; it goes on between q1 and q2.
static inline int16_t misfit_two(int16_t a2, int16_t a1, int16_t a0, int16_t b0, int16_t b1,
                                 int16_t b2, int16_t p2, int16_t p1, int16_t p0, int16_t q0,
                                 int16_t q1, int16_t q2)
{
    const int16_t line = (a0 < a2) == (a0 < b0) ? 0 : KSR_SAMPLE_MAX;
    const int16_t thin =
        most(most(gap(p0, a2), gap(p1, a2)), most(most(gap(p2, a2), gap(b2, b0)), line));
    const int16_t doubled = most(gap(a1, a0), gap(b1, b0));
    return most(most(most(gap(q0, a0), gap(q1, a0)), most(gap(q2, b0), doubled)),
                least(gap(p0, a0), thin));
}

// Returns what the end of a run is like: here is the last sample of it, the border lies between
// lines 2 and 3.
static int16_t find_end(const int16_t here[LINES], const int16_t beyond[LINES])
{
    const int16_t a2 = here[0], a1 = here[1], a0 = here[2], b0 = here[3], b1 = here[4],
                  b2 = here[5];
    const int16_t p2 = beyond[0], p1 = beyond[1], p0 = beyond[2], q0 = beyond[3], q1 = beyond[4],
                  q2 = beyond[5];
    const int16_t step = gap(a0, b0), limit = limit_of(step);
    const int16_t down_one = misfit_one(a1, a0, b0, b1, p1, p0, q0, q1);
    const int16_t down_two = misfit_two(a2, a1, a0, b0, b1, b2, p2, p1, p0, q0, q1, q2);
    const int16_t up_one = misfit_one(b1, b0, a0, a1, q1, q0, p0, p1);
    const int16_t up_two = misfit_two(b2, b1, b0, a0, a1, a2, q2, q1, q0, p0, p1, p2);
    const int16_t one = least(down_one, up_one), two = least(down_two, up_two);
    const int16_t misfit = least(one, two);
    if (misfit > limit)
        return ENDED;
    return (int16_t)(ENDED | (least(down_one, down_two) == misfit ? DOWN : UP) |
                     (two == misfit ? TWO : 0) |
                     (misfit <= most(step >> 4, LIMIT_MIN) ? CLEAR : 0));
}

// Sets ways[i] to 1 where a run goes on from the sample here to the one beyond, else to what its
// end is like. The border lies between lines 2 and 3 of both. Returns false if there is no stair.
static bool find_ways(int16_t *restrict ways, const int16_t *const here[LINES],
                      const int16_t *const beyond[LINES], int count)
{
    const int16_t *const a = here[2], *const b = here[3], *const p = beyond[2],
                         *const p1 = beyond[1], *const p2 = beyond[0], *const q = beyond[3],
                         *const q1 = beyond[4], *const q2 = beyond[5];
    int16_t any = 0;
    for (int i = 0; i < count; i++) {
        const int16_t step = gap(a[i], b[i]), lesser = least(step, gap(p[i], q[i]));
        const int on =
            (lesser >= STEP_MIN) & (most(gap(a[i], p[i]), gap(b[i], q[i])) <= limit_of(lesser));
        // A colour that goes on at the other side, and behind it the other colour.
        const int16_t down = most(gap(q[i], a[i]), least(gap(q1[i], b[i]), gap(q2[i], b[i])));
        const int16_t up = most(gap(p[i], b[i]), least(gap(p1[i], a[i]), gap(p2[i], a[i])));
        const int end = (step >= STEP_MIN) & (least(down, up) <= limit_of(step));
        ways[i] = (int16_t)(on ? 1 : end ? STAIR : ENDED);
        any |= ways[i];
    }
    for (int i = 0; i < count && any & STAIR; i++)
        if (ways[i] == STAIR) {
            int16_t from[LINES], to[LINES];
            for (int k = 0; k < LINES; k++) {
                from[k] = here[k][i];
                to[k] = beyond[k][i];
            }
            ways[i] = find_end(from, to);
        }
    return any & STAIR;
}

// Follows the ways of a row to the ends of the runs, to the left or to the right by `side`. ways[0]
// and ways[width - 1] are not set; afterwards, neither are REACH on either side.
static void follow_row(int16_t ways[ALL], int side, int width)
{
    int16_t spare[ALL], *from = ways, *to = spare;
    for (int k = 1; k < REACH; k *= 2) {
        for (int i = 2 * k; i < width - 2 * k; i++) {
            const int16_t further = (int16_t)(from[i + side * k] + k);
            to[i] = from[i] == k ? further : from[i];
        }
        int16_t *const done = to;
        to = from;
        from = done;
    }
}

// Follows the ways of a row to the ends of the runs, up or down: next are those of the row beyond,
// followed.
static void follow_column(int16_t *restrict ways, const int16_t *restrict next, int count)
{
    for (int i = 0; i < count; i++) {
        const int16_t further = (int16_t)((next[i] & DISTANCE) >= REACH - 1 ? REACH : next[i] + 1);
        ways[i] = ways[i] == 1 ? further : ways[i];
    }
}

// Returns by how many lines the border goes up at the end of a run; below 0: down.
static int rise_of(int way)
{
    const int lines = way & TWO ? 2 : 1;
    return way & UP ? lines : way & DOWN ? -lines : 0;
}

// Returns whether a run is the stair of a line.
static bool counts(int back, int forth, int length)
{
    const int a = rise_of(back), b = rise_of(forth);
    const int size_a = ksr_max(a, -a), size_b = ksr_max(b, -b), stair = ksr_max(size_a, size_b);
    if (a * b < 0)
        return size_a + size_b <= 2 * length && (length > stair || back & forth & CLEAR);
    if (a * b > 0)
        return length >= 5 * stair;
    return length >= 2 * stair && (back | forth) & CLEAR;
}

// Returns step * part / whole, rounded alike in both directions.
static int part_of(int step, int part, int whole)
{
    const int size = (ksr_max(step, -step) * part + whole / 2) / whole;
    return step < 0 ? -size : size;
}

// Adds what one sample of a border changes above and below it. step: from a to b.
static void add_stair(int *a, int *b, int back, int forth, int step, int strength)
{
    const int before = back & DISTANCE, behind = forth & DISTANCE, length = before + behind + 1;
    if (!counts(back, forth, length))
        return;
    const int rise = rise_of(before < behind ? back : forth);
    if (before == behind && rise_of(back) * rise < 0) {
        const int rises = ksr_max(rise, -rise) + ksr_max(rise_of(back), -rise_of(back));
        const int both = part_of(step, rises * strength, 16 * length * 256);
        *a += both;
        *b -= both;
    } else if (rise > 0) {
        *a += part_of(step, rise * ksr_max(before - behind, behind - before) * strength,
                      2 * length * 256);
    } else {
        *b -= part_of(step, -rise * ksr_max(before - behind, behind - before) * strength,
                      2 * length * 256);
    }
}

// Adds what the samples of a border between a and b change.
static void add_stairs(int *change_a, int *change_b, const int16_t *back, const int16_t *forth,
                       const int16_t *a, const int16_t *b, int count, int strength)
{
    int16_t any = 0;
    for (int i = 0; i < count; i++)
        any |= back[i] | forth[i];
    for (int i = 0; i < count && any & STAIR; i++)
        if ((back[i] | forth[i]) & STAIR)
            add_stair(&change_a[i], &change_b[i], back[i], forth[i], b[i] - a[i], strength);
}

// Rows y0 - REACH .. of a tile; the first of `width` samples is PAD before the tile.
struct tile {
    const int16_t *row[CHUNK + 2 * REACH];
    int width;
};

// Sets the ways of columns' borders at the tile's samples and the one before, from row r of the
// tile to the row beyond, `side` below it.
static void find_columns(int16_t *ways, const struct tile *t, int r, int side)
{
    const int16_t *here[LINES], *beyond[LINES];
    for (int k = 0; k < LINES; k++) {
        here[k] = t->row[r] + PAD - 1 + k - 2;
        beyond[k] = t->row[r + side] + PAD - 1 + k - 2;
    }
    find_ways(ways, here, beyond, t->width - 2 * PAD + 1);
}

// Sets the ways along the border below row r, one sample on. Returns false if there is no stair.
static bool find_row(int16_t ways[ALL], const struct tile *t, int r, int side)
{
    const int16_t *here[LINES], *beyond[LINES];
    for (int k = 0; k < LINES; k++) {
        here[k] = t->row[r - 2 + k] + 1;
        beyond[k] = here[k] + side;
    }
    return find_ways(ways + 1, here, beyond, t->width - 2);
}

// What is known of the borders between columns, at the tile's samples and the one before: of the
// rows from the first one on, how runs end below.
struct columns {
    int16_t down[CHUNK][KSR_TILE + 1];
    int16_t up[KSR_TILE + 1]; // of one row, how they end above
};

// Follows row r of the tile: from `next`, the row beyond.
static void next_columns(int16_t *ways, const int16_t *next, const struct tile *t, int r, int side)
{
    find_columns(ways, t, r, side);
    follow_column(ways, next, t->width - 2 * PAD + 1);
}

// Sets c->down of the tile's first `rows` rows.
static void look_down(struct columns *c, const struct tile *t, int rows)
{
    int16_t spare[2][KSR_TILE + 1];
    const int16_t *next = spare[0];
    for (int i = 0; i < KSR_TILE + 1; i++)
        spare[0][i] = REACH;
    for (int r = rows + REACH - 2; r >= 0; r--) {
        int16_t *const ways = r < rows ? c->down[r] : next == spare[0] ? spare[1] : spare[0];
        next_columns(ways, next, t, REACH + r, 1);
        next = ways;
    }
}

// Sets c->up of the tile's row r from that of the row above; at the first row from those further
// up.
static void look_up(struct columns *c, const struct tile *t, int r)
{
    int16_t above[KSR_TILE + 1];
    for (int i = 0; i < KSR_TILE + 1 && r == 0; i++)
        c->up[i] = REACH;
    for (int k = r == 0 ? 1 - REACH : r; k <= r; k++) {
        memcpy(above, c->up, sizeof(above));
        next_columns(c->up, above, t, REACH + k, -1);
    }
}

// What changes a row of a tile.
struct changes {
    int rows[KSR_TILE];        // by the borders above and below
    int below[KSR_TILE];       // the row below, by the border between
    int columns[KSR_TILE + 2]; // by those on the left and on the right, from the sample before on
};

// Sets what the border below row r of the tile changes.
static void find_rows_changes(struct changes *c, const struct tile *t, int r, int strength)
{
    int16_t left[ALL], right[ALL];
    const bool on_left = find_row(left, t, r, -1), on_right = find_row(right, t, r, 1);
    memcpy(c->rows, c->below, sizeof(c->rows));
    memset(c->below, 0, sizeof(c->below));
    if (!on_left && !on_right)
        return;
    follow_row(left, -1, t->width);
    follow_row(right, 1, t->width);
    add_stairs(c->rows, c->below, left + PAD, right + PAD, t->row[r] + PAD, t->row[r + 1] + PAD,
               t->width - 2 * PAD, strength);
}

static void apply(uint16_t *dst, const int16_t *src, const struct changes *c, int count)
{
    for (int i = 0; i < count; i++) {
        const int rows = c->rows[i], columns = c->columns[i + 1];
        const bool more = ksr_max(columns, -columns) > ksr_max(rows, -rows);
        const int change = more ? columns : rows;
        dst[i] = (uint16_t)ksr_clamp(src[i] + change, 0, KSR_SAMPLE_MAX);
    }
}

// Fills `rows` rows of a tile, at dst.
static void do_tile(uint16_t *dst, ptrdiff_t stride, const struct tile *t, int rows, int strength)
{
    const int count = t->width - 2 * PAD;
    struct columns columns;
    struct changes c = {.below = {0}};
    look_down(&columns, t, rows);
    find_rows_changes(&c, t, REACH - 1, strength);
    for (int r = 0; r < rows; r++) {
        const int16_t *src = t->row[REACH + r] + PAD;
        look_up(&columns, t, r);
        find_rows_changes(&c, t, REACH + r, strength);
        memset(c.columns, 0, sizeof(c.columns));
        add_stairs(c.columns, c.columns + 1, columns.up, columns.down[r], src - 1, src, count + 1,
                   strength);
        apply(dst + r * stride, src, &c, count);
    }
}

void ksr_antialias_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_antialias_params *params, int y0, int y1)
{
    uint16_t spare[CHUNK + 2 * REACH][ALL];
    struct tile t;
    for (int y = y0; y < y1; y += CHUNK) {
        const int rows = ksr_min(CHUNK, y1 - y);
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            const bool inside = x0 >= PAD && x0 + KSR_TILE + PAD <= src->width;
            t.width = ksr_min(KSR_TILE, src->width - x0) + 2 * PAD;
            for (int r = 0; r < rows + 2 * REACH; r++) {
                if (!inside)
                    ksr_tile_fill(spare[r], src, x0 - PAD, t.width, y - REACH + r);
                t.row[r] =
                    (const int16_t *)(inside ? ksr_row(src, y - REACH + r) + x0 - PAD : spare[r]);
            }
            do_tile(dst->data + y * dst->stride + x0, dst->stride, &t, rows, params->strength);
        }
    }
}
