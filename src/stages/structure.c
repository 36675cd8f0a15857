// Stage 2, plain C: the definition. See structure.h.

#include "stages/structure.h"

#include "frame/tile.h"

#define LIMIT_MAX 2048 // 16 codes of 8 bits
#define ROWS      7    // a 5x5 window of central differences
#define RADIUS    3

struct ksr_structure_params ksr_structure_params_make(double smoothing)
{
    return (struct ksr_structure_params){.limit = (int)(smoothing * LIMIT_MAX + 0.5)};
}

// The tensor [xx xy; xy yy] of one column or one window.
struct tensor {
    int32_t xx, xy, yy;
};

// A gradient is the difference of two samples cut to 11 bits, so 16 units are one code of 8 bits
// per sample, and 81 weights times 2048^2 fit 29 bits.
static int reduced(uint16_t sample)
{
    return (sample + 8) >> 4;
}

// Sums the rows of the window for sample x of the tile, and its neighbours.
static struct tensor column_tensor(uint16_t t[ROWS][KSR_TILE_ALL], int x)
{
    static const int8_t weight[5] = {1, 2, 3, 2, 1};
    struct tensor sum = {0};
    for (int r = 0; r < 5; r++) {
        const int gx = reduced(t[r + 1][x + 1]) - reduced(t[r + 1][x - 1]);
        const int gy = reduced(t[r + 2][x]) - reduced(t[r][x]);
        sum.xx += weight[r] * gx * gx;
        sum.xy += weight[r] * gx * gy;
        sum.yy += weight[r] * gy * gy;
    }
    return sum;
}

static int classify(const struct tensor *s)
{
    // One code per sample: 16^2 units in each of 81 weights.
    const int32_t one = 16 * 16 * 81;
    const int64_t trace = (int64_t)s->xx + s->yy;
    const int strength = (trace >= one) + (trace >= 9 * one) + (trace >= 100 * one);

    // l1 - l2 = sqrt((xx - yy)^2 + (2 xy)^2), and l1 + l2 is the trace.
    const int64_t u = (int64_t)s->xx - s->yy, v = 2 * (int64_t)s->xy;
    const int64_t gap = u * u + v * v, square = trace * trace;
    int coherence = 0;
    for (int k = 1; k <= 3 && trace > 0; k++)
        coherence += gap >= (k * k * square) >> 4;

    // (u, v) points at twice the gradient's angle. tan(22.5 degrees) = 27146 / 65536.
    const int64_t au = u < 0 ? -u : u, av = v < 0 ? -v : v;
    int direction;
    if (av * 65536 <= au * 27146)
        direction = u >= 0 ? 0 : 4;
    else if (au * 65536 <= av * 27146)
        direction = v >= 0 ? 2 : 6;
    else if (v >= 0)
        direction = u >= 0 ? 1 : 3;
    else
        direction = u >= 0 ? 7 : 5;
    return strength | coherence << 2 | direction << 4;
}

// Loads the rows around y and writes the classes of up to KSR_TILE samples.
static void classify_tile(uint8_t *classes, uint16_t t[ROWS][KSR_TILE_ALL], int count)
{
    struct tensor column[KSR_TILE + 4];
    for (int i = 0; i < count + 4; i++)
        column[i] = column_tensor(t, KSR_TILE_PAD - 2 + i);
    for (int i = 0; i < count; i++) {
        const struct tensor *c = column + i;
        const struct tensor sum = {
            .xx = c[0].xx + 2 * c[1].xx + 3 * c[2].xx + 2 * c[3].xx + c[4].xx,
            .xy = c[0].xy + 2 * c[1].xy + 3 * c[2].xy + 2 * c[3].xy + c[4].xy,
            .yy = c[0].yy + 2 * c[1].yy + 3 * c[2].yy + 2 * c[3].yy + c[4].yy,
        };
        classes[i] = (uint8_t)classify(&sum);
    }
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
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            load(t, src, x0, y);
            classify_tile(classes + y * stride + x0, t, ksr_min(KSR_TILE, src->width - x0));
        }
}

// Where an edge with this gradient direction runs: three steps, two of which are the same, since
// only every second direction has a sample at one step's distance. The other side is the same,
// negated.
static const struct {
    int8_t x, y;
} along[8][3] = {
    {{0, 1}, {0, 1}, {0, 2}},    {{0, 1}, {-1, 2}, {-1, 2}}, {{-1, 1}, {-1, 1}, {-2, 2}},
    {{-1, 0}, {-2, 1}, {-2, 1}}, {{1, 0}, {1, 0}, {2, 0}},   {{1, 0}, {2, 1}, {2, 1}},
    {{1, 1}, {1, 1}, {2, 2}},    {{0, 1}, {1, 2}, {1, 2}},
};

// Sixteenths to add to the sample at column x of the tile's middle row.
static int smooth_along(uint16_t t[ROWS][KSR_TILE_ALL], int x, int direction, int16_t limit)
{
    const int c = t[RADIUS][x];
    int sum = 0;
    for (int k = 0; k < 3; k++) {
        const int dx = along[direction][k].x, dy = along[direction][k].y;
        sum += ksr_soft((int16_t)(t[RADIUS + dy][x + dx] - c), limit);
        sum += ksr_soft((int16_t)(t[RADIUS - dy][x - dx] - c), limit);
    }
    return 2 * sum;
}

static int smooth_around(uint16_t t[ROWS][KSR_TILE_ALL], int x, int16_t limit)
{
    const int c = t[RADIUS][x];
    int sum = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            sum += (dx == 0 || dy == 0 ? 2 : 1) *
                   ksr_soft((int16_t)(t[RADIUS + dy][x + dx] - c), limit);
    return sum;
}

static void smooth_tile(uint16_t *dst, uint16_t t[ROWS][KSR_TILE_ALL], int count, int16_t limit)
{
    uint8_t classes[KSR_TILE];
    classify_tile(classes, t, count);
    for (int i = 0; i < count; i++) {
        const int x = KSR_TILE_PAD + i, class = classes[i];
        int sum = 0;
        if (KSR_CLASS_STRENGTH(class) >= 1 && KSR_CLASS_COHERENCE(class) >= 2)
            sum = smooth_along(t, x, KSR_CLASS_DIRECTION(class), limit);
        else if (KSR_CLASS_STRENGTH(class) <= 1)
            sum = smooth_around(t, x, limit);
        dst[i] = (uint16_t)(t[RADIUS][x] + ((sum + 8) >> 4));
    }
}

void ksr_structure_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_structure_params *params, int y0, int y1)
{
    uint16_t t[ROWS][KSR_TILE_ALL];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            load(t, src, x0, y);
            smooth_tile(dst->data + y * dst->stride + x0, t, ksr_min(KSR_TILE, src->width - x0),
                        (int16_t)params->limit);
        }
}
