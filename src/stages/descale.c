// Rows of a plane along both axes, plain C: the definition. See descale.h.

#include "stages/descale.h"

#include "frame/tile.h"

size_t ksr_descale_scratch(int width)
{
    const size_t samples = (size_t)ksr_plane_stride(width) + 256;
    return samples * (sizeof(int32_t) + sizeof(int16_t));
}

// One row of sums of columns, rounded. row: with room for the taps behind its end.
static void add_columns(int16_t *restrict row, int32_t *restrict sum, const struct ksr_plane *src,
                        const struct ksr_descale_axis *axis, int y)
{
    const int16_t *weights = axis->weights + (size_t)y * (size_t)axis->taps;
    const int width = src->width;
    for (int x = 0; x < width; x++)
        sum[x] = 1 << (axis->bits - 1);
    for (int k = 0; k < axis->taps; k++) {
        const int32_t w = weights[k];
        if (w == 0)
            continue;
        const int16_t *restrict in = (const int16_t *)src->data + (axis->first[y] + k) * src->stride;
        for (int x = 0; x < width; x++)
            sum[x] += w * in[x];
    }
    for (int x = 0; x < width; x++)
        row[x] = (int16_t)ksr_clamp(sum[x] >> axis->bits, 0, KSR_SAMPLE_MAX);
}

static void add_along(uint16_t *restrict out, const int16_t *restrict row,
                      const struct ksr_descale_axis *axis)
{
    const int groups = axis->taps / KSR_DESCALE_PADDING;
    for (int x = 0; x < axis->size; x++) {
        const int16_t *restrict w = axis->weights + (size_t)x * (size_t)axis->taps;
        const int16_t *restrict in = row + axis->first[x];
        int32_t sum = 1 << (axis->bits - 1);
        for (int k = 0; k < groups * KSR_DESCALE_PADDING; k++)
            sum += w[k] * in[k];
        out[x] = (uint16_t)ksr_clamp(sum >> axis->bits, 0, KSR_SAMPLE_MAX);
    }
}

void ksr_descale_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_descale_axis *x, const struct ksr_descale_axis *y,
                      void *scratch, int y0, int y1)
{
    int32_t *sum = scratch;
    int16_t *row = (int16_t *)(sum + ksr_plane_stride(src->width));
    for (int i = y0; i < y1; i++) {
        add_columns(row, sum, src, y, i);
        add_along(dst->data + i * dst->stride, row, x);
    }
}
