// Stage 2, plain C: the definition. See structure.h.

#include "stages/structure.h"

#include <stdbool.h>

#include "frame/tile.h"

#define LIMIT_MAX 2048 // 16 codes of 8 bits
#define ROWS      7    // a 5x5 window of central differences
#define RADIUS    3

struct ksr_structure_params ksr_structure_params_make(const struct ksr_pipeline_config *config)
{
    return (struct ksr_structure_params){.limit =
                                             (int)(config->structure_smoothing * LIMIT_MAX + 0.5)};
}

// The tensors [xx xy; xy yy] of a row of columns or windows. One array for each component and no
// branches, here and below, so that compilers make SIMD code of the loops.
struct tensors {
    int32_t xx[KSR_TILE + 4], xy[KSR_TILE + 4], yy[KSR_TILE + 4];
};

// A gradient is the difference of two samples cut to 11 bits, so 16 units are one code of 8 bits
// per sample, and 81 weights times 2048^2 fit 29 bits.
static void reduce_rows(int16_t out[ROWS][KSR_TILE + 6], const uint16_t t[ROWS][KSR_TILE_ALL],
                        int count)
{
    for (int r = 0; r < ROWS; r++)
        for (int i = 0; i < count + 6; i++)
            out[r][i] = (int16_t)((t[r][KSR_TILE_PAD - RADIUS + i] + 8) >> 4);
}

// Sums the rows of the window for every column: two on either side of the tile too.
static void sum_columns(struct tensors *column, const int16_t t[ROWS][KSR_TILE + 6], int count)
{
    static const int8_t weight[5] = {1, 2, 3, 2, 1};
    for (int r = 0; r < 5; r++)
        for (int i = 0; i < count + 4; i++) {
            const int gx = t[r + 1][i + 2] - t[r + 1][i];
            const int gy = t[r + 2][i + 1] - t[r][i + 1];
            const int wx = weight[r] * gx, wy = weight[r] * gy;
            column->xx[i] = (r ? column->xx[i] : 0) + wx * gx;
            column->xy[i] = (r ? column->xy[i] : 0) + wx * gy;
            column->yy[i] = (r ? column->yy[i] : 0) + wy * gy;
        }
}

static int32_t sum_window(const int32_t *c)
{
    return c[0] + c[4] + 2 * (c[1] + c[3]) + 3 * c[2];
}

static int classify(int32_t xx, int32_t xy, int32_t yy)
{
    // One code per sample: 16^2 units in each of 81 weights.
    const int32_t one = 16 * 16 * 81;
    const int32_t trace = xx + yy, u = xx - yy, v = 2 * xy;
    const int strength = (trace >= one) + (trace >= 9 * one) + (trace >= 100 * one);

    // l1 - l2 = sqrt((xx - yy)^2 + (2 xy)^2), and l1 + l2 is the trace. A trace of 0 is flat.
    const int64_t gap = (int64_t)u * u + (int64_t)v * v, square = (int64_t)trace * trace;
    const int some = trace > 0;
    const int coherence = (some & (gap >= square >> 4)) + (some & (gap >= square >> 2)) +
                          (some & (gap >= (square + 8 * square) >> 4));

    // (u, v) points at twice the gradient's angle. tan(22.5 degrees) = 27146 / 65536.
    const int32_t au = u < 0 ? -u : u, av = v < 0 ? -v : v;
    const int flat = (int64_t)av * 65536 <= (int64_t)au * 27146;
    const int steep = (int64_t)au * 65536 <= (int64_t)av * 27146;
    const int left = u < 0, up = v < 0;
    const int slanted = up ? 7 - 2 * left : 1 + 2 * left;
    const int direction = flat ? 4 * left : steep ? 2 + 4 * up : slanted;
    return strength | coherence << 2 | direction << 4;
}

// Writes the classes of up to KSR_TILE samples of the middle row.
static void classify_tile(int32_t classes[KSR_TILE], const uint16_t t[ROWS][KSR_TILE_ALL],
                          int count)
{
    int16_t reduced[ROWS][KSR_TILE + 6];
    struct tensors column;
    reduce_rows(reduced, t, count);
    sum_columns(&column, (const int16_t(*)[KSR_TILE + 6]) reduced, count);
    for (int i = 0; i < count; i++)
        classes[i] = classify(sum_window(column.xx + i), sum_window(column.xy + i),
                              sum_window(column.yy + i));
}

static void load(uint16_t t[ROWS][KSR_TILE_ALL], const struct ksr_plane *src, int x0, int y)
{
    for (int r = 0; r < ROWS; r++)
        ksr_tile_load(t[r], src, x0, y - RADIUS + r);
}

void ksr_structure_classify_rows(uint8_t *classes, ptrdiff_t stride, const struct ksr_plane *src,
                                 int y0, int y1)
{
    uint16_t t[ROWS][KSR_TILE_ALL];
    int32_t tile[KSR_TILE];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            const int count = ksr_min(KSR_TILE, src->width - x0);
            load(t, src, x0, y);
            classify_tile(tile, (const uint16_t(*)[KSR_TILE_ALL])t, count);
            for (int i = 0; i < count; i++)
                classes[y * stride + x0 + i] = (uint8_t)tile[i];
        }
}

// Where an edge with this gradient direction runs: three steps, two of which are the same, since
// only every second direction has a sample at one step's distance. The other side is the same,
// negated.
static const struct {
    int8_t once_x, once_y, twice_x, twice_y;
} along[8] = {
    {0, 2, 0, 1}, {0, 1, -1, 2}, {-2, 2, -1, 1}, {-1, 0, -2, 1},
    {2, 0, 1, 0}, {1, 0, 2, 1},  {2, 2, 1, 1},   {0, 1, 1, 2},
};

// Adds `weight` times what the samples at (dx, dy) and opposite say, where `mask` is all ones.
static inline void add_pair(int16_t *sum, const uint16_t t[ROWS][KSR_TILE_ALL], int dx, int dy,
                            int weight, const int16_t *mask, int16_t limit, int count)
{
    const uint16_t *c = t[RADIUS] + KSR_TILE_PAD, *a = t[RADIUS + dy] + KSR_TILE_PAD + dx,
                   *b = t[RADIUS - dy] + KSR_TILE_PAD - dx;
    for (int i = 0; i < count; i++) {
        const int16_t both = (int16_t)(ksr_soft((int16_t)(a[i] - c[i]), limit) +
                                       ksr_soft((int16_t)(b[i] - c[i]), limit));
        sum[i] = (int16_t)(sum[i] + (int16_t)(weight * both & mask[i]));
    }
}

// Sets mask to all ones where the chosen way of smoothing is `way`. Returns whether it is anywhere.
static bool find_way(int16_t *mask, const int16_t *ways, int way, int count)
{
    int16_t any = 0;
    for (int i = 0; i < count; i++) {
        mask[i] = (int16_t) - (ways[i] == way);
        any |= mask[i];
    }
    return any != 0;
}

enum { WAY_AROUND = 8, WAY_NONE }; // below: along, by direction

// Every way is computed for the whole tile and kept where it is the sample's: that is cheaper than
// going sample by sample.
static void smooth_tile(uint16_t *dst, const uint16_t t[ROWS][KSR_TILE_ALL], int count,
                        int16_t limit)
{
    int32_t classes[KSR_TILE];
    int16_t ways[KSR_TILE], mask[KSR_TILE], sum[KSR_TILE] = {0};
    classify_tile(classes, t, count);
    for (int i = 0; i < count; i++) {
        const int class = classes[i], strength = KSR_CLASS_STRENGTH(class);
        const int directed = (strength >= 1) & (KSR_CLASS_COHERENCE(class) >= 2);
        const int other = strength <= 1 ? WAY_AROUND : WAY_NONE;
        ways[i] = (int16_t)(directed ? KSR_CLASS_DIRECTION(class) : other);
    }
    for (int d = 0; d < 8; d++)
        if (find_way(mask, ways, d, count)) {
            add_pair(sum, t, along[d].once_x, along[d].once_y, 2, mask, limit, count);
            add_pair(sum, t, along[d].twice_x, along[d].twice_y, 4, mask, limit, count);
        }
    if (find_way(mask, ways, WAY_AROUND, count)) {
        add_pair(sum, t, 1, 0, 2, mask, limit, count);
        add_pair(sum, t, 0, 1, 2, mask, limit, count);
        add_pair(sum, t, 1, 1, 1, mask, limit, count);
        add_pair(sum, t, 1, -1, 1, mask, limit, count);
    }
    for (int i = 0; i < count; i++)
        dst[i] = (uint16_t)(t[RADIUS][KSR_TILE_PAD + i] + ((sum[i] + 8) >> 4));
}

void ksr_structure_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_structure_params *params, int y0, int y1)
{
    uint16_t t[ROWS][KSR_TILE_ALL];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            load(t, src, x0, y);
            smooth_tile(dst->data + y * dst->stride + x0, (const uint16_t(*)[KSR_TILE_ALL])t,
                        ksr_min(KSR_TILE, src->width - x0), (int16_t)params->limit);
        }
}
