// Dehalo, plain C: the definition. See dehalo.h.
//
// Everything is computed in 16 bits, so that SIMD code holds many samples at once.

#include "stages/dehalo.h"

#include "frame/tile.h"

#define LIMIT_MAX 20480 // 5/8 of the contrast
#define CONTRAST  3072  // 24 codes of 8 bits: edges from here on
#define WHITE     29800 // just below the white of limited range, where nothing overshoots
#define BLACK     2300
#define AROUND    24 // votes of so many samples on either side count
#define NEEDED    16 // votes that say nothing
#define SHARES    64

#define FOUND_EDGES 1000 // least number that tells
#define FOUND_SHARE 42   // percent

#define IN        11 // samples of a profile
#define OUT       6
#define WAYS      8
#define VOTE_WAYS 4  // the first ones
#define PAD       40 // samples on either side of a tile: AROUND + IN and more
#define ALL       (KSR_TILE + 2 * PAD)
#define VOTERS    (KSR_TILE + 2 * AROUND)
#define RING      64 // rows kept: AROUND + IN before those that vote, OUT after them, and more

// A tile of columns on its way down the plane.
struct strip {
    const struct ksr_plane *src;
    int x0, count;
    int16_t row[RING][ALL];     // row y of src is row[y % RING], from column x0 - PAD on
    int8_t votes[RING][VOTERS]; // likewise, from column x0 - AROUND on
    int16_t sum[VOTERS];        // of votes, over the rows around
    int16_t up[KSR_TILE];       // what is taken from dark rims
    int16_t down[KSR_TILE];     // and from bright ones
    int16_t share[KSR_TILE];
};

// Where profiles run to.
static const int8_t ways[WAYS][2] = {{1, 0}, {-1, 0},  {0, 1},  {0, -1},
                                     {1, 1}, {-1, -1}, {1, -1}, {-1, 1}};

struct ksr_dehalo_params ksr_dehalo_params_make(const struct ksr_pipeline_config *config)
{
    return (struct ksr_dehalo_params){.limit = (int)(config->dehalo * LIMIT_MAX + 0.5)};
}

// Returns row y, which may lie outside, from the tile's first column on.
static inline const int16_t *row_at(const struct strip *t, int y)
{
    return t->row[y & (RING - 1)] + PAD;
}

static inline int16_t lesser(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

static inline int16_t greater(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

static inline int16_t least(int16_t a, int16_t b, int16_t c)
{
    return lesser(lesser(a, b), c);
}

static inline int16_t greatest(int16_t a, int16_t b, int16_t c)
{
    return greater(greater(a, b), c);
}

// Returns what a rim may have of this contrast.
static inline int16_t most_of(int16_t contrast, int16_t limit)
{
    return (int16_t)(2 * (int16_t)(contrast * limit >> 16));
}

// A profile of a row of samples: p[IN + k][i] is sample i, k steps further out. turned: 0, or -1 to
// make bright what is dark.
#define S(k) ((int16_t)(p[IN + (k)][i] ^ turned))

// Returns the vote of an edge at sample i: 1 for rims, -1 against them, 0 where there is none that
// votes. Then *top is how far it overshoots its base, below 0 where it does not reach it.
static inline int16_t judge(const int16_t *const *p, int i, int16_t turned, int16_t *top)
{
    const int16_t end = turned ? ~BLACK : WHITE;
    const int16_t base = greatest(S(4), S(5), S(6));
    const int16_t uneven = (int16_t)(base - least(S(4), S(5), S(6)));
    const int16_t contrast = (int16_t)(base - least(S(-1), S(-2), S(-3)));
    const int16_t begin = (int16_t)(base - (contrast >> 2));
    const int16_t over = (int16_t)(greatest(S(0), S(1), S(2)) - base);
    const int16_t edge =
        (int16_t)((contrast >= CONTRAST) & (uneven <= (int16_t)(contrast >> 4)) & (S(-1) < begin) &
                  (S(0) >= begin) & ((over > (int16_t)(contrast >> 6)) | (base < end)));
    const int16_t halo =
        (int16_t)((over >= (int16_t)(contrast >> 4)) & (over <= (int16_t)(contrast >> 1)));
    *top = over;
    return (int16_t)(edge * (2 * halo - 1));
}

// Adds the votes of a row of edges.
static inline void vote(int8_t *restrict votes, const int16_t *const *p, int count, int16_t turned)
{
    int16_t top;
    for (int i = 0; i < count; i++)
        votes[i] = (int8_t)(votes[i] + judge(p, i, turned, &top));
}

// Returns how far s[-k] sticks out on the other side of the edge: below what follows it, if that is
// the dark side, or above it behind a line whose least sample so far is `line`.
static inline int16_t opposite(int16_t at, int16_t far0, int16_t far1, int16_t far2, int16_t base,
                               int16_t line)
{
    const int16_t high = greatest(far0, far1, far2), low = least(far0, far1, far2);
    const int16_t below = lesser((int16_t)(low - at), (int16_t)(base - high));
    const int16_t above = lesser((int16_t)(at - high), (int16_t)(at - line));
    return greater(below, above);
}

// Raises `most` to what is to be taken from a row of rims.
static inline void find_rims(int16_t *restrict most, const int16_t *const *p, int count,
                             int16_t limit, int16_t turned)
{
    for (int i = 0; i < count; i++) {
        const int16_t base = greater(S(3), S(4));
        const int16_t uneven = (int16_t)(base - lesser(S(3), S(4)));
        const int16_t height = (int16_t)(S(0) - base);
        const int16_t line2 = S(-1), line3 = lesser(line2, S(-2)), line4 = lesser(line3, S(-3));
        const int16_t line5 = lesser(line4, S(-4)), line6 = lesser(line5, S(-5));
        const int16_t contrast = (int16_t)(base - line4);
        const int16_t bound = most_of(contrast, limit);
        const int16_t soft =
            lesser(height, (int16_t)(bound - greater((int16_t)(height - bound), 0)));
        int16_t other = opposite(S(-1), S(-4), S(-5), S(-6), base, S(-1));
        other = greater(other, opposite(S(-2), S(-5), S(-6), S(-7), base, line2));
        other = greater(other, opposite(S(-3), S(-6), S(-7), S(-8), base, line3));
        other = greater(other, opposite(S(-4), S(-7), S(-8), S(-9), base, line4));
        other = greater(other, opposite(S(-5), S(-8), S(-9), S(-10), base, line5));
        other = greater(other, opposite(S(-6), S(-9), S(-10), S(-11), base, line6));
        const int16_t rim = (int16_t)(lesser(soft, other) - (contrast >> 6));
        const int16_t counts = (int16_t)((contrast >= CONTRAST) & (uneven <= height));
        most[i] = greater(most[i], counts ? rim : 0);
    }
}

// Points p[] at the samples of a profile along (dx, dy) through row y, from column `first` on.
static void point(const int16_t **p, const struct strip *t, int first, int y, int dx, int dy)
{
    for (int k = -IN; k <= OUT; k++)
        p[IN + k] = row_at(t, y + k * dy) + first + k * dx;
}

static void load_row(struct strip *t, int y)
{
    ksr_tile_fill((uint16_t *)t->row[y & (RING - 1)], t->src, t->x0 - PAD, ALL, y);
}

// The votes of row y, which is in the plane, join the sum.
static void add_votes(struct strip *t, int y)
{
    const int16_t *p[IN + OUT + 1];
    int8_t *votes = t->votes[y & (RING - 1)];
    const int first = ksr_max(-AROUND, -t->x0);
    const int end = ksr_min(t->count + AROUND, t->src->width - t->x0);
    memset(votes, 0, VOTERS);
    for (int k = 0; k < VOTE_WAYS; k++) {
        point(p, t, first, y, ways[k][0], ways[k][1]);
        vote(votes + AROUND + first, p, end - first, 0);
        vote(votes + AROUND + first, p, end - first, -1);
    }
    for (int i = 0; i < VOTERS; i++)
        t->sum[i] = (int16_t)(t->sum[i] + votes[i]);
}

static void drop_votes(struct strip *t, int y)
{
    const int8_t *votes = t->votes[y & (RING - 1)];
    for (int i = 0; i < VOTERS; i++)
        t->sum[i] = (int16_t)(t->sum[i] - votes[i]);
}

// Sets t->share[] from the votes. Returns whether any is above 0.
static bool find_shares(struct strip *t)
{
    int sum = -NEEDED, any = 0;
    for (int i = 0; i < 2 * AROUND; i++)
        sum += t->sum[i];
    for (int i = 0; i < t->count; i++) {
        sum += t->sum[i + 2 * AROUND];
        t->share[i] = (int16_t)ksr_clamp(sum, 0, SHARES);
        any |= t->share[i];
        sum -= t->sum[i];
    }
    return any != 0;
}

static void dehalo_row(uint16_t *dst, struct strip *t, int y, int16_t limit)
{
    const int16_t *p[IN + OUT + 1], *c = row_at(t, y);
    if (!find_shares(t)) {
        memcpy(dst, c, (size_t)t->count * sizeof(dst[0]));
        return;
    }
    memset(t->up, 0, sizeof(t->up));
    memset(t->down, 0, sizeof(t->down));
    for (int k = 0; k < WAYS; k++) {
        point(p, t, 0, y, ways[k][0], ways[k][1]);
        find_rims(t->down, p, t->count, limit, 0);
        find_rims(t->up, p, t->count, limit, -1);
    }
    for (int i = 0; i < t->count; i++)
        dst[i] = (uint16_t)(c[i] + (((t->up[i] - t->down[i]) * t->share[i] + SHARES / 2) >> 6));
}

void ksr_dehalo_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_dehalo_params *params, int y0, int y1)
{
    struct strip t = {.src = src};
    for (t.x0 = 0; t.x0 < src->width; t.x0 += KSR_TILE) {
        t.count = ksr_min(KSR_TILE, src->width - t.x0);
        memset(t.sum, 0, sizeof(t.sum));
        int loaded = y0 - AROUND - OUT, voted = ksr_max(0, y0 - AROUND);
        for (int y = y0; y < y1; y++) {
            for (; voted < ksr_min(y + AROUND + 1, src->height); voted++) {
                for (; loaded <= voted + OUT; loaded++)
                    load_row(&t, loaded);
                add_votes(&t, voted);
            }
            for (; loaded <= y + IN; loaded++)
                load_row(&t, loaded);
            dehalo_row(dst->data + y * dst->stride + t.x0, &t, y, (int16_t)params->limit);
            if (y >= AROUND)
                drop_votes(&t, y - AROUND);
        }
    }
}

static void count_edges(struct ksr_halos *halos, const int16_t *const *p, int count, int16_t turned)
{
    for (int i = 0; i < count; i++) {
        int16_t top;
        const int16_t vote = judge(p, i, turned, &top);
        halos->edges += vote != 0;
        halos->halos += vote > 0;
        halos->overshoot += vote > 0 ? top : 0;
    }
}

void ksr_halos_add(struct ksr_halos *halos, const struct ksr_plane *luma)
{
    const int16_t *p[IN + OUT + 1];
    struct strip t = {.src = luma};
    for (t.x0 = 0; t.x0 < luma->width; t.x0 += KSR_TILE) {
        t.count = ksr_min(KSR_TILE, luma->width - t.x0);
        int loaded = -OUT;
        for (int y = 0; y < luma->height; y++) {
            for (; loaded <= y + OUT; loaded++)
                load_row(&t, loaded);
            for (int k = 0; k < VOTE_WAYS; k++) {
                point(p, &t, 0, y, ways[k][0], ways[k][1]);
                count_edges(halos, p, t.count, 0);
                count_edges(halos, p, t.count, -1);
            }
        }
    }
}

bool ksr_halos_found(const struct ksr_halos *halos)
{
    return halos->edges >= FOUND_EDGES && 100 * halos->halos >= FOUND_SHARE * halos->edges;
}
