// Parts that are kept, plain C: the definition. See kept.h.

#include "stages/kept.h"

#include <stdlib.h>
#include <string.h>

#include "frame/tile.h"

#define CELL KSR_KEPT_CELL
#define FULL KSR_KEPT_FULL

int ksr_kept_cells(int size)
{
    return (size + CELL - 1) / CELL;
}

// --- Marks ---

void ksr_kept_mark_row(const struct ksr_plane *marks, const struct ksr_plane *frame,
                       const struct ksr_plane *again, int y)
{
    uint16_t *marked = marks->data + y / CELL * marks->stride;
    memset(marked, 0, (size_t)marks->width * sizeof(marked[0]));
    for (const int end = ksr_min(y + CELL, frame->height); y < end; y++) {
        const uint16_t *a = frame->data + y * frame->stride, *b = again->data + y * again->stride;
        for (int x = 0; x < frame->width; x++)
            marked[x / CELL] += abs(a[x] - b[x]) > KSR_KEPT_DIFFERENT;
    }
    for (int x = 0; x < marks->width; x++)
        marked[x] = marked[x] >= KSR_KEPT_LEAST;
}

// --- Weights ---

static int cell_at(const struct ksr_plane *cells, int x, int y)
{
    return cells->data[ksr_clamp(y, 0, cells->height - 1) * cells->stride +
                       ksr_clamp(x, 0, cells->width - 1)];
}

// Returns the sum of the cells within `reach` of one; beyond the edges they are as those at them.
static int sum_around(const struct ksr_plane *cells, int x, int y, int reach)
{
    int sum = 0;
    for (int j = y - reach; j <= y + reach; j++)
        for (int i = x - reach; i <= x + reach; i++)
            sum += cell_at(cells, i, j);
    return sum;
}

bool ksr_kept_weigh(const struct ksr_plane *weights, const struct ksr_plane *grown,
                    const struct ksr_plane *marks)
{
    int any = 0;
    for (int y = 0; y < marks->height; y++)
        for (int x = 0; x < marks->width; x++)
            any |= marks->data[y * marks->stride + x];
    for (int y = 0; y < marks->height && any; y++)
        for (int x = 0; x < marks->width; x++)
            grown->data[y * grown->stride + x] = sum_around(marks, x, y, KSR_KEPT_GROW) > 0;
    for (int y = 0; y < marks->height; y++)
        for (int x = 0; x < marks->width; x++)
            weights->data[y * weights->stride + x] =
                (uint16_t)(any ? (sum_around(grown, x, y, 1) * FULL + 4) / 9 : 0);
    return any;
}

// --- Putting it back ---

int32_t ksr_kept_place(int i, int shift, int from, int to)
{
    const int64_t luma = ksr_min(i << shift, to - 1);
    const int64_t place = (2 * luma + 1) * from * FULL / (2 * (int64_t)to * CELL) - FULL / 2;
    return ksr_clamp((int)place, 0, (ksr_kept_cells(from) - 1) * FULL);
}

// Weights of the cells at a row of the output, and one more. Returns whether any is not 0.
static bool weights_at(const struct ksr_plane *weights, int place, uint16_t *out)
{
    const int row = place / FULL, part = place % FULL;
    const uint16_t *a = weights->data + row * weights->stride;
    const uint16_t *b = row + 1 < weights->height ? a + weights->stride : a;
    int all = 0;
    for (int x = 0; x < weights->width; x++) {
        out[x] = (uint16_t)((a[x] * (FULL - part) + b[x] * part) / FULL);
        all |= out[x];
    }
    out[weights->width] = out[weights->width - 1];
    return all != 0;
}

void ksr_kept_rows(const struct ksr_plane *dst, const struct ksr_plane *kept,
                   const struct ksr_plane *weights, const int32_t *x, const int32_t *y, int y0,
                   int y1)
{
    uint16_t weight[65536 / CELL + 2];
    for (int row = y0; row < y1; row++) {
        const uint16_t *in = kept->data + row * kept->stride;
        uint16_t *out = dst->data + row * dst->stride;
        if (!weights_at(weights, y[row], weight))
            continue;
        for (int i = 0; i < dst->width; i++) {
            const int part = x[i] % FULL;
            const uint16_t *cell = weight + x[i] / FULL;
            const int share = (cell[0] * (FULL - part) + cell[1] * part) / FULL;
            out[i] = (uint16_t)(out[i] + (((in[i] - out[i]) * share + FULL / 2) >> 8));
        }
    }
}
