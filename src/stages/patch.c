// Steps 2 to 5 of stage 3 for luma, plain C: the definition. See patch.h and learned.h.
//
// Everything is an array over the samples of a block, and every loop over them is without branches,
// so that compilers turn it into SIMD code.

#include "stages/patch.h"

#include "stages/splits.h"

#define SIDE   KSR_PATCH_SIDE
#define MIDDLE KSR_PATCH_MIDDLE
#define BLOCK  KSR_BANK_BLOCK

typedef ksr_bank_lane lane;

// What is known of the samples of a block.
struct block {
    struct ksr_bank_patch patch;
    lane feature[FEATURES], range, class;
    lane low, high; // limits of what is added to the middle
    lane out[4];
};

static int16_t *place(struct block *b, int row, int column)
{
    return b->patch.of[row * SIDE + column];
}

// The difference at a place of sample i.
#define PATCH(row, column) (b->patch.of[(row)*SIDE + (column)][i])

// --- Turn ---

static void swap_where(int16_t *restrict a, int16_t *restrict b, const int16_t *restrict mask)
{
    for (int i = 0; i < BLOCK; i++) {
        const int16_t change = (int16_t)((a[i] ^ b[i]) & mask[i]);
        a[i] ^= change;
        b[i] ^= change;
    }
}

static void load_patch(struct block *b, const uint16_t *const row[SIDE], int x)
{
    const uint16_t *middle = row[MIDDLE] + x;
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < SIDE; k++) {
            const uint16_t *sample = row[r] + x - MIDDLE + k;
            for (int i = 0; i < BLOCK; i++)
                PATCH(r, k) = (int16_t)(sample[i] - middle[i]);
        }
}

static void turn_patch(struct block *b, const struct ksr_turn *turn, int x)
{
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < MIDDLE; k++)
            swap_where(place(b, r, k), place(b, r, SIDE - 1 - k), turn->flip_x + x);
    for (int r = 0; r < MIDDLE; r++)
        for (int k = 0; k < SIDE; k++)
            swap_where(place(b, r, k), place(b, SIDE - 1 - r, k), turn->flip_y + x);
    for (int r = 0; r < SIDE; r++)
        for (int k = 0; k < r; k++)
            swap_where(place(b, r, k), place(b, k, r), turn->transpose + x);
}

static void turn_back(struct block *b, const struct ksr_turn *turn, int x)
{
    swap_where(b->out[1], b->out[2], turn->transpose + x);
    swap_where(b->out[0], b->out[2], turn->flip_y + x);
    swap_where(b->out[1], b->out[3], turn->flip_y + x);
    swap_where(b->out[0], b->out[1], turn->flip_x + x);
    swap_where(b->out[2], b->out[3], turn->flip_x + x);
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
static void find_ranges(struct block *b, const uint16_t *middle)
{
    for (int i = 0; i < BLOCK; i++) {
        int16_t low = 0, high = 0;
        for (int r = 1; r < SIDE - 1; r++)
            for (int k = 1; k < SIDE - 1; k++)
                if (r != MIDDLE || k != MIDDLE) {
                    low = min16(low, PATCH(r, k));
                    high = max16(high, PATCH(r, k));
                }
        int16_t low5 = low, high5 = high;
        for (int r = 0; r < SIDE; r++)
            for (int k = 0; k < SIDE; k++)
                if (r == 0 || r == SIDE - 1 || k == 0 || k == SIDE - 1) {
                    low5 = min16(low5, PATCH(r, k));
                    high5 = max16(high5, PATCH(r, k));
                }
        // Opposite neighbours, in four directions.
        const int16_t pair[4][2] = {{PATCH(2, 1), PATCH(2, 3)},
                                    {PATCH(1, 2), PATCH(3, 2)},
                                    {PATCH(1, 1), PATCH(3, 3)},
                                    {PATCH(1, 3), PATCH(3, 1)}};
        int16_t valley = 0, crest = 0;
        for (int k = 0; k < 4; k++) {
            valley = max16(valley, min16(pair[k][0], pair[k][1]));
            crest = min16(crest, max16(pair[k][0], pair[k][1]));
        }
        const int c = middle[i];
        b->low[i] = (int16_t)ksr_max(low - (valley >> 1), -c);
        b->high[i] = (int16_t)ksr_min(high + (-crest >> 1), KSR_SAMPLE_MAX - c);
        b->range[i] = (int16_t)(high5 - low5);
        b->feature[INNER_DEPTH][i] = min16((int16_t)-low, high);
        b->feature[OUTER_DEPTH][i] = min16((int16_t)-low5, high5);
        b->feature[INNER_RANGE][i] = (int16_t)(high - low);
    }
}

static void find_features(struct block *b)
{
    for (int i = 0; i < BLOCK; i++) {
        const int16_t left0 = PATCH(2, 1), right0 = PATCH(2, 3);
        const int16_t m = (int16_t)(right0 < left0 ? -1 : 0);
#define SIGNED(r, k) ((int16_t)((PATCH(r, k) ^ m) - m))
        const int16_t left = SIGNED(2, 1), right = SIGNED(2, 3), up = SIGNED(1, 2),
                      down = SIGNED(3, 2);
        const int16_t top_left = SIGNED(1, 1), top_right = SIGNED(1, 3), bottom_left = SIGNED(3, 1),
                      bottom_right = SIGNED(3, 3);
        const int16_t across = mean16(left, right), along = mean16(up, down);
        b->feature[LEFT][i] = (int16_t)-left;
        b->feature[RIGHT][i] = right;
        b->feature[FAR_RIGHT][i] = (int16_t)(SIGNED(2, 4) - right);
        b->feature[FAR_LEFT][i] = (int16_t)(left - SIGNED(2, 0));
        b->feature[ACROSS][i] = across;
        b->feature[ALONG][i] = along;
        b->feature[ALONG_SIZE][i] = size16(along);
        b->feature[LAPLACE][i] = size16(mean16(across, along));
        b->feature[SLOPE][i] = (int16_t)(right - left);
        b->feature[SLOPE_Y][i] = (int16_t)(down - up);
        b->feature[TOP_LEFT][i] = top_left;
        b->feature[TOP_RIGHT][i] = top_right;
        b->feature[BOTTOM_LEFT][i] = bottom_left;
        b->feature[BOTTOM_RIGHT][i] = bottom_right;
        b->feature[UP][i] = up;
        b->feature[DOWN][i] = down;
        b->feature[DIAGONAL][i] = size16(mean16(top_left, bottom_right));
        b->feature[DIAGONAL_2][i] = size16(mean16(top_right, bottom_left));
#undef SIGNED
    }
}

static void classify(struct block *b)
{
    memset(b->class, 0, sizeof(b->class));
    for (int k = 0; k < SPLITS; k++) {
        const struct split s = splits[k];
        const int16_t *restrict feature = b->feature[s.feature];
        for (int i = 0; i < BLOCK; i++) {
            const int16_t share = (int16_t)(((s.threshold * b->range[i] >> 14) + 1) >> 1);
            const int16_t class = b->class[i];
            // No && and no choice of what to store: a compiler would branch.
            const int16_t change = (int16_t)(0 - ((class == s.from) & (feature[i] >= share)));
            b->class[i] = (int16_t)(class ^ ((class ^ s.to) & change));
        }
    }
}

// --- Limit ---

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
static void limit(struct block *b)
{
    for (int i = 0; i < BLOCK; i++) {
        int16_t v[4];
        for (int k = 0; k < 4; k++)
            v[k] = max16(b->low[i], min16(b->out[k][i], b->high[i]));
        const int16_t low[2] = {min16(v[0], v[1]), min16(v[2], v[3])};
        const int16_t high[2] = {max16(v[0], v[1]), max16(v[2], v[3])};
        for (int k = 0; k < 4; k++) {
            const int y = k & 2, x = 2 * (k & 1);
            const int16_t beside = PATCH(2, 1 + x), above = PATCH(1 + y, 2),
                          corner = PATCH(1 + y, 1 + x);
            const int16_t least =
                min16(min16(low[1 - y / 2], v[k ^ 1]), min16(min16(beside, above), corner));
            const int16_t most =
                max16(max16(high[1 - y / 2], v[k ^ 1]), max16(max16(beside, above), corner));
            b->out[k][i] = limited(v[k], least, most);
        }
    }
}

static void store(uint16_t *const out[2], const struct block *b, const uint16_t *middle, int x)
{
    for (int p = 0; p < 4; p++)
        for (int i = 0; i < BLOCK; i++)
            out[p / 2][2 * (x + i) + p % 2] = (uint16_t)(middle[i] + b->out[p][i]);
}

void ksr_patch_upscale(uint16_t *const out[2], const uint16_t *const first[SIDE],
                       const struct ksr_turn *turn, const struct ksr_bank_order *bank, int count)
{
    struct block b;
    const uint16_t *row[SIDE];
    for (int r = 0; r < SIDE; r++)
        row[r] = first[r] + KSR_TILE_PAD;
    for (int x = 0; x < count; x += BLOCK) {
        load_patch(&b, row, x);
        turn_patch(&b, turn, x);
        find_ranges(&b, row[MIDDLE] + x);
        find_features(&b);
        classify(&b);
        ksr_bank_apply(b.out, bank, &b.patch, b.class);
        limit(&b);
        turn_back(&b, turn, x);
        store(out, &b, row[MIDDLE] + x, x);
    }
}
