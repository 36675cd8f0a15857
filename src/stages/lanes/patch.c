// Steps 2 to 5 of stage 3 for luma, at all SIMD levels; equal to the plain C ones in stages/patch.c.
//
// As many samples as a register has lanes go through each step at once, so that what one step hands
// to the next stays in registers or close by.

#include "stages/patch.h"

#include "core/attributes.h"
#include "stages/lanes/taps.h"
#include "stages/splits.h"

#define SIDE   KSR_PATCH_SIDE
#define MIDDLE KSR_PATCH_MIDDLE
#define BLOCK  KSR_BANK_BLOCK

// What is known of the samples of a block, for the filters and after them.
struct block {
    struct ksr_bank_patch patch;
    ksr_bank_lane class, low, high, out[4];
};

static inline lanes patch_lanes(const struct block *b, int r, int k, int i)
{
    return lanes_load(b->patch.of[r * SIDE + k] + i);
}

// --- Turn ---

// Where the flips and the transposition apply.
struct turn {
    lane_mask x, y, transpose;
};

static inline struct turn load_turn(const struct ksr_turn *turn, int x)
{
    return (struct turn){lanes_load_mask(turn->flip_x + x), lanes_load_mask(turn->flip_y + x),
                         lanes_load_mask(turn->transpose + x)};
}

static inline void swap(lanes *a, lanes *b, lane_mask mask)
{
    const lanes before = *a;
    *a = lanes_pick(mask, *a, *b);
    *b = lanes_pick(mask, *b, before);
}

// Flips a square of values: top left, top right, bottom left, bottom right.
static inline void flip_square(lanes v[4], const struct turn *t)
{
    swap(&v[0], &v[1], t->x);
    swap(&v[2], &v[3], t->x);
    swap(&v[0], &v[2], t->y);
    swap(&v[1], &v[3], t->y);
}

// Some samples' patch, from rows of samples to the block. What symmetries bring to each other's
// place is turned together: at most eight values, which registers hold. Rows and columns of the
// patch are counted from its middle here.
struct turning {
    struct turn turn;
    lanes middle;
    const uint16_t *row[SIDE]; // at the first of the samples
};

static inline lanes load_place(const struct turning *t, int r, int k)
{
    return lanes_sub(lanes_load(t->row[MIDDLE + r] + k), t->middle);
}

static inline void load_square(lanes v[4], const struct turning *t, int r, int k)
{
    for (int p = 0; p < 4; p++)
        v[p] = load_place(t, p & 2 ? r : -r, p & 1 ? k : -k);
}

// Turns the samples at a distance along both axes.
static inline void turn_corners(lanes v[4], const struct turning *t, int distance)
{
    load_square(v, t, distance, distance);
    flip_square(v, &t->turn);
    swap(&v[1], &v[2], t->turn.transpose);
}

// Turns the samples at a distance along one axis: left, right, above, below.
static inline void turn_sides(lanes v[4], const struct turning *t, int distance)
{
    v[0] = load_place(t, 0, -distance);
    v[1] = load_place(t, 0, distance);
    v[2] = load_place(t, -distance, 0);
    v[3] = load_place(t, distance, 0);
    swap(&v[0], &v[1], t->turn.x);
    swap(&v[2], &v[3], t->turn.y);
    swap(&v[0], &v[2], t->turn.transpose);
    swap(&v[1], &v[3], t->turn.transpose);
}

// Turns the samples at a knight's move.
static inline void turn_knights(lanes v[8], const struct turning *t)
{
    lanes *w = v + 4;
    load_square(v, t, 1, 2);
    load_square(w, t, 2, 1);
    flip_square(v, &t->turn);
    flip_square(w, &t->turn);
    swap(&v[0], &w[0], t->turn.transpose);
    swap(&v[1], &w[2], t->turn.transpose);
    swap(&v[2], &w[1], t->turn.transpose);
    swap(&v[3], &w[3], t->turn.transpose);
}

static inline void turn_patch(struct block *b, const uint16_t *const row[SIDE],
                              const struct ksr_turn *turn, int x, int i)
{
    struct turning t = {load_turn(turn, x), lanes_load(row[MIDDLE] + x), {0}};
    lanes v[8];
    for (int r = 0; r < SIDE; r++)
        t.row[r] = row[r] + x;
    turn_knights(v, &t);
    taps_store(&b->patch, 2, i, v, 0);
    turn_corners(v, &t, 1);
    turn_corners(v + 4, &t, 2);
    taps_store(&b->patch, 0, i, v, 4);
    turn_sides(v, &t, 1);
    turn_sides(v + 4, &t, 2);
    taps_store(&b->patch, 1, i, v, 6);
}

static inline void turn_back(lanes out[4], const struct turn *t)
{
    swap(&out[1], &out[2], t->transpose);
    flip_square(out, t);
}

// --- Ranges ---

struct range {
    lanes low, high;
};

static inline void widen(struct range *r, lanes v)
{
    r->low = lanes_min(r->low, v);
    r->high = lanes_max(r->high, v);
}

// The least and the greatest sample of three and of five rows, for every column of a tile.
struct extremes {
    int16_t low_3[KSR_TILE_ALL], high_3[KSR_TILE_ALL];
    int16_t low_5[KSR_TILE_ALL], high_5[KSR_TILE_ALL];
};

static void find_extremes(struct extremes *e, const uint16_t *const row[SIDE], int columns)
{
    for (int i = 0; i < columns; i += LANES) {
        const int x = ksr_min(i, KSR_TILE_ALL - LANES);
        const lanes middle = lanes_load(row[MIDDLE] + x);
        struct range r = {middle, middle};
        widen(&r, lanes_load(row[MIDDLE - 1] + x));
        widen(&r, lanes_load(row[MIDDLE + 1] + x));
        lanes_store(e->low_3 + x, r.low);
        lanes_store(e->high_3 + x, r.high);
        widen(&r, lanes_load(row[0] + x));
        widen(&r, lanes_load(row[SIDE - 1] + x));
        lanes_store(e->low_5 + x, r.low);
        lanes_store(e->high_5 + x, r.high);
    }
}

// Returns the range of the columns up to `reach` away from x on.
static inline struct range find_range(const int16_t *low, const int16_t *high, int x, int reach)
{
    struct range r = {lanes_load(low + x), lanes_load(high + x)};
    KSR_UNROLL(2)
    for (int k = 1; k <= reach; k++) {
        r.low = lanes_min(r.low, lanes_min(lanes_load(low + x - k), lanes_load(low + x + k)));
        r.high = lanes_max(r.high, lanes_max(lanes_load(high + x - k), lanes_load(high + x + k)));
    }
    return r;
}

static inline struct range less(struct range r, lanes middle)
{
    return (struct range){lanes_sub(r.low, middle), lanes_sub(r.high, middle)};
}

// Returns whether each of the samples from column x on equals the 3x3 around it. Then the limits
// leave nothing that could be added to it, whatever lies further away.
static inline int are_flat(const struct extremes *e, int x)
{
    const lanes value = lanes_set(e->low_3[x]);
    lanes other = lanes_set(0);
    for (int at = x - 1; at < x + 2; at += 2) {
        other = lanes_or(other, lanes_xor(lanes_load(e->low_3 + at), value));
        other = lanes_or(other, lanes_xor(lanes_load(e->high_3 + at), value));
    }
    return !lanes_any(other);
}

// --- Class ---

// Finds how far the result may go from the middle, and what splits have to know of ranges. Returns
// the range of 5x5.
static inline lanes find_limits(lanes feature[FEATURES], struct block *b, const struct extremes *e,
                                lanes middle, int x, int i)
{
    const lanes zero = lanes_set(0);
    const struct range inner = less(find_range(e->low_3, e->high_3, x, 1), middle);
    const struct range outer = less(find_range(e->low_5, e->high_5, x, 2), middle);
    // Opposite neighbours, in four directions.
    const lanes pair[4][2] = {{patch_lanes(b, 2, 1, i), patch_lanes(b, 2, 3, i)},
                              {patch_lanes(b, 1, 2, i), patch_lanes(b, 3, 2, i)},
                              {patch_lanes(b, 1, 1, i), patch_lanes(b, 3, 3, i)},
                              {patch_lanes(b, 1, 3, i), patch_lanes(b, 3, 1, i)}};
    lanes valley = zero, crest = zero;
    for (int k = 0; k < 4; k++) {
        valley = lanes_max(valley, lanes_min(pair[k][0], pair[k][1]));
        crest = lanes_min(crest, lanes_max(pair[k][0], pair[k][1]));
    }
    const lanes below = lanes_sub(zero, middle);
    const lanes above = lanes_add(lanes_set(KSR_SAMPLE_MAX), below);
    const lanes low = lanes_sub(inner.low, lanes_shift(valley, 1));
    const lanes high = lanes_add(inner.high, lanes_shift(lanes_sub(zero, crest), 1));
    lanes_store(b->low + i, lanes_max(low, below));
    lanes_store(b->high + i, lanes_min(high, above));
    feature[INNER_DEPTH] = lanes_min(lanes_sub(zero, inner.low), inner.high);
    feature[OUTER_DEPTH] = lanes_min(lanes_sub(zero, outer.low), outer.high);
    feature[INNER_RANGE] = lanes_sub(inner.high, inner.low);
    return lanes_sub(outer.high, outer.low);
}

static inline void find_features(lanes feature[FEATURES], const struct block *b, int i)
{
    const lane_mask falling = lanes_less(patch_lanes(b, 2, 3, i), patch_lanes(b, 2, 1, i));
#define SIGNED(r, k) lanes_negate(falling, patch_lanes(b, r, k, i))
    const lanes left = SIGNED(2, 1), right = SIGNED(2, 3), up = SIGNED(1, 2), down = SIGNED(3, 2);
    const lanes top_left = SIGNED(1, 1), top_right = SIGNED(1, 3), bottom_left = SIGNED(3, 1),
                bottom_right = SIGNED(3, 3);
    const lanes across = lanes_mean(left, right), along = lanes_mean(up, down);
    feature[LEFT] = lanes_sub(lanes_set(0), left);
    feature[RIGHT] = right;
    feature[FAR_RIGHT] = lanes_sub(SIGNED(2, 4), right);
    feature[FAR_LEFT] = lanes_sub(left, SIGNED(2, 0));
    feature[ACROSS] = across;
    feature[ALONG] = along;
    feature[ALONG_SIZE] = lanes_size(along);
    feature[LAPLACE] = lanes_size(lanes_mean(across, along));
    feature[SLOPE] = lanes_sub(right, left);
    feature[SLOPE_Y] = lanes_sub(down, up);
    feature[TOP_LEFT] = top_left;
    feature[TOP_RIGHT] = top_right;
    feature[BOTTOM_LEFT] = bottom_left;
    feature[BOTTOM_RIGHT] = bottom_right;
    feature[UP] = up;
    feature[DOWN] = down;
    feature[DIAGONAL] = lanes_size(lanes_mean(top_left, bottom_right));
    feature[DIAGONAL_2] = lanes_size(lanes_mean(top_right, bottom_left));
#undef SIGNED
}

// Backwards, so that to[] says where the samples of every class end: one choice per split.
static inline lanes classify(const lanes feature[FEATURES], lanes range)
{
    lanes to[KSR_BANK_CLASSES];
    KSR_UNROLL(32)
    for (int c = 0; c < KSR_BANK_CLASSES; c++)
        to[c] = lanes_set(c);
    KSR_UNROLL(32)
    for (int k = SPLITS - 1; k >= 0; k--) {
        const struct split s = splits[k];
        const lanes share = lanes_scale(lanes_set(s.threshold), range);
        to[s.from] = lanes_pick(lanes_less(feature[s.feature], share), to[s.to], to[s.from]);
    }
    return to[0];
}

static inline void classify_lanes(struct block *b, const uint16_t *const row[SIDE],
                                  const struct extremes *e, const struct ksr_turn *turn, int x,
                                  int i)
{
    lanes feature[FEATURES];
    turn_patch(b, row, turn, x, i);
    const lanes middle = lanes_load(row[MIDDLE] + x);
    const lanes range = find_limits(feature, b, e, middle, KSR_TILE_PAD + x, i);
    find_features(feature, b, i);
    lanes_store(b->class + i, classify(feature, range));
}

// --- Limit ---

// Limits v to low .. high widened by 3/16 of their distance.
static inline lanes limited(lanes v, struct range r)
{
    const lanes distance = lanes_sub(r.high, r.low);
    const lanes margin = lanes_add(lanes_shift(distance, 3), lanes_shift(distance, 4));
    return lanes_max(lanes_sub_limited(r.low, margin),
                     lanes_min(v, lanes_add_limited(r.high, margin)));
}

// Limits the outputs of some samples as stages/patch.c does, turns them back and stores them.
static inline void finish_lanes(uint16_t *const out[2], struct block *b, const uint16_t *middle,
                                const struct ksr_turn *turn, int x, int i)
{
    lanes v[4], w[4];
    for (int k = 0; k < 4; k++)
        v[k] = lanes_max(lanes_load(b->low + i),
                         lanes_min(lanes_load(b->out[k] + i), lanes_load(b->high + i)));
    const struct range rows[2] = {{lanes_min(v[0], v[1]), lanes_max(v[0], v[1])},
                                  {lanes_min(v[2], v[3]), lanes_max(v[2], v[3])}};
    for (int k = 0; k < 4; k++) {
        const int y = k & 2, x_2 = 2 * (k & 1);
        struct range around = rows[1 - y / 2];
        widen(&around, v[k ^ 1]);
        widen(&around, patch_lanes(b, 2, 1 + x_2, i));
        widen(&around, patch_lanes(b, 1 + y, 2, i));
        widen(&around, patch_lanes(b, 1 + y, 1 + x_2, i));
        w[k] = limited(v[k], around);
    }
    const struct turn t = load_turn(turn, x);
    turn_back(w, &t);
    const lanes c = lanes_load(middle + x);
    for (int k = 0; k < 2; k++)
        lanes_store_interleaved(out[k] + 2 * x, lanes_add(c, w[2 * k]), lanes_add(c, w[2 * k + 1]));
}

// Writes each sample four times.
static inline void store_flat(uint16_t *const out[2], const uint16_t *middle, int x)
{
    const lanes v = lanes_load(middle + x);
    lanes_store_interleaved(out[0] + 2 * x, v, v);
    lanes_store_interleaved(out[1] + 2 * x, v, v);
}

// Some samples of a row at a time are flat or go into a block; a block need not be in one piece.
void ksr_patch_upscale(uint16_t *const out[2], const uint16_t *const first[SIDE],
                       const struct ksr_turn *turn, const struct ksr_bank_order *bank, int count)
{
    struct block b;
    struct extremes extremes;
    const uint16_t *row[SIDE];
    int at[BLOCK / LANES], filled = 0;
    for (int r = 0; r < SIDE; r++)
        row[r] = first[r] + KSR_TILE_PAD;
    find_extremes(&extremes, first, ksr_min(KSR_TILE_ALL, count + BLOCK + 2 * KSR_TILE_PAD));
    for (int x = 0; x < count || filled > 0; x += LANES) {
        if (x < count && are_flat(&extremes, KSR_TILE_PAD + x)) {
            store_flat(out, row[MIDDLE], x);
            continue;
        }
        // Behind the last samples, what is missing in the block repeats them.
        at[filled] = x < count ? x : at[filled - 1];
        classify_lanes(&b, row, &extremes, turn, at[filled], filled * LANES);
        if (++filled < BLOCK / LANES)
            continue;
        ksr_bank_apply(b.out, bank, &b.patch, b.class);
        for (int k = 0; k < filled; k++)
            finish_lanes(out, &b, row[MIDDLE], turn, at[k], k * LANES);
        filled = 0;
    }
}
