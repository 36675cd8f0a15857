// Stage 3 for luma, all but the filters (bank.c). See learned.h.
//
// Works down a column of tiles, so that the sums of gradients over nine rows follow by one row in
// and one row out. Everything is an array over the samples of a tile, and every loop over them is
// without branches, so that compilers turn it into SIMD code.

#include "stages/learned.h"

#include "frame/tile.h"
#include "stages/bank.h"

#define RADIUS 4 // of the window in which gradients are summed
#define SIDE   5 // of the patch that is turned and filtered
#define MIDDLE 2

// The numerators of splits; their denominator is the range of the patch. In the turned patch, with
// the signs of all differences turned so that it rises from left to right.
enum feature {
    INNER_DEPTH,  // from the middle to the nearer end of the 3x3 range
    OUTER_DEPTH,  // and of the patch's
    INNER_RANGE,  // of 3x3
    LEFT,         // middle less left
    RIGHT,        // right less middle
    FAR_RIGHT,    // the next step to the right
    FAR_LEFT,     // and to the left
    ACROSS,       // half the second difference along x
    ALONG,        // and along y
    ALONG_SIZE,   // its size
    LAPLACE,      // size of half the sum of both
    SLOPE,        // size of right less left
    SLOPE_Y,      // below less above
    TOP_LEFT,     // neighbours less the middle
    TOP_RIGHT,    //
    BOTTOM_LEFT,  //
    BOTTOM_RIGHT, //
    UP,           //
    DOWN,         //
    DIAGONAL,     // size of half the second difference to the bottom right
    DIAGONAL_2,   // and to the top right
    FEATURES
};

// Samples of class `from` go to class `to` where the feature is at least threshold / 32768 of the
// range.
struct split {
    int16_t from, feature, threshold, to;
};

#include "stages/learned_splits.h"

// Sums over nine rows of every column of a tile.
struct columns {
    int32_t tilt[KSR_TILE_ALL];   // gx^2 - gy^2
    int32_t cross[KSR_TILE_ALL];  // gx * gy
    int32_t energy[KSR_TILE_ALL]; // gx^2 + gy^2
    int32_t moment[KSR_TILE_ALL]; // (gx^2 + gy^2) * (row - middle row)
};

typedef int16_t lane[KSR_TILE]; // one value per sample of a tile

// What is known of the samples of a tile's row.
struct piece {
    lane patch[SIDE][SIDE];         // differences to the middle
    lane transpose, flip_x, flip_y; // -1 or 0
    lane feature[FEATURES], range, class;
    lane low, high; // limits of what is added to the middle
    lane out[4];
};

// A gradient is the difference of two samples cut to 11 bits, so all sums fit 30 bits.
static int16_t reduced(uint16_t sample)
{
    return (int16_t)((uint16_t)(sample + 8) >> 4);
}

// --- Turn ---

// The gradients of row y.
struct gradients {
    int16_t x[KSR_TILE_ALL], y[KSR_TILE_ALL];
};

static void find_gradients(struct gradients *g, const struct ksr_plane *src, int x0, int y)
{
    uint16_t spare[3][KSR_TILE_ALL];
    const uint16_t *above = ksr_tile_row(spare[0], src, x0, y - 1);
    const uint16_t *row = ksr_tile_row(spare[1], src, x0, y);
    const uint16_t *below = ksr_tile_row(spare[2], src, x0, y + 1);
    for (int i = 1; i < KSR_TILE_ALL - 1; i++) {
        g->x[i] = (int16_t)(reduced(row[i + 1]) - reduced(row[i - 1]));
        g->y[i] = (int16_t)(reduced(below[i]) - reduced(above[i]));
    }
}

static void start_columns(struct columns *c, const struct ksr_plane *src, int x0, int y)
{
    struct gradients g;
    memset(c, 0, sizeof(*c));
    for (int r = -RADIUS; r <= RADIUS; r++) {
        find_gradients(&g, src, x0, y + r);
        for (int i = 1; i < KSR_TILE_ALL - 1; i++) {
            const int32_t xx = g.x[i] * g.x[i], yy = g.y[i] * g.y[i];
            c->tilt[i] += xx - yy;
            c->cross[i] += g.x[i] * g.y[i];
            c->energy[i] += xx + yy;
            c->moment[i] += r * (xx + yy);
        }
    }
}

// Goes from row y to row y + 1: a row leaves, all distances fall by one, a row comes in.
static void next_columns(struct columns *c, const struct ksr_plane *src, int x0, int y)
{
    struct gradients out, in;
    find_gradients(&out, src, x0, y - RADIUS);
    find_gradients(&in, src, x0, y + RADIUS + 1);
    for (int i = 1; i < KSR_TILE_ALL - 1; i++) {
        const int32_t out_xx = out.x[i] * out.x[i], out_yy = out.y[i] * out.y[i];
        const int32_t in_xx = in.x[i] * in.x[i], in_yy = in.y[i] * in.y[i];
        const int32_t left = out_xx + out_yy, came = in_xx + in_yy;
        c->moment[i] += RADIUS * (left + came) + left - c->energy[i];
        c->energy[i] += came - left;
        c->tilt[i] += (in_xx - in_yy) - (out_xx - out_yy);
        c->cross[i] += in.x[i] * in.y[i] - out.x[i] * out.y[i];
    }
}

static int32_t sum_around(const int32_t *v)
{
    return v[-4] + v[-3] + v[-2] + v[-1] + v[0] + v[1] + v[2] + v[3] + v[4];
}

static void find_turn(struct piece *p, const struct columns *c)
{
    for (int i = 0; i < KSR_TILE; i++) {
        const int x = KSR_TILE_PAD + i;
        const int32_t *e = c->energy + x;
        const int32_t side_x =
            e[1] - e[-1] + 2 * (e[2] - e[-2]) + 3 * (e[3] - e[-3]) + 4 * (e[4] - e[-4]);
        const int32_t side_y = sum_around(c->moment + x);
        const int transpose = -(sum_around(c->tilt + x) < 0);
        const int falling = -(sum_around(c->cross + x) < 0);
        const int side = transpose ? -(side_y < 0) : -(side_x < 0), other = side ^ falling;
        p->transpose[i] = (int16_t)transpose;
        p->flip_x[i] = (int16_t)(transpose ? other : side);
        p->flip_y[i] = (int16_t)(transpose ? side : other);
    }
}

static void swap_where(int16_t *restrict a, int16_t *restrict b, const int16_t *restrict mask)
{
    for (int i = 0; i < KSR_TILE; i++) {
        const int16_t change = (int16_t)((a[i] ^ b[i]) & mask[i]);
        a[i] ^= change;
        b[i] ^= change;
    }
}

static void load_patch(struct piece *p, const struct ksr_plane *src, int x0, int y)
{
    uint16_t spare[SIDE][KSR_TILE_ALL];
    const uint16_t *row[SIDE];
    for (int r = 0; r < SIDE; r++)
        row[r] = ksr_tile_row(spare[r], src, x0, y - MIDDLE + r);
    const uint16_t *middle = row[MIDDLE] + KSR_TILE_PAD;
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < SIDE; k++) {
            const uint16_t *sample = row[r] + KSR_TILE_PAD - MIDDLE + k;
            for (int i = 0; i < KSR_TILE; i++)
                p->patch[r][k][i] = (int16_t)(sample[i] - middle[i]);
        }
}

static void turn_patch(struct piece *p)
{
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < MIDDLE; k++)
            swap_where(p->patch[r][k], p->patch[r][SIDE - 1 - k], p->flip_x);
    for (int r = 0; r < MIDDLE; r++)
        for (int k = 0; k < SIDE; k++)
            swap_where(p->patch[r][k], p->patch[SIDE - 1 - r][k], p->flip_y);
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < r; k++)
            swap_where(p->patch[r][k], p->patch[k][r], p->transpose);
}

static void turn_back(struct piece *p)
{
    swap_where(p->out[1], p->out[2], p->transpose);
    swap_where(p->out[0], p->out[2], p->flip_y);
    swap_where(p->out[1], p->out[3], p->flip_y);
    swap_where(p->out[0], p->out[1], p->flip_x);
    swap_where(p->out[2], p->out[3], p->flip_x);
}

// --- Class and limits ---

static int16_t min16(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static int16_t max16(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

static int16_t size16(int16_t v)
{
    return v < 0 ? (int16_t)-v : v;
}

// Returns floor((a + b) / 2) without leaving 16 bits.
static int16_t mean16(int16_t a, int16_t b)
{
    return (int16_t)((a & b) + ((a ^ b) >> 1));
}

// The ranges of 3x3 and 5x5, and how far the result may go.
static void find_ranges(struct piece *p, const uint16_t *middle)
{
    for (int i = 0; i < KSR_TILE; i++) {
        int16_t low = 0, high = 0;
        for (int r = 1; r < SIDE - 1; r++)
            for (int k = 1; k < SIDE - 1; k++)
                if (r != MIDDLE || k != MIDDLE) {
                    low = min16(low, p->patch[r][k][i]);
                    high = max16(high, p->patch[r][k][i]);
                }
        int16_t low5 = low, high5 = high;
        for (int r = 0; r < SIDE; r++)
            for (int k = 0; k < SIDE; k++)
                if (r == 0 || r == SIDE - 1 || k == 0 || k == SIDE - 1) {
                    low5 = min16(low5, p->patch[r][k][i]);
                    high5 = max16(high5, p->patch[r][k][i]);
                }
        // Opposite neighbours, in four directions.
        const int16_t pair[4][2] = {{p->patch[2][1][i], p->patch[2][3][i]},
                                    {p->patch[1][2][i], p->patch[3][2][i]},
                                    {p->patch[1][1][i], p->patch[3][3][i]},
                                    {p->patch[1][3][i], p->patch[3][1][i]}};
        int16_t valley = 0, crest = 0;
        for (int k = 0; k < 4; k++) {
            valley = max16(valley, min16(pair[k][0], pair[k][1]));
            crest = min16(crest, max16(pair[k][0], pair[k][1]));
        }
        const int c = middle[i];
        p->low[i] = (int16_t)ksr_max(low - (valley >> 1), -c);
        p->high[i] = (int16_t)ksr_min(high + (-crest >> 1), KSR_SAMPLE_MAX - c);
        p->range[i] = (int16_t)(high5 - low5);
        p->feature[INNER_DEPTH][i] = min16((int16_t)-low, high);
        p->feature[OUTER_DEPTH][i] = min16((int16_t)-low5, high5);
        p->feature[INNER_RANGE][i] = (int16_t)(high - low);
    }
}

static void find_features(struct piece *p)
{
    for (int i = 0; i < KSR_TILE; i++) {
        const int16_t left0 = p->patch[2][1][i], right0 = p->patch[2][3][i];
        const int16_t m = (int16_t)(right0 < left0 ? -1 : 0);
#define SIGNED(r, k) ((int16_t)((p->patch[r][k][i] ^ m) - m))
        const int16_t left = SIGNED(2, 1), right = SIGNED(2, 3), up = SIGNED(1, 2),
                      down = SIGNED(3, 2);
        const int16_t top_left = SIGNED(1, 1), top_right = SIGNED(1, 3), bottom_left = SIGNED(3, 1),
                      bottom_right = SIGNED(3, 3);
        const int16_t across = mean16(left, right), along = mean16(up, down);
        p->feature[LEFT][i] = (int16_t)-left;
        p->feature[RIGHT][i] = right;
        p->feature[FAR_RIGHT][i] = (int16_t)(SIGNED(2, 4) - right);
        p->feature[FAR_LEFT][i] = (int16_t)(left - SIGNED(2, 0));
        p->feature[ACROSS][i] = across;
        p->feature[ALONG][i] = along;
        p->feature[ALONG_SIZE][i] = size16(along);
        p->feature[LAPLACE][i] = size16(mean16(across, along));
        p->feature[SLOPE][i] = (int16_t)(right - left);
        p->feature[SLOPE_Y][i] = (int16_t)(down - up);
        p->feature[TOP_LEFT][i] = top_left;
        p->feature[TOP_RIGHT][i] = top_right;
        p->feature[BOTTOM_LEFT][i] = bottom_left;
        p->feature[BOTTOM_RIGHT][i] = bottom_right;
        p->feature[UP][i] = up;
        p->feature[DOWN][i] = down;
        p->feature[DIAGONAL][i] = size16(mean16(top_left, bottom_right));
        p->feature[DIAGONAL_2][i] = size16(mean16(top_right, bottom_left));
#undef SIGNED
    }
}

static void classify(struct piece *p)
{
    memset(p->class, 0, sizeof(p->class));
    for (size_t k = 0; k < sizeof(splits) / sizeof(splits[0]); k++) {
        const struct split s = splits[k];
        const int16_t *restrict feature = p->feature[s.feature];
        for (int i = 0; i < KSR_TILE; i++) {
            const int16_t share = (int16_t)(((s.threshold * p->range[i] >> 14) + 1) >> 1);
            const int16_t class = p->class[i];
            // No && and no choice of what to store: a compiler would branch.
            const int16_t change = (int16_t)(0 - ((class == s.from) & (feature[i] >= share)));
            p->class[i] = (int16_t)(class ^ ((class ^ s.to) & change));
        }
    }
}

// --- Filter and limit ---

static void filter(struct piece *p, int count)
{
    const int16_t *tap[KSR_BANK_TAPS];
    for (int k = 0; k < KSR_BANK_TAPS; k++) {
        const int place = k + (k >= SIDE * SIDE / 2); // all but the middle
        tap[k] = p->patch[place / SIDE][place % SIDE];
    }
    ksr_bank_apply(p->out, tap, p->class, count);
}

// Limits v to low .. high widened by 3/16 of their distance. All are differences of samples to the
// same one, so differences of them fit; low less the margin would not.
static int16_t limited(int16_t v, int16_t low, int16_t high)
{
    const int16_t range = (int16_t)(high - low);
    const int16_t margin = (int16_t)((range >> 3) + (range >> 4));
    const int16_t below = (int16_t)(max16((int16_t)(low - v), margin) - margin);
    const int16_t above = (int16_t)(max16((int16_t)(v - high), margin) - margin);
    return (int16_t)(v + below - above);
}

// Limits the four outputs to the range around, and each to its neighbours: the other three, and the
// samples on its side. Where lines meet, neighbours of different classes can disagree; this takes
// away most of the specks that would come of it.
static void limit(struct piece *p)
{
    for (int i = 0; i < KSR_TILE; i++) {
        int16_t v[4];
        for (int k = 0; k < 4; k++)
            v[k] = max16(p->low[i], min16(p->out[k][i], p->high[i]));
        const int16_t low[2] = {min16(v[0], v[1]), min16(v[2], v[3])};
        const int16_t high[2] = {max16(v[0], v[1]), max16(v[2], v[3])};
        for (int k = 0; k < 4; k++) {
            const int y = k & 2, x = 2 * (k & 1);
            const int16_t a = p->patch[2][1 + x][i], b = p->patch[1 + y][2][i],
                          c = p->patch[1 + y][1 + x][i];
            const int16_t least = min16(min16(low[1 - y / 2], v[k ^ 1]), min16(min16(a, b), c));
            const int16_t most = max16(max16(high[1 - y / 2], v[k ^ 1]), max16(max16(a, b), c));
            p->out[k][i] = limited(v[k], least, most);
        }
    }
}

// Writes output samples of row y: every second one from either half.
static void store_row(uint16_t *restrict dst, const struct piece *p, const uint16_t *middle, int y,
                      int count)
{
    uint16_t half[2][KSR_TILE];
    for (int k = 0; k < 2; k++) {
        const int16_t *restrict v = p->out[2 * (y & 1) + k];
        for (int i = 0; i < KSR_TILE; i++)
            half[k][i] = (uint16_t)(middle[i] + v[i]);
    }
    for (int i = 0; i < count / 2; i++) {
        dst[2 * i] = half[0][i];
        dst[2 * i + 1] = half[1][i];
    }
    if (count & 1)
        dst[count - 1] = half[0][count / 2];
}

void ksr_learned_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1)
{
    struct columns columns;
    struct piece p;
    uint16_t spare[KSR_TILE_ALL];
    for (int x0 = 0; 2 * x0 < dst->width; x0 += KSR_TILE) {
        const int count = ksr_min(2 * KSR_TILE, dst->width - 2 * x0);
        start_columns(&columns, src, x0, y0 / 2);
        for (int i = y0 / 2; 2 * i < y1; i++) {
            const uint16_t *middle = ksr_tile_row(spare, src, x0, i) + KSR_TILE_PAD;
            find_turn(&p, &columns);
            load_patch(&p, src, x0, i);
            turn_patch(&p);
            find_ranges(&p, middle);
            find_features(&p);
            classify(&p);
            filter(&p, (count + 1) / 2);
            limit(&p);
            turn_back(&p);
            for (int y = ksr_max(y0, 2 * i); y < ksr_min(y1, 2 * i + 2); y++)
                store_row(dst->data + y * dst->stride + 2 * x0, &p, middle, y, count);
            if (2 * (i + 1) < y1)
                next_columns(&columns, src, x0, i);
        }
    }
}
