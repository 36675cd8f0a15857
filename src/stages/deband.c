// Debanding, plain C: the definition. See deband.h.
//
// Everything is computed in 16 bits, so that SIMD code holds many samples at once; masks are all
// ones or zero.

#include "stages/deband.h"

#include <stdbool.h>

#include "frame/tile.h"

#define LIMIT_MAX 512 // 4 codes of 8 bits
#define REACH     KSR_DEBAND_REACH
#define PAD       32 // samples on either side of a tile: REACH and more
#define ALL       (KSR_TILE + 2 * PAD)
#define NEAR      3 // samples around that must be flat
#define RINGS     6

// A sample of each ring; the others are (-x, -y), (-y, x) and (y, -x).
static const struct {
    int8_t x, y;
} rings[RINGS] = {{3, 0}, {4, 6}, {9, 4}, {3, 13}, {12, 11}, {20, 3}};

// 65536 / (4 * rings that count).
static const int16_t factors[RINGS] = {16384, 8192, 5461, 4096, 3277, 2731};

// The rows around, above and below, that any test reads.
static const int8_t rows_read[] = {0, 1, 2, 3, 4, 6, 9, 11, 12, 13, 20};

struct ksr_deband_params ksr_deband_params_make(const struct ksr_pipeline_config *config)
{
    return (struct ksr_deband_params){.limit = (int)(config->deband * LIMIT_MAX + 0.5)};
}

// What is known of the samples of a tile.
struct tile {
    const int16_t *row[2 * REACH + 1]; // [REACH + dy]: the tile's first sample, where it is read
    int16_t flat[KSR_TILE];            // mask: so far
    int16_t sum[KSR_TILE];             // of differences, over the rings that count
    int16_t factor[KSR_TILE];
    int count;
};

// Sets t->flat where the 7x7 samples around differ by at most the limit.
static void find_flat(struct tile *t, int16_t limit)
{
    int16_t low[KSR_TILE + 2 * NEAR], high[KSR_TILE + 2 * NEAR];
    const int width = t->count + 2 * NEAR;
    for (int r = -NEAR; r <= NEAR; r++) {
        const int16_t *row = t->row[REACH + r] - NEAR;
        for (int i = 0; i < width; i++) {
            low[i] = r > -NEAR && low[i] < row[i] ? low[i] : row[i];
            high[i] = r > -NEAR && high[i] > row[i] ? high[i] : row[i];
        }
    }
    const int16_t *c = t->row[REACH];
    for (int i = 0; i < t->count; i++) {
        int16_t least = low[i], most = high[i];
        for (int k = 1; k <= 2 * NEAR; k++) {
            least = least < low[i + k] ? least : low[i + k];
            most = most > high[i + k] ? most : high[i + k];
        }
        t->flat[i] =
            (int16_t) - (((int16_t)(most - c[i]) <= limit) & ((int16_t)(c[i] - least) <= limit));
    }
}

// Clears t->flat where the samples at (dx, dy) and opposite are both above c, or both below, by
// more than `depth`.
static void drop_ridges(struct tile *t, int dx, int dy, int16_t depth)
{
    const int16_t *c = t->row[REACH], *a = t->row[REACH + dy] + dx, *b = t->row[REACH - dy] - dx;
    for (int i = 0; i < t->count; i++) {
        const int16_t low = a[i] < b[i] ? a[i] : b[i], high = a[i] < b[i] ? b[i] : a[i];
        t->flat[i] &=
            (int16_t) - (((int16_t)(low - c[i]) <= depth) & ((int16_t)(c[i] - high) <= depth));
    }
}

static bool any_flat(const struct tile *t)
{
    int16_t any = 0;
    for (int i = 0; i < t->count; i++)
        any |= t->flat[i];
    return any != 0;
}

// Returns whether two differences from c, of opposite samples, are flat.
static inline int pair_flat(int16_t a, int16_t b, int16_t limit)
{
    const int16_t both = (int16_t)(a + b); // small where a and b are, whatever it is elsewhere
    return (a <= limit) & (a >= -limit) & (b <= limit) & (b >= -limit) & (both <= limit) &
           (both >= -limit);
}

static void add_ring(struct tile *t, int k, int16_t limit)
{
    const int x = rings[k].x, y = rings[k].y;
    const int16_t *c = t->row[REACH], *p0 = t->row[REACH + y] + x, *p1 = t->row[REACH - y] - x,
                  *p2 = t->row[REACH + x] - y, *p3 = t->row[REACH - x] + y;
    for (int i = 0; i < t->count; i++) {
        const int16_t d0 = (int16_t)(p0[i] - c[i]), d1 = (int16_t)(p1[i] - c[i]),
                      d2 = (int16_t)(p2[i] - c[i]), d3 = (int16_t)(p3[i] - c[i]);
        const int16_t flat =
            (int16_t) - (pair_flat(d0, d1, limit) & pair_flat(d2, d3, limit)) & t->flat[i];
        t->sum[i] = (int16_t)(t->sum[i] + ((d0 + d1 + d2 + d3) & flat));
        t->factor[i] = (int16_t)((factors[k] & flat) | (t->factor[i] & ~flat));
        t->flat[i] = flat;
    }
}

static void deband_tile(uint16_t *dst, struct tile *t, int16_t limit)
{
    static const int8_t ways[4][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}};
    const int16_t *c = t->row[REACH];
    memset(t->sum, 0, sizeof(t->sum));
    memset(t->factor, 0, sizeof(t->factor));
    find_flat(t, limit);
    for (int k = 0; k < 4 && any_flat(t); k++)
        for (int d = 1; d <= 2; d++)
            drop_ridges(t, d * ways[k][0], d * ways[k][1], limit / 4);
    for (int k = 0; k < RINGS && any_flat(t); k++)
        add_ring(t, k, limit);
    for (int i = 0; i < t->count; i++)
        dst[i] = (uint16_t)(c[i] + ((t->sum[i] * t->factor[i] + 32768) >> 16));
}

// Points t->row[] at the rows around row y, in place if none of their samples lies outside.
static void load(struct tile *t, uint16_t spare[][ALL], const struct ksr_plane *src, int x0, int y)
{
    const bool inside = x0 >= PAD && x0 + KSR_TILE + PAD <= src->width;
    for (size_t i = 0; i < sizeof(rows_read); i++)
        for (int side = -1; side <= 1; side += 2) {
            const int dy = side * rows_read[i];
            const uint16_t *row = ksr_row(src, y + dy) + x0;
            if (!inside) {
                ksr_tile_fill(spare[REACH + dy], src, x0 - PAD, ALL, y + dy);
                row = spare[REACH + dy] + PAD;
            }
            t->row[REACH + dy] = (const int16_t *)row;
        }
}

void ksr_deband_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_deband_params *params, int y0, int y1)
{
    uint16_t spare[2 * REACH + 1][ALL];
    struct tile t;
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            t.count = ksr_min(KSR_TILE, src->width - x0);
            load(&t, spare, src, x0, y);
            deband_tile(dst->data + y * dst->stride + x0, &t, (int16_t)params->limit);
        }
}
