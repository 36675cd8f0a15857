// Stage 1, plain C: the definition. See normalize.h.

#include "stages/normalize.h"

#include "stages/tile.h"

#define LIMIT_MAX 2048 // 16 codes of 8 bits: above, it would no longer be coding noise

struct ksr_normalize_params ksr_normalize_params_make(double denoise)
{
    return (struct ksr_normalize_params){.limit = (int)(denoise * LIMIT_MAX + 0.5)};
}

static void normalize_tile(uint16_t *restrict dst, uint16_t t[3][KSR_TILE_ALL], int count,
                           int limit)
{
    const uint16_t *above = t[0] + KSR_TILE_PAD, *row = t[1] + KSR_TILE_PAD,
                   *below = t[2] + KSR_TILE_PAD;
    for (int i = 0; i < count; i++) {
        const int c = row[i];
        int sum = ksr_soft(row[i - 1] - c, limit) + ksr_soft(row[i + 1] - c, limit) +
                  ksr_soft(above[i] - c, limit) + ksr_soft(below[i] - c, limit);
        sum *= 2;
        sum += ksr_soft(above[i - 1] - c, limit) + ksr_soft(above[i + 1] - c, limit) +
               ksr_soft(below[i - 1] - c, limit) + ksr_soft(below[i + 1] - c, limit);
        // Every step stays between c and a neighbour, so the sum cannot leave the range.
        dst[i] = (uint16_t)(c + ((sum + 8) >> 4));
    }
}

void ksr_normalize_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_normalize_params *params, int y0, int y1)
{
    uint16_t t[3][KSR_TILE_ALL];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            for (int i = 0; i < 3; i++)
                ksr_tile_load(t[i], src, x0, y - 1 + i);
            normalize_tile(dst->data + y * dst->stride + x0, t, ksr_min(KSR_TILE, src->width - x0),
                           params->limit);
        }
}
