// Noise of block coding; see noise.h.

#include "frame/noise.h"

#include <stdlib.h>
#include <string.h>

#include "frame/tile.h"

#define BLOCK      8
#define CELL       4    // half a block
#define EVEN       768  // range of a column or row of a border: 6 codes of 8 bits
#define PARTS      4    // a picture is looked at in up to so many by so many parts,
#define PART_LEAST 64   // which are no smaller than this
#define SMOOTH     3072 // range of a cell that has no edge: 24 codes of 8 bits
#define EDGE       6144 // range of a cell that has one
#define PAIRS      8    // of cells within a block, and as many across: fewer tell nothing
#define TOLD       6    // parts that tell something: fewer tell nothing of the picture

// Pairs of an edge and a smooth cell, within a block and across the end of one.
struct pairs {
    int64_t sum[2]; // of the roughness of the smooth cells
    int64_t count[2];
};

// Of 4x4 samples: their range, and the sum of 16 second differences.
struct cell {
    int range, roughness;
};

static int bend(int a, int b, int c)
{
    return abs(2 * b - a - c);
}

static struct cell look_at_cell(const struct ksr_plane *p, int x, int y)
{
    struct cell cell = {0, 0};
    int low = KSR_SAMPLE_MAX, high = 0;
    for (int i = 0; i < CELL; i++) {
        const uint16_t *row = p->data + (ptrdiff_t)(y + i) * p->stride + x;
        const uint16_t *column = p->data + (ptrdiff_t)y * p->stride + x + i;
        for (int k = 0; k < CELL; k++) {
            low = ksr_min(low, row[k]);
            high = ksr_max(high, row[k]);
        }
        for (int k = 1; k + 1 < CELL; k++)
            cell.roughness += bend(row[k - 1], row[k], row[k + 1]) +
                              bend(column[(k - 1) * p->stride], column[k * p->stride],
                                   column[(k + 1) * p->stride]);
    }
    cell.range = high - low;
    return cell;
}

// a lies before b; across: a block ends between them.
static void add_pair(struct pairs *pairs, const struct cell *a, const struct cell *b, bool across)
{
    const struct cell *smooth = a->range <= SMOOTH ? a : b;
    const struct cell *edge = smooth == a ? b : a;
    if (smooth->range > SMOOTH || edge->range < EDGE)
        return;
    pairs->sum[across] += smooth->roughness;
    pairs->count[across]++;
}

static void add_part(struct ksr_noise *noise, int axis, const struct pairs *p)
{
    if (p->count[0] < PAIRS || p->count[1] < PAIRS || noise->count[axis] >= KSR_NOISE_TILES)
        return;
    const int64_t difference = p->sum[0] * p->count[1] - p->sum[1] * p->count[0];
    noise->excess[axis][noise->count[axis]++] =
        (int)(difference / (p->count[0] * p->count[1] * CELL * CELL));
}

// One part, which begins and ends with a block.
static void look_at_part(struct ksr_noise *noise, const struct ksr_plane *p, int x0, int y0,
                         int width, int height)
{
    struct pairs columns = {{0}, {0}}, rows = {{0}, {0}};
    struct cell above[65536 / PARTS / CELL + 1];
    for (int y = 0; y < height / CELL; y++) {
        struct cell left = {0, 0};
        for (int x = 0; x < width / CELL; x++) {
            const struct cell now = look_at_cell(p, x0 + x * CELL, y0 + y * CELL);
            if (x > 0)
                add_pair(&columns, &left, &now, x % 2 == 0);
            if (y > 0)
                add_pair(&rows, &above[x], &now, y % 2 == 0);
            above[x] = left = now;
        }
    }
    add_part(noise, 0, &columns);
    add_part(noise, 1, &rows);
}

// --- Borders ---

// The edge of a border has flat cells on one side and is always in the same place of a block.

static bool is_even(const struct ksr_plane *p, bool column, int line)
{
    const int count = column ? p->height : p->width;
    const uint16_t *sample = p->data + (column ? line : line * p->stride);
    int low = KSR_SAMPLE_MAX, high = 0;
    for (int i = 0; i < count && high - low <= EVEN; i++, sample += column ? p->stride : 1) {
        low = ksr_min(low, *sample);
        high = ksr_max(high, *sample);
    }
    return high - low <= EVEN;
}

// Where the picture begins and ends between even columns or rows, in whole blocks.
static void find_inside(const struct ksr_plane *p, bool column, int *from, int *to)
{
    int first = 0, end = column ? p->width : p->height;
    while (first < end && is_even(p, column, first))
        first++;
    while (end > first && is_even(p, column, end - 1))
        end--;
    *from = (first + BLOCK - 1) / BLOCK * BLOCK;
    *to = ksr_max(end / BLOCK * BLOCK, *from);
}

void ksr_noise_add(struct ksr_noise *noise, const struct ksr_plane *luma)
{
    int left, right, top, bottom;
    find_inside(luma, true, &left, &right);
    find_inside(luma, false, &top, &bottom);
    const int across = ksr_clamp((right - left) / PART_LEAST, 1, PARTS);
    const int down = ksr_clamp((bottom - top) / PART_LEAST, 1, PARTS);
    const int width = (right - left) / across / BLOCK * BLOCK;
    const int height = (bottom - top) / down / BLOCK * BLOCK;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++)
            look_at_part(noise, luma, left + x * width, top + y * height, width, height);
}

// --- What they come to ---

static int compare(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

int ksr_noise_excess(const struct ksr_noise *noise)
{
    int least = KSR_SAMPLE_MAX;
    for (int axis = 0; axis < 2; axis++) {
        int sorted[KSR_NOISE_TILES];
        const int count = noise->count[axis];
        if (count < TOLD)
            return 0;
        memcpy(sorted, noise->excess[axis], (size_t)count * sizeof(sorted[0]));
        qsort(sorted, (size_t)count, sizeof(sorted[0]), compare);
        least = ksr_min(least, sorted[count / 3]);
    }
    return ksr_max(least, 0);
}
