// Step 1 of stage 3 for luma, AVX2 and AVX-512; equal to the plain C one in stages/turn.c.
//
// A multiplication of 16-bit lanes adds neighbouring products, which the sums want anyway: of every
// quantity, the first half of its array has the sums of columns 2m and 2m + 1, the second half
// those of column 2m alone. Nine columns are four pairs and one more.

#include "stages/turn.h"

#include "core/x86/lanes.h"

#define SLOTS (KSR_TURN_ROWS + 1)
#define PAIRS (KSR_TURN_COLUMNS / 2)
#define FIRST (KSR_TILE_PAD - KSR_TURN_RADIUS)            // of the columns that sums need
#define END   (KSR_TILE_PAD + KSR_TILE + KSR_TURN_RADIUS) // behind the last

_Static_assert(KSR_TURN_COLUMNS % 32 == 0 && FIRST % 2 == 0, "columns come in pairs and registers");

static inline lanes reduced(const uint16_t *from)
{
    return LANES_OF(srli_epi16)(lanes_add(lanes_load(from), lanes_set(8)), 4);
}

static inline void find_gradients(int16_t *gx, int16_t *gy, const uint16_t *const row[3], int i)
{
    lanes_store(gx + i, lanes_sub(reduced(row[1] + i + 1), reduced(row[1] + i - 1)));
    lanes_store(gy + i, lanes_sub(reduced(row[2] + i), reduced(row[0] + i)));
}

struct products {
    lanes tilt, cross, energy;
};

static inline struct products multiply(lanes x, lanes y, lanes with_x, lanes with_y)
{
    const lanes xx = LANES_OF(madd_epi16)(x, with_x), yy = LANES_OF(madd_epi16)(y, with_y);
    return (struct products){lanes_sub_32(xx, yy), LANES_OF(madd_epi16)(x, with_y),
                             lanes_add_32(xx, yy)};
}

static inline void add_to(int32_t *sum, lanes in, lanes out)
{
    lanes_store(sum, lanes_add_32(lanes_load(sum), lanes_sub_32(in, out)));
}

// What comes in and what leaves, for the pairs from i on.
static inline void add_products(struct ksr_columns *c, struct products in, struct products out,
                                int i)
{
    const lanes both = LANES_OF(slli_epi32)(lanes_add_32(in.energy, out.energy), 2);
    const lanes down = lanes_sub_32(lanes_load(c->energy + i), out.energy);
    add_to(c->moment + i, both, down);
    add_to(c->energy + i, in.energy, out.energy);
    add_to(c->tilt + i, in.tilt, out.tilt);
    add_to(c->cross + i, in.cross, out.cross);
}

_Static_assert(KSR_TURN_RADIUS == 4, "a shift by 2 multiplies by the radius");

void ksr_columns_add(struct ksr_columns *c, const uint16_t *const row[3])
{
    const lanes even = LANES_OF(set1_epi32)(0xFFFF);
    const int in = (c->last + 1) % SLOTS, out = (in + 1) % SLOTS;
    for (int i = FIRST; i < END - LANES; i += LANES)
        find_gradients(c->x[in], c->y[in], row, i);
    find_gradients(c->x[in], c->y[in], row, END - LANES); // overlaps the one before
    for (int i = 0; i < KSR_TURN_COLUMNS; i += LANES) {
        const lanes in_x = lanes_load(c->x[in] + i), in_y = lanes_load(c->y[in] + i);
        const lanes out_x = lanes_load(c->x[out] + i), out_y = lanes_load(c->y[out] + i);
        add_products(c, multiply(in_x, in_y, in_x, in_y), multiply(out_x, out_y, out_x, out_y),
                     i / 2);
        add_products(c, multiply(in_x, in_y, lanes_and(in_x, even), lanes_and(in_y, even)),
                     multiply(out_x, out_y, lanes_and(out_x, even), lanes_and(out_y, even)),
                     PAIRS + i / 2);
    }
    c->last = in;
}

// The same for even and for odd columns, in 32 bits.
struct by_parity {
    lanes even, odd;
};

static inline lanes pairs(const int32_t *sum, int m)
{
    return lanes_load(sum + m);
}

static inline lanes evens(const int32_t *sum, int m)
{
    return lanes_load(sum + PAIRS + m);
}

// Sums nine columns around columns 2m and 2m + 1.
static inline struct by_parity sum_around(const int32_t *sum, int m)
{
    const lanes four = lanes_add_32(lanes_add_32(pairs(sum, m - 2), pairs(sum, m - 1)),
                                    lanes_add_32(pairs(sum, m), pairs(sum, m + 1)));
    return (struct by_parity){
        lanes_add_32(four, evens(sum, m + 2)),
        lanes_add_32(four, lanes_sub_32(pairs(sum, m + 2), evens(sum, m - 2))),
    };
}

// Sums nine columns, each times its distance from the middle one. With p for pairs and e for even
// columns:
//     2m      p[m] - p[m-1] + 3 (p[m+1] - p[m-2]) + 4 e[m+2] - e[m-2] - (e[m-1] + e[m] + e[m+1])
//     2m + 1  2 (p[m+1] - p[m-1]) + 4 (p[m+2] - p[m-2] + e[m-2]) - e[m+2] - the same
static inline struct by_parity sum_distances(const int32_t *sum, int m)
{
    const lanes e1 = evens(sum, m - 2), e2 = evens(sum, m + 2);
    const lanes three =
        lanes_add_32(lanes_add_32(evens(sum, m - 1), evens(sum, m)), evens(sum, m + 1));
    const lanes p1 = pairs(sum, m - 2), p2 = pairs(sum, m - 1), p4 = pairs(sum, m + 1);
    const lanes wide = lanes_sub_32(p4, p1), near = lanes_sub_32(p4, p2);
    const lanes wide_3 = lanes_add_32(wide, lanes_add_32(wide, wide));
    const lanes far = lanes_add_32(lanes_sub_32(pairs(sum, m + 2), p1), e1);
    return (struct by_parity){
        lanes_sub_32(lanes_add_32(lanes_add_32(lanes_sub_32(pairs(sum, m), p2), wide_3),
                                  LANES_OF(slli_epi32)(e2, 2)),
                     lanes_add_32(three, e1)),
        lanes_sub_32(lanes_add_32(lanes_add_32(near, near), LANES_OF(slli_epi32)(far, 2)),
                     lanes_add_32(three, e2)),
    };
}

// Returns 16-bit lanes with the signs of all columns.
static inline lanes signs(struct by_parity v)
{
    return lanes_alternate(LANES_OF(srli_epi32)(v.even, 16), v.odd);
}

void ksr_columns_turn(struct ksr_turn *t, const struct ksr_columns *c)
{
    for (int i = 0; i < KSR_TILE; i += LANES) {
        const int m = (KSR_TILE_PAD + i) / 2;
        const lanes tilt = signs(sum_around(c->tilt, m)), cross = signs(sum_around(c->cross, m));
        const lanes side_x = signs(sum_distances(c->energy, m));
        const lanes side_y = signs(sum_around(c->moment, m));
        const lane_mask transpose = lanes_negative(tilt);
        const lanes side = lanes_pick(transpose, side_x, side_y), other = lanes_xor(side, cross);
        lanes_store(t->transpose + i, lanes_shift(tilt, 15));
        lanes_store(t->flip_x + i, lanes_shift(lanes_pick(transpose, side, other), 15));
        lanes_store(t->flip_y + i, lanes_shift(lanes_pick(transpose, other, side), 15));
    }
}
