// Stage 1, plain C: the definition. See normalize.h.

#include "stages/normalize.h"

#include <assert.h>

#include "frame/tile.h"

#define LIMIT_MAX 2048 // 16 codes of 8 bits: above, it would no longer be coding noise

struct ksr_normalize_params ksr_normalize_params_make(const struct ksr_pipeline_config *config)
{
    const double denoise = config->denoise;
    assert(denoise >= 0 && denoise <= 1); // "auto" has been settled
    return (struct ksr_normalize_params){.limit = (int)(denoise * LIMIT_MAX + 0.5)};
}

static int16_t soft(uint16_t a, uint16_t c, int16_t limit)
{
    return ksr_soft((int16_t)(a - c), limit);
}

// Every step is at most 2048 and stays between c and a neighbour, so the sum fits 16 bits and the
// result cannot leave the range.
static void normalize_tile(uint16_t *restrict dst, const uint16_t *restrict above,
                           const uint16_t *restrict row, const uint16_t *restrict below, int count,
                           int16_t limit)
{
    for (int i = 0; i < count; i++) {
        const uint16_t c = row[i];
        const int16_t beside = (int16_t)(soft(row[i - 1], c, limit) + soft(row[i + 1], c, limit) +
                                         soft(above[i], c, limit) + soft(below[i], c, limit));
        const int16_t corners =
            (int16_t)(soft(above[i - 1], c, limit) + soft(above[i + 1], c, limit) +
                      soft(below[i - 1], c, limit) + soft(below[i + 1], c, limit));
        const int16_t sum = (int16_t)(2 * beside + corners + 8);
        dst[i] = (uint16_t)(c + (sum >> 4));
    }
}

void ksr_normalize_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_normalize_params *params, int y0, int y1)
{
    uint16_t spare[3][KSR_TILE_ALL];
    const uint16_t *t[3];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            for (int i = 0; i < 3; i++)
                t[i] = ksr_tile_row(spare[i], src, x0, y - 1 + i) + KSR_TILE_PAD;
            normalize_tile(dst->data + y * dst->stride + x0, t[0], t[1], t[2],
                           ksr_min(KSR_TILE, src->width - x0), (int16_t)params->limit);
        }
}
